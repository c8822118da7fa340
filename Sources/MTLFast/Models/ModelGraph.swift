// SPDX-License-Identifier: Apache-2.0
// The model as a graph of named nodes with any number of inputs and heads.

import Files

/// A graph of named nodes, checked when it is built: every node's shape is known afterwards.
///
/// Nodes are in topological order: a node reads nodes that stand before it.
public struct ModelGraph: Sendable {
  public struct Node: Sendable {
    /// Unique, the key of its parameters: `trunk.conv2d_1`.
    public let name: String
    public let operation: Operation
    /// Indices of the nodes that it reads.
    public let inputs: [Int]
    public let shape: Shape
  }

  public enum Operation: Sendable {
    case input
    case layer(GraphLayer)
  }

  public private(set) var nodes: [Node] = []
  public private(set) var heads: [Head] = []

  public init() {}

  /// Adds an input and returns its node.
  public mutating func addInput(_ name: String, shape: Shape) throws -> Int {
    guard shape.isImage || shape.isVector, shape.checkedElementCount != nil else {
      throw MTLFastError(
        .usage, "Input '\(name)': shape \(shape.dimensions) is neither [K] nor [H, W, C] with positive sizes.")
    }
    return try append(Node(name: name, operation: .input, inputs: [], shape: shape))
  }

  /// Adds a layer that reads `input` and returns its node.
  public mutating func add(_ layer: any Layer, named name: String, reading input: Int) throws -> Int {
    try add(layer, named: name, reading: [input])
  }

  /// Adds a layer that reads one node, or a merge layer that reads several, and returns its node.
  public mutating func add(_ layer: any Layer, named name: String, reading inputs: [Int]) throws -> Int {
    for input in inputs where !nodes.indices.contains(input) {
      throw MTLFastError(
        .usage,
        "Node '\(name)': reads node \(input) but the graph has \(nodes.count) nodes. Use what addInput or add returned."
      )
    }
    do {
      let shapes = inputs.map { nodes[$0].shape }
      let shape: Shape
      if let merge = layer as? any MergeLayer {
        shape = try merge.outputShape(merging: shapes)
      } else if let first = shapes.first, shapes.count == 1 {
        shape = try layer.outputShape(for: first)
      } else {
        throw MTLFastError(
          .usage,
          "\(type(of: layer).kind): reads one node but was given \(inputs.count). Join them first with concatenate, add or multiply."
        )
      }
      guard shape.checkedElementCount != nil else {
        throw MTLFastError(.usage, "output shape \(shape.dimensions) has a size that can't be held.")
      }
      return try append(Node(name: name, operation: .layer(layer.graphLayer), inputs: inputs, shape: shape))
    } catch let error as MTLFastError {
      throw MTLFastError(error.kind, "Node '\(name)': \(error.message)")
    }
  }

  /// Adds layers one after the other; the names are `prefix.kind_n`, counted per kind. Returns the last node.
  public mutating func add(_ layers: [any Layer], prefix: String, reading input: Int) throws -> Int {
    var counts: [String: Int] = [:]
    var node = input
    for layer in layers {
      let kind = type(of: layer).kind
      counts[kind, default: 0] += 1
      node = try add(layer, named: "\(prefix).\(kind)_\(counts[kind] ?? 1)", reading: node)
    }
    return node
  }

  mutating func append(_ head: Head) { heads.append(head) }

  public func index(of name: String) -> Int? { nodes.firstIndex { $0.name == name } }

  private mutating func append(_ node: Node) throws -> Int {
    guard index(of: node.name) == nil else {
      throw MTLFastError(.usage, "Node '\(node.name)' is declared twice. Give each node its own name.")
    }
    nodes.append(node)
    return nodes.count - 1
  }
}

// MARK: What depends on what

extension ModelGraph {
  /// A node and all that it reads, directly or through others.
  package func ancestors(of node: Int) -> Set<Int> {
    var found: Set<Int> = [node]
    for index in nodes.indices.reversed() where found.contains(index) { found.formUnion(nodes[index].inputs) }
    return found
  }

  /// The heads that depend on a node, as their places among all heads.
  package func heads(behind node: Int) -> [Int] {
    heads.indices.filter { ancestors(of: heads[$0].logits).contains(node) }
  }

  /// The names of the inputs that a node depends on, in the order of the graph.
  public func inputs(of node: Int) -> [String] {
    ancestors(of: node).sorted().compactMap {
      if case .input = nodes[$0].operation { nodes[$0].name } else { nil }
    }
  }
}
