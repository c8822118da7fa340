// SPDX-License-Identifier: Apache-2.0
// From YAML text to a recipe, with every mistake named at its line.

import MTLFast

extension Recipe {
  /// Parses the text of a recipe.
  ///
  /// Overrides are applied before anything is checked, so that they meet the same errors. Everything that can be told
  /// without the data is checked, the model's shapes too.
  ///
  ///     try Recipe.parse(text, file: "my.yaml")
  ///     // my.yaml:12:5: unknown key 'fliters' in conv2d. Known keys: activation, filters, ... Did you mean 'filters'?
  ///
  /// - Parameter file: the name that errors begin with.
  /// - Throws: `MTLFastError`, of kind `badData` for the text and `usage` for an override.
  public static func parse(_ text: String, file: String, overrides: [RecipeOverride] = []) throws -> Recipe {
    var root = try YAMLNode.parse(text, from: .file(file, line: 1, column: 1))
    for override in overrides { try override.apply(to: &root) }
    let recipe = try Recipe(root)
    func located(_ path: [String], _ error: MTLFastError) -> MTLFastError {
      root.location(at: path).error(error.message)
    }
    try RecipeConsistency(recipe: recipe, located: located).check()
    // With the class names of the catalogue, class weights are checked too.
    try RecipeGraphBuilder.check(recipe.withPublishedClasses(), located: located)
    return recipe
  }

  private init(_ root: YAMLNode) throws {
    let reader = try MappingReader(
      root, "a recipe", known: ["recipe", "name", "data", "inputs", "tasks", "model", "heads", "training"],
      later: [(key: "balancing", instead: "Set the weight of each head.")])
    let version = try reader.required("recipe")
    guard try version.integer("recipe (the version of the format)", in: 1...Int.max) == 1 else {
      throw version.location.error("recipe is version \(try version.text("recipe")) but this program reads version 1.")
    }
    let nameNode = try reader.required("name")
    let name = try checkedName(try nameNode.text("name"), "recipe", at: nameNode.location)
    let data = try DataSource(try reader.required("data"))
    let inputs = try reader.required("inputs").entries("inputs").map { try Input($0, of: data) }
    let tasks = try reader.required("tasks").entries("tasks").map(Task.init)
    let nodes = try reader.optional("model")?.entries("model").map(ModelNode.init) ?? []
    let headEntries = try reader.required("heads").entries("heads")
    let heads = try headEntries.map { entry in
      guard tasks.contains(where: { $0.name == entry.key }) else {
        throw entry.location.error(unknownName("task", entry.key, in: "heads", known: tasks.map(\.name)))
      }
      return try Head(entry)
    }
    for entry in try reader.required("tasks").entries("tasks") where !heads.contains(where: { $0.name == entry.key }) {
      throw entry.location.error("task '\(entry.key)' has no head. Add '\(entry.key)' to heads or remove the task.")
    }
    guard !inputs.isEmpty else { throw try reader.required("inputs").location.error("inputs is empty. Name one.") }
    guard !heads.isEmpty else { throw try reader.required("heads").location.error("heads is empty. Name one.") }
    let training = try reader.optional("training").map(Training.init) ?? Training()
    self.init(name: name, data: data, inputs: inputs, tasks: tasks, nodes: nodes, heads: heads, training: training)
  }
}

extension Recipe.ModelNode {
  fileprivate init(_ entry: YAMLNode.Entry) throws {
    name = try checkedName(entry.key, "node", at: entry.location)
    let reader = try MappingReader(entry.value, "node '\(name)'", known: ["from", "layers"])
    from = try reader.required("from").oneOrMoreNames("from")
    layers = try GraphLayer.list(try reader.required("layers"), of: "node '\(name)'")
  }
}
