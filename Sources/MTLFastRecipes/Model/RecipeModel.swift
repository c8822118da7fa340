// SPDX-License-Identifier: Apache-2.0
// From a recipe to the model graph.

import MTLFast

/// The most elements that one sample's tensor may have.
let maximumElements = 1 << 28

extension Recipe {
  /// The model graph of this recipe.
  ///
  /// Nodes are named `trunk.conv2d_1` and `item.dense_1`, counted per kind; each head ends in `item.logits` (`.output` of
  /// numbers, `.masks` where a vector is reshaped). Nodes follow each other by dependency, otherwise in the order of the
  /// recipe.
  ///
  /// - Throws: `MTLFastError` for names that no node has, cycles, layers that don't fit their input, and for what only
  ///   the data tell: class names (see `withPublishedClasses`) and column lists.
  public func modelGraph() throws -> ModelGraph {
    try RecipeGraphBuilder(
      recipe: self, assumesClasses: false, located: { _, error in error }, report: { throw $0 }
    ).graph()
  }
}

/// A `from` of a recipe: a unit (input, node or head) and, after a dot, one of its layers.
struct NodeReference {
  let unit: String
  let layer: String?

  init(_ text: String) {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    unit = parts.first ?? ""
    layer = parts.count > 1 ? parts[1] : nil
  }
}

/// Builds the graph unit by unit: a unit is built once the units that it reads are there.
struct RecipeGraphBuilder {
  let recipe: Recipe
  /// Whether classes and columns that only the data tell are taken to be few: no shape but those of logits depends on
  /// them.
  let assumesClasses: Bool
  /// How many columns `columns: all` is taken to be where classes are assumed too.
  var assumedColumns = 1
  /// Adds the place of a recipe path (`heads`, `item`, `from`) to an error.
  let located: (_ path: [String], _ error: MTLFastError) -> any Error
  /// Takes a mistake: what doesn't depend on it is built on, unless this throws it.
  let report: (any Error) throws -> Void

  private struct Unit {
    let name: String
    let path: [String]
    let references: [NodeReference]
    let layers: [GraphLayer]
    let head: Recipe.Head?

    init(_ node: Recipe.ModelNode) {
      (name, path, layers, head) = (node.name, ["model", node.name], node.layers, nil)
      references = node.from.map(NodeReference.init)
    }

    init(_ head: Recipe.Head) {
      (name, path, layers, self.head) = (head.name, ["heads", head.name], head.layers, head)
      references = head.from.map(NodeReference.init)
    }

    /// The path of one of its references.
    func path(from index: Int) -> [String] { path + ["from", "\(index)"] }
  }

  func graph() throws -> ModelGraph {
    let units = recipe.nodes.map(Unit.init) + recipe.heads.map(Unit.init)
    var failed = try namesThatFail(units)
    if !recipe.heads.contains(where: { $0.weight > 0 }) {
      try report(
        located(
          ["heads"],
          MTLFastError(.usage, "the weight of every head is 0, so nothing would be learnt. Give one a weight above 0."))
      )
    }
    var graph = ModelGraph()
    for input in recipe.inputs {
      guard let shape = input.shape ?? (assumesClasses ? .vector(assumedColumns) : nil) else {
        throw MTLFastError(
          .usage, "Input '\(input.name)': its columns are found in the data. Name the data or list them in columns.")
      }
      try at(["inputs", input.name]) { _ = try graph.addInput(input.name, shape: shape) }
    }
    /// The last node of each unit built so far.
    var last = Dictionary(uniqueKeysWithValues: recipe.inputs.enumerated().map { ($1.name, $0) })
    var waiting = units.filter { !failed.contains($0.name) }
    while let index = waiting.firstIndex(where: { $0.references.allSatisfy { last[$0.unit] != nil } }) {
      let unit = waiting.remove(at: index)
      do {
        last[unit.name] = try add(unit, to: &graph, last: last)
      } catch {
        try report(error)
        failed.insert(unit.name)
      }
    }
    // What reads something that failed can't be told anything about.
    while let index = waiting.firstIndex(where: { $0.references.contains { failed.contains($0.unit) } }) {
      failed.insert(waiting.remove(at: index).name)
    }
    if let unit = waiting.first { try report(cycle(from: unit, among: waiting)) }

    for head in recipe.heads {
      guard let node = last[head.name] else { continue }
      do { try add(head, reading: node, to: &graph) } catch { try report(error) }
    }
    if failed.isEmpty, waiting.isEmpty {
      do {
        for (index, name) in recipe.training.freeze.enumerated() {
          try at(["training", "freeze", "\(index)"]) { _ = try graph.frozenNodes(named: [name]) }
        }
        try at(["training", "freeze"]) { _ = try graph.frozenNodes(named: recipe.training.freeze) }
      } catch {
        try report(error)
      }
    }
    return graph
  }

  private func add(_ head: Recipe.Head, reading node: Int, to graph: inout ModelGraph) throws {
    let path = ["heads", head.name]
    let task = try at(path) { try self.task(of: head) }
    let isKnown = recipe.tasks.contains { $0.name == head.name && $0.headTask != nil }
    let weights = try at(path + ["class_weights"]) {
      guard isKnown else { return [Float]?.none }
      do { return try head.classWeights?.list(for: task, of: head.name) } catch let error as MTLFastError {
        // Of classes that the data told: there is no line to name.
        throw assumesClasses ? error : MTLFastError(error.kind, "Recipe '\(recipe.name)': \(error.message)")
      }
    }
    try at(path) { try graph.addHead(modelHead(head, reading: node, task: task, classWeights: weights)) }
  }

  /// Checks a recipe as far as it can be without its data: a reshape or a sum that depends on how many columns
  /// `columns: all` are is left to the graph of the resolved recipe.
  static func check(
    _ recipe: Recipe, _ mistakes: Mistakes, located: (_ path: [String], _ message: String) -> RecipeMistake
  ) throws {
    func findings(assumedColumns count: Int) throws -> [(path: [String], mistake: RecipeMistake)] {
      var found: [(path: [String], mistake: RecipeMistake)] = []
      try withoutActuallyEscaping(located) { located in
        var paths: [RecipeMistake: [String]] = [:]
        let builder = RecipeGraphBuilder(
          recipe: recipe, assumesClasses: true, assumedColumns: count,
          located: { path, error in
            let mistake = located(path, error.message)
            paths[mistake] = path
            return mistake
          },
          report: { error in
            guard let mistake = error as? RecipeMistake else { throw error }
            found.append((paths[mistake] ?? [], mistake))
          })
        do { _ = try builder.graph() } catch let mistake as RecipeMistake {
          found.append((paths[mistake] ?? [], mistake))
        }
      }
      return found
    }
    let first = try findings(assumedColumns: 1)
    guard !first.isEmpty else { return }
    // What is wrong whatever the count is told in the same words.
    let second =
      recipe.inputs.contains { $0.shape == nil } ? Set(try findings(assumedColumns: 2).map(\.mistake)) : nil
    for (path, mistake) in first {
      if let second, recipe.fitDependsOnCounts(at: path), !second.contains(mistake) { continue }
      mistakes.add(mistake)
    }
  }

  /// Units that can't be built since their own name or one that they read is wrong, which is reported.
  private func namesThatFail(_ units: [Unit]) throws -> Set<String> {
    var failed: Set<String> = []
    var taken = Set(recipe.inputs.map(\.name))
    var ambiguous: Set<String> = []
    for unit in units where !taken.insert(unit.name).inserted {
      failed.insert(unit.name)
      ambiguous.insert(unit.name)
      try report(
        located(
          unit.path,
          MTLFastError(.usage, "'\(unit.name)' names two of inputs, model and heads. Give each its own name.")))
    }
    for unit in units {
      if unit.references.contains(where: { ambiguous.contains($0.unit) }) { failed.insert(unit.name) }
      for (index, reference) in unit.references.enumerated() where !taken.contains(reference.unit) {
        failed.insert(unit.name)
        try report(
          located(
            unit.path(from: index),
            MTLFastError(.usage, unknownName("node", reference.unit, in: "from", known: Array(taken)))))
      }
    }
    return failed
  }

  /// Adds a unit's layers and returns its last node.
  private func add(_ unit: Unit, to graph: inout ModelGraph, last: [String: Int]) throws -> Int {
    var nodes = try unit.references.indices.map { try source($0, of: unit, in: graph, last: last) }
    var counts: [String: Int] = [:]
    for (index, entry) in unit.layers.enumerated() {
      let kind = type(of: entry.layer).kind
      let count = (counts[kind] ?? 0) + 1
      counts[kind] = count
      try at(unit.path + ["layers", "\(index)"]) { () -> Void in
        let node = try graph.add(entry.layer, named: "\(unit.name).\(kind)_\(count)", reading: nodes)
        nodes = [node]
        let shape = graph.nodes[node].shape
        guard shape.elementCount <= maximumElements else {
          throw MTLFastError(
            .usage,
            "Node '\(graph.nodes[node].name)': its output \(shape) has more than \(maximumElements) elements for one sample."
          )
        }
      }
    }
    guard let node = nodes.first, nodes.count == 1 else {
      throw located(
        unit.path + ["from"],
        MTLFastError(
          .usage, "'\(unit.name)' reads \(nodes.count) nodes. Begin its layers with concatenate, add or multiply."))
    }
    guard let head = unit.head else { return node }
    var output = node
    try at(unit.path) {
      output = try graph.addOutput(
        try task(of: head), loss: head.loss, named: head.name, reading: node, maskSize: maskSize(of: head))
    }
    return output
  }

  /// The node that a unit's reference means.
  private func source(_ index: Int, of unit: Unit, in graph: ModelGraph, last: [String: Int]) throws -> Int {
    let path = unit.path(from: index)
    let name = unit.references[index].unit
    guard let layer = unit.references[index].layer else {
      if let head = recipe.heads.first(where: { $0.name == name }) {
        let end =
          if case .values? = recipe.tasks.first(where: { $0.name == head.name })?.target { "output" } else { "logits" }
        throw located(path, MTLFastError(.usage, "'\(name)' is a head. Name the node that is meant: '\(name).\(end)'."))
      }
      return last[name] ?? 0
    }
    guard let node = graph.index(of: "\(name).\(layer)") else {
      let known = graph.nodes.map(\.name).filter { $0.hasPrefix("\(name).") }
      throw located(path, MTLFastError(.usage, unknownName("node", "\(name).\(layer)", in: "from", known: known)))
    }
    return node
  }

  private func task(of head: Recipe.Head) throws -> Head.Task {
    guard let task = recipe.tasks.first(where: { $0.name == head.name }) else {
      throw MTLFastError(.usage, "Head '\(head.name)': the recipe has no task of that name.")
    }
    if let known = task.headTask { return known }
    guard assumesClasses else {
      throw MTLFastError(
        .usage,
        "Head '\(head.name)': the classes of its task are found in the data. Name the data or list them in classes.")
    }
    if case .mask = task.target { return .segmentation(classNames: ["0", "1"]) }
    return .classification(classNames: ["0", "1"])
  }

  /// The size of the only image that a head depends on.
  private func maskSize(of head: Recipe.Head) -> (height: Int, width: Int)? {
    let images = recipe.inputs(of: head).compactMap(\.shape).filter(\.isImage)
    return images.count == 1 ? images.first.map { ($0.height, $0.width) } : nil
  }

  private func modelHead(
    _ head: Recipe.Head, reading node: Int, task modelTask: Head.Task, classWeights: [Float]?
  ) -> Head {
    let task = recipe.tasks.first { $0.name == head.name }
    // Of assumed classes only the loss can be checked.
    guard task?.headTask != nil else {
      return Head(name: head.name, logits: node, task: modelTask, loss: head.loss, weight: head.weight)
    }
    var hierarchy: ClassHierarchy?
    var metrics = head.metrics
    if case .labels(let labels) = task?.target, let parent = labels.parent {
      hierarchy = parent.classes.map { ClassHierarchy(parent: parent.task, parents: $0) }
      // The parents are still to be found in the data.
      if hierarchy == nil { metrics = metrics?.filter { $0 != .consistency } }
    }
    return Head(
      name: head.name, logits: node, task: modelTask, loss: head.loss, weight: head.weight,
      labelSmoothing: head.labelSmoothing, classWeights: classWeights,
      hierarchy: hierarchy, metrics: metrics)
  }

  private func cycle(from start: Unit, among waiting: [Unit]) -> any Error {
    func next(_ unit: Unit) -> Unit? {
      unit.references.lazy.compactMap { reference in waiting.first { $0.name == reference.unit } }.first
    }
    var names = [start.name]
    var unit = start
    while let following = next(unit) {
      let isClosed = names.contains(following.name)
      names.append(following.name)
      unit = following
      if isClosed { break }
    }
    // What leads into the cycle is not part of it.
    let loop = names.drop { $0 != names.last }
    return located(
      start.path + ["from"],
      MTLFastError(
        .usage, "nodes read each other in a circle: \(loop.joined(separator: " reads ")). Let one read an input."))
  }

  private func at<Result>(_ path: [String], _ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as MTLFastError { throw located(path, error) }
  }
}

extension Recipe {
  /// Whether the path is that of a layer whose fit depends on numbers of elements.
  fileprivate func fitDependsOnCounts(at path: [String]) -> Bool {
    guard path.count == 4, path[2] == "layers", let index = Int(path[3]) else { return false }
    let layers =
      path[0] == "model"
      ? nodes.first { $0.name == path[1] }?.layers : heads.first { $0.name == path[1] }?.layers
    guard let layers, layers.indices.contains(index) else { return false }
    return layers[index].layer is Reshape || layers[index].layer is any MergeLayer
  }
}

extension Recipe.ClassWeights {
  /// A weight for each class; nil while they are to be counted in the data.
  func list(for task: Head.Task, of head: String) throws -> [Float]? {
    switch self {
    case .automatic: return nil
    case .list(let weights): return weights
    case .named(let weights):
      let names = if case .masks = task { ["0", "1"] } else { task.names }
      if let other = weights.first(where: { !names.contains($0.name) }) {
        throw MTLFastError(
          .badData, "Head '\(head)': " + unknownName("class name", other.name, in: "class_weights", known: names))
      }
      return names.map { name in weights.first { $0.name == name }?.weight ?? 1 }
    }
  }
}
