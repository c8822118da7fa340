// SPDX-License-Identifier: Apache-2.0
// From a recipe and its class names to the model graph.

import MTLFast

/// The most elements that one sample's tensor may have.
let maximumElements = 1 << 28

extension Recipe {
  /// The model graph of this recipe.
  ///
  /// Nodes are named `trunk.conv2d_1` and `item.dense_1`, counted per kind; each head ends in `item.logits`, a dense
  /// layer with one unit for each class. Nodes follow each other by dependency, otherwise in the order of the recipe.
  ///
  /// - Parameter classNames: by task.
  /// - Throws: `MTLFastError` for names that no node has, cycles, and layers that don't fit their input.
  public func modelGraph(classNames: [String: [String]]) throws -> ModelGraph {
    try RecipeGraphBuilder(recipe: self, classNames: classNames) { _, error in error }.graph()
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

/// Builds the graph unit by unit: a unit is built once the unit that it reads is there.
struct RecipeGraphBuilder {
  let recipe: Recipe
  let classNames: [String: [String]]
  /// Adds the place of a recipe path (`heads`, `item`, `from`) to an error.
  let located: (_ path: [String], _ error: MTLFastError) -> MTLFastError

  private struct Unit {
    let name: String
    let path: [String]
    let reference: NodeReference
    let layers: [RecipeLayer]
    let isHead: Bool
  }

  func graph() throws -> ModelGraph {
    let units =
      recipe.nodes.map {
        Unit(
          name: $0.name, path: ["model", $0.name], reference: NodeReference($0.from), layers: $0.layers, isHead: false)
      }
      + recipe.heads.map {
        Unit(
          name: $0.name, path: ["heads", $0.name], reference: NodeReference($0.from), layers: $0.layers, isHead: true)
      }
    try checkNames(units)

    var graph = ModelGraph()
    for input in recipe.inputs {
      try at(["inputs", input.name]) { _ = try graph.addInput(input.name, shape: input.shape) }
    }
    /// The last node of each unit built so far.
    var last = Dictionary(uniqueKeysWithValues: recipe.inputs.enumerated().map { ($1.name, $0) })
    var waiting = units
    while let index = waiting.firstIndex(where: { last[$0.reference.unit] != nil }) {
      let unit = waiting.remove(at: index)
      last[unit.name] = try add(unit, to: &graph, last: last)
    }
    if let unit = waiting.first { throw cycle(from: unit, among: waiting) }

    for head in recipe.heads {
      guard let logits = last[head.name], let names = classNames[head.name] else { continue }
      try at(["heads", head.name]) {
        try graph.addHead(
          Head(name: head.name, logits: logits, task: .classification(classNames: names), weight: head.weight))
      }
    }
    return graph
  }

  private func checkNames(_ units: [Unit]) throws {
    var taken = Set(recipe.inputs.map(\.name))
    for unit in units where !taken.insert(unit.name).inserted {
      throw located(
        unit.path,
        MTLFastError(.usage, "'\(unit.name)' names two of inputs, model and heads. Give each its own name."))
    }
    for unit in units where !taken.contains(unit.reference.unit) {
      throw located(
        unit.path + ["from"],
        MTLFastError(.usage, unknownName("node", unit.reference.unit, in: "from", known: Array(taken))))
    }
    for unit in units where unit.isHead && classNames[unit.name] == nil {
      throw located(unit.path, MTLFastError(.usage, "Head '\(unit.name)': the class names of its task are not known."))
    }
  }

  /// Adds a unit's layers and returns its last node.
  private func add(_ unit: Unit, to graph: inout ModelGraph, last: [String: Int]) throws -> Int {
    var node = try source(of: unit, in: graph, last: last)
    var counts: [String: Int] = [:]
    for (index, entry) in unit.layers.enumerated() {
      let kind = type(of: entry.layer).kind
      let count = (counts[kind] ?? 0) + 1
      counts[kind] = count
      try at(unit.path + ["layers", "\(index)"]) {
        node = try graph.add(entry.layer, named: "\(unit.name).\(kind)_\(count)", reading: node)
        let shape = graph.nodes[node].shape
        guard shape.elementCount <= maximumElements else {
          throw MTLFastError(
            .usage,
            "Node '\(graph.nodes[node].name)': its output \(shape) has more than \(maximumElements) elements for one sample."
          )
        }
      }
    }
    if unit.isHead, let names = classNames[unit.name] {
      try at(unit.path) { node = try graph.add(Dense(units: names.count), named: "\(unit.name).logits", reading: node) }
    }
    return node
  }

  /// The node that a unit reads.
  private func source(of unit: Unit, in graph: ModelGraph, last: [String: Int]) throws -> Int {
    let path = unit.path + ["from"]
    let name = unit.reference.unit
    guard let layer = unit.reference.layer else {
      if recipe.heads.contains(where: { $0.name == name }) {
        throw located(path, MTLFastError(.usage, "'\(name)' is a head. Name the node that is meant: '\(name).logits'."))
      }
      return last[name] ?? 0
    }
    guard let node = graph.index(of: "\(name).\(layer)") else {
      let known = graph.nodes.map(\.name).filter { $0.hasPrefix("\(name).") }
      throw located(path, MTLFastError(.usage, unknownName("node", "\(name).\(layer)", in: "from", known: known)))
    }
    return node
  }

  private func cycle(from start: Unit, among waiting: [Unit]) -> MTLFastError {
    var names = [start.name]
    var unit = start
    while let next = waiting.first(where: { $0.name == unit.reference.unit }) {
      let isClosed = names.contains(next.name)
      names.append(next.name)
      unit = next
      if isClosed { break }
    }
    // What leads into the cycle is not part of it.
    let loop = names.drop { $0 != names.last }
    return located(
      start.path + ["from"],
      MTLFastError(
        .usage, "nodes read each other in a circle: \(loop.joined(separator: " reads ")). Let one read an input."))
  }

  private func at(_ path: [String], _ body: () throws -> Void) throws {
    do { try body() } catch let error as MTLFastError { throw located(path, error) }
  }
}
