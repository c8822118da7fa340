// SPDX-License-Identifier: Apache-2.0
// From YAML text to a recipe, with every mistake named at its line.

import MTLFast
import MTLFastData

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
    // Class counts that only the data tell don't change any shape but those of logits.
    let classNames = recipe.tasks.map { ($0.name, $0.classNames ?? ["0", "1"]) }
    _ = try RecipeGraphBuilder(recipe: recipe, classNames: Dictionary(uniqueKeysWithValues: classNames)) {
      path, error in
      root.location(at: path).error(error.message)
    }.graph()
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
    let inputs = try reader.required("inputs").entries("inputs").map(Input.init)
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

extension Recipe.DataSource {
  fileprivate init(_ node: YAMLNode) throws {
    let notYet = "Use source: with one of the data sets of 'mtl-fast datasets list'."
    let reader = try MappingReader(
      node, "data", known: ["source", "validation"],
      later: ["format", "paths", "images", "labels", "streams", "transforms"].map { (key: $0, instead: notYet) })
    let source = try reader.required("source")
    self.source = try source.text("source")
    let known = DatasetCatalog.all.map(\.name)
    guard known.contains(self.source) else {
      throw source.location.error(unknownName("data set", self.source, in: "data", known: known))
    }
    validation = .none
    if let value = reader.optional("validation") {
      guard case .scalar(let text, _) = value.content, text == Recipe.Validation.none.rawValue else {
        throw value.location.error(
          "a validation split is not available in this version. Use validation: none. Received: \(value.kindDescription)."
        )
      }
    }
  }
}

extension Recipe.Input {
  fileprivate init(_ entry: YAMLNode.Entry) throws {
    name = try checkedName(entry.key, "input", at: entry.location)
    let reader = try MappingReader(
      entry.value, "input '\(name)'", known: ["shape", "scale"],
      later: ["mean", "standard_deviation", "resize", "crop", "augment", "from"].map {
        (key: $0, instead: "Known keys: scale, shape.")
      })
    let shapeNode = try reader.required("shape")
    let sizes = try shapeNode.items("shape").map { try $0.integer("shape", in: 1...1 << 20) }
    shape = Shape(sizes)
    guard shape.isImage || shape.isVector, let count = shape.checkedElementCount, count <= maximumElements else {
      throw shapeNode.location.error(
        "shape must be [height, width, channels] or [count] with up to \(maximumElements) elements. Received: \(sizes)."
      )
    }
    scale = 1
    if let node = reader.optional("scale") {
      guard case .scalar(let text, isPlain: true) = node.content, let value = Scale(text) else {
        throw node.location.error(
          "scale must be a number or a fraction such as 1/255, and not 0. Received: \(node.kindDescription).")
      }
      scale = value
    }
  }
}

extension Recipe.Task {
  fileprivate init(_ entry: YAMLNode.Entry) throws {
    name = try checkedName(entry.key, "task", at: entry.location)
    let reader = try MappingReader(
      entry.value, "task '\(name)'", known: ["labels", "map", "classes"],
      later: ["target", "mask", "kind", "ignore", "parent"].map {
        (key: $0, instead: "Every task is a classification: use labels.")
      })
    labels = try reader.required("labels").text("labels")
    groups = try reader.optional("map").map { try Self.groups($0, of: entry.key) }
    classes = nil
    guard let node = reader.optional("classes") else { return }
    guard groups == nil else {
      throw node.location.error("task '\(name)' has both map and classes. The keys of map are its classes.")
    }
    let names = try node.items("classes").map { try $0.text("a class name") }
    guard names.count >= 2, Set(names).count == names.count else {
      throw node.location.error("classes must be a list of 2 or more different names. Received: \(names.count) names.")
    }
    classes = names
  }

  private static func groups(_ node: YAMLNode, of task: String) throws -> [Recipe.Group] {
    var owner: [Int: String] = [:]
    let groups = try node.entries("map").map { entry in
      Recipe.Group(
        name: entry.key,
        labels: try entry.value.items("'\(entry.key)' in map").map { item in
          let label = try item.integer("a label in '\(entry.key)'", in: 0...Int(Int32.max))
          if let other = owner.updateValue(entry.key, forKey: label) {
            throw item.location.error(
              other == entry.key
                ? "label \(label) is twice in '\(other)'. Keep one."
                : "label \(label) is in '\(other)' and in '\(entry.key)'. A label belongs to one class of task '\(task)'."
            )
          }
          return label
        })
    }
    guard groups.count >= 2 else {
      throw node.location.error("map of task '\(task)' has \(groups.count) classes. A classification needs 2 or more.")
    }
    return groups
  }
}

extension Recipe.ModelNode {
  fileprivate init(_ entry: YAMLNode.Entry) throws {
    name = try checkedName(entry.key, "node", at: entry.location)
    let reader = try MappingReader(entry.value, "node '\(name)'", known: ["from", "layers"])
    from = try reader.required("from").reference("from")
    layers = try RecipeLayer.list(try reader.required("layers"), of: "node '\(name)'")
  }
}

extension Recipe.Head {
  fileprivate init(_ entry: YAMLNode.Entry) throws {
    name = entry.key
    let reader = try MappingReader(
      entry.value, "head '\(name)'", known: ["from", "layers", "weight"],
      later: [
        (key: "loss", instead: "The loss follows from the task: softmax cross-entropy."),
        (key: "metrics", instead: "The metric follows from the task: accuracy."),
        (key: "class_weights", instead: "Every class has weight 1."),
      ])
    from = try reader.required("from").reference("from")
    layers = try reader.optional("layers").map { try RecipeLayer.list($0, of: "head '\(entry.key)'") } ?? []
    weight = try reader.optional("weight")?.number("weight", "a number of 0 or more") { $0 >= 0 } ?? 1
  }
}

extension YAMLNode {
  fileprivate func reference(_ name: String) throws -> String {
    if case .sequence = content {
      throw location.error("\(name) with several nodes is not available in this version. Name one node.")
    }
    return try text(name)
  }
}

extension Recipe.Training {
  fileprivate init(_ node: YAMLNode) throws {
    let reader = try MappingReader(
      node, "training", known: ["optimizer", "batch_size", "epochs", "seed", "report"],
      later: [
        (key: "precision", instead: "Training is in fp32."),
        (key: "early_stopping", instead: "Set epochs."),
        (key: "schedule", instead: "Set learning_rate in the optimizer."),
        (key: "gradient_clipping", instead: "Lower learning_rate in the optimizer."),
      ])
    self.init(
      optimizer: try reader.optional("optimizer").map(Self.optimizer) ?? .adam(),
      batchSize: try reader.optional("batch_size")?.integer("batch_size", in: 1...1 << 20) ?? 64,
      epochs: try reader.optional("epochs")?.integer("epochs", in: 1...1_000_000) ?? 10,
      seed: try reader.optional("seed")?.seed("seed") ?? 0,
      report: try reader.optional("report")?.choice("report") ?? .none)
  }

  /// `adam`, or `adam: {learning_rate: 0.001}`.
  private static func optimizer(_ node: YAMLNode) throws -> Optimizer {
    var name: String
    var location = node.location
    var settings = YAMLNode(content: .mapping([]), location: node.location)
    if case .mapping(let entries) = node.content {
      guard let entry = entries.first, entries.count == 1 else {
        throw node.location.error("optimizer names one optimizer. Received: \(entries.count) keys.")
      }
      (name, location) = (entry.key, entry.location)
      if !entry.value.isNothing { settings = entry.value }
    } else {
      name = try node.text("optimizer")
    }
    func setting(_ reader: MappingReader, _ key: String, _ standard: Float, below limit: Float?, orZero: Bool) throws
      -> Float
    {
      let range = limit.map { "a number from 0 to less than \(shortText($0))" } ?? "a number above 0"
      return try reader.optional(key)?.number(key, range) { ($0 > 0 || (orZero && $0 == 0)) && $0 < limit ?? .infinity }
        ?? standard
    }
    switch name {
    case "adam":
      let reader = try MappingReader(settings, name, known: ["learning_rate", "beta1", "beta2", "epsilon"])
      return .adam(
        learningRate: try setting(reader, "learning_rate", 1e-3, below: nil, orZero: false),
        beta1: try setting(reader, "beta1", 0.9, below: 1, orZero: true),
        beta2: try setting(reader, "beta2", 0.999, below: 1, orZero: true),
        epsilon: try setting(reader, "epsilon", 1e-7, below: nil, orZero: false))
    case "sgd":
      let reader = try MappingReader(settings, name, known: ["learning_rate", "momentum"])
      return .sgd(
        learningRate: try setting(reader, "learning_rate", 0.01, below: nil, orZero: false),
        momentum: try setting(reader, "momentum", 0, below: 1, orZero: true))
    default:
      throw location.error(unknownName("optimizer", name, in: "training", known: ["adam", "sgd"]))
    }
  }
}
