// SPDX-License-Identifier: Apache-2.0
// A recipe as a whole: from YAML text to values and back.

import MTLFast

extension Recipe {
  /// Parses the text of a recipe.
  ///
  /// Overrides are applied before anything is checked, so that they meet the same errors. Everything that can be told
  /// without the data is checked, the model's shapes too, and all mistakes are told together, a line each.
  ///
  ///     try Recipe.parse(text, file: "my.yaml")
  ///     // my.yaml:12:5: unknown key 'fliters' in conv2d. Known keys: activation, filters, ... Did you mean 'filters'?
  ///
  /// - Parameter file: the name that errors begin with.
  /// - Throws: `MTLFastError`, of kind `badData` for the text and `usage` for overrides.
  public static func parse(_ text: String, file: String, overrides: [RecipeOverride] = []) throws -> Recipe {
    let mistakes = Mistakes()
    let root = try mistakes.attempt {
      var root = try YAMLNode.parse(text, from: .file(file, line: 1, column: 1))
      for override in overrides { try override.apply(to: &root) }
      return root
    }
    guard let root else { throw mistakes.error }
    let parts = RecipeParts(root, mistakes)
    if let recipe = parts.checkable {
      func located(_ path: [String], _ message: String) -> RecipeMistake { root.location(at: path).error(message) }
      try RecipeConsistency(recipe: recipe, mistakes: mistakes, located: located).check()
      // With the class names of the catalogue, class weights are checked too.
      if mistakes.isEmpty { try RecipeGraphBuilder.check(recipe.withPublishedClasses(), mistakes, located: located) }
    }
    try mistakes.check()
    guard let recipe = parts.checkable else { throw mistakes.error }
    return recipe
  }

  /// This recipe as YAML with every setting written out, always in the same order: parsing it gives this recipe again,
  /// every number with the same bits.
  ///
  /// Nothing of the machine or the command line is in it: no threads, folders, times.
  ///
  /// - Throws: `MTLFastError` of kind `system` where there is no memory.
  public func yaml() throws -> String {
    func lines(_ key: String, _ entries: [YAMLValue.Entry]) throws -> String {
      try YAMLValue.block(.entry(key, .block(.mapping(entries)))).yaml()
    }
    var sections = [
      try YAMLValue.block(.mapping([.init("recipe", .plain(1)), .init("name", .text(name))])).yaml()
    ]
    if let stream = data.streams.first, stream.name == nil {
      sections.append(try YAMLValue.block(.entry("data", Recipe.Stream.write(stream))).yaml())
    } else {
      let streams = data.streams.map { YAMLValue.Entry($0.name ?? "", Recipe.Stream.write($0)) }
      sections.append(try lines("data", [.init("streams", .block(.mapping(streams)))]))
    }
    sections.append(
      try lines("inputs", inputs.map { .init($0.name, Recipe.Input.schema(of: $0.name, in: data).write($0)) }))
    sections.append(try lines("tasks", tasks.map { .init($0.name, Recipe.Task.write($0)) }))
    if !nodes.isEmpty {
      sections.append(
        try lines("model", nodes.map { .init($0.name, .block(ModelNode.schema(of: $0.name).write($0))) }))
    }
    sections.append(try lines("heads", heads.map { .init($0.name, .block(Head.schema(of: $0.name).write($0))) }))
    sections.append(
      try YAMLValue.block(.entry("training", .block(Training.schema.write(training)))).yaml())
    return sections.joined(separator: "\n")
  }
}

/// The parts of a recipe that could be read.
private struct RecipeParts {
  /// The recipe as far as it goes; nil where what others depend on could not be read.
  private(set) var checkable: Recipe?

  private static let keys = ["recipe", "name", "data", "inputs", "tasks", "model", "heads", "training"]

  init(_ root: YAMLNode, _ mistakes: Mistakes) {
    guard let entries = mistakes.note({ () throws(RecipeMistake) in try root.entries("a recipe") }) else { return }
    let meant = entries.compactMap { entry in
      Self.keys.contains(entry.key) ? nil : likelyWord(for: entry.key, known: Self.keys)
    }
    for entry in entries where !Self.keys.contains(entry.key) {
      mistakes.add(
        entry.location,
        entry.key == "balancing"
          ? "'balancing' in a recipe is not available in this version. Set the weight of each head."
          : unknownWord("key", excerpt(entry.key), in: "a recipe", known: Self.keys))
    }
    func value(_ key: String, isRequired: Bool = true) -> YAMLNode? {
      let node = root.child(key)
      if node == nil, isRequired, !meant.contains(key) {
        mistakes.add(root.location, "a recipe lacks the key '\(key)'.")
      }
      return node
    }
    /// The entries of a mapping of names.
    func units(_ key: String, isRequired: Bool = true) -> [YAMLNode.Entry]? {
      value(key, isRequired: isRequired).flatMap { node in
        mistakes.note { () throws(RecipeMistake) in
          let entries = try node.entries(key)
          guard !entries.isEmpty || !isRequired else { throw node.location.error("\(key) is empty. Name one.") }
          return entries
        }
      } ?? (isRequired || root.child(key) != nil ? nil : [])
    }
    if let node = value("recipe") {
      mistakes.note { () throws(RecipeMistake) in
        guard try node.integer("recipe (the version of the format)", in: 1...Int.max) == 1 else {
          throw node.location.error("recipe is version \(try node.text("recipe")) but this program reads version 1.")
        }
      }
    }
    let name = value("name").flatMap { node in
      mistakes.note { () throws(RecipeMistake) in
        try checkedName(try node.text("name"), "recipe", at: node.location)
      }
    }
    let data = value("data").flatMap { Recipe.DataSource.read($0, mistakes) }
    let inputEntries = units("inputs")
    let inputs = data.flatMap { data in
      inputEntries?.compactMap { entry in
        named(entry, "input", mistakes).flatMap { name in
          Recipe.Input.schema(of: name, in: data).read(entry.value, "input '\(name)'", mistakes)
        }
      }
    }
    let taskEntries = units("tasks")
    let tasks = taskEntries?.compactMap { entry in
      named(entry, "task", mistakes).flatMap { Recipe.Task.read(entry.value, name: $0, mistakes) }
    }
    let nodeEntries = units("model", isRequired: false)
    let nodes = nodeEntries?.compactMap { entry in
      named(entry, "node", mistakes).flatMap { name in
        Recipe.ModelNode.schema(of: name).read(entry.value, "node '\(name)'", mistakes)
      }
    }
    let headEntries = units("heads")
    var heads: [Recipe.Head]?
    if let headEntries, let taskEntries {
      let known = taskEntries.map(\.key)
      let strangers = headEntries.filter { !known.contains($0.key) }
      for entry in strangers {
        mistakes.add(entry.location, unknownWord("task", entry.key, in: "heads", known: known))
      }
      // A misspelt head is one mistake, not two.
      for entry in taskEntries
      where strangers.isEmpty && !headEntries.contains(where: { $0.key == entry.key }) {
        mistakes.add(
          entry.location, "task '\(entry.key)' has no head. Add '\(entry.key)' to heads or remove the task.")
      }
    }
    heads = headEntries?.compactMap { entry in
      Recipe.Head.schema(of: entry.key).read(entry.value, "head '\(entry.key)'", mistakes)
    }
    let training =
      root.child("training").map { Recipe.Training.schema.read($0, "training", mistakes) } ?? Recipe.Training()
    guard let name, let data, let inputs, let tasks, let nodes, let heads,
      inputs.count == inputEntries?.count, nodes.count == nodeEntries?.count, tasks.count == taskEntries?.count
    else { return }
    guard mistakes.isEmpty || heads.count == headEntries?.count else { return }
    checkable = Recipe(
      name: name, data: data, inputs: inputs, tasks: tasks, nodes: nodes, heads: heads,
      training: training ?? Recipe.Training())
  }

  private func named(_ entry: YAMLNode.Entry, _ what: String, _ mistakes: Mistakes) -> String? {
    mistakes.note { () throws(RecipeMistake) in try checkedName(entry.key, what, at: entry.location) }
  }
}

extension Recipe.ModelNode {
  static func schema(of name: String) -> MappingSchema<Recipe.ModelNode> {
    let from = Key<Self, [String]>.required(
      "from", .oneOrMoreNames, "An input, a node, one of a node's layers, or a list of them", get: \.from)
    let layers = Key<Self, [GraphLayer]>.required(
      "layers", .layers(of: "node '\(name)'"), "Layers, each of which reads the one before", get: \.layers)
    return MappingSchema([AnyKey(from), AnyKey(layers)]) { values throws(RecipeMistake) in
      Recipe.ModelNode(name: name, from: values[from], layers: values[layers])
    }
  }
}
