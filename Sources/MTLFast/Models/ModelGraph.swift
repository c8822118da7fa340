// SPDX-License-Identifier: Apache-2.0
// The model as a graph of named nodes with any number of inputs and heads.

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
    case layer(any Layer)
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
    guard nodes.indices.contains(input) else { throw Self.unknownNode(input, count: nodes.count, of: "Node '\(name)'") }
    do {
      let shape = try layer.outputShape(for: nodes[input].shape)
      guard shape.checkedElementCount != nil else {
        throw MTLFastError(.usage, "output shape \(shape.dimensions) has a size that can't be held.")
      }
      return try append(Node(name: name, operation: .layer(layer), inputs: [input], shape: shape))
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

  /// Declares a head whose logits are `node`.
  public mutating func addHead(_ head: Head) throws {
    guard !heads.contains(where: { $0.name == head.name }) else {
      throw MTLFastError(.usage, "Head '\(head.name)' is declared twice. Give each head its own name.")
    }
    guard nodes.indices.contains(head.logits) else {
      throw Self.unknownNode(head.logits, count: nodes.count, of: "Head '\(head.name)'")
    }
    let shape = nodes[head.logits].shape
    switch head.task {
    case .classification(let classNames):
      guard shape == .vector(classNames.count) else {
        throw MTLFastError(
          .usage,
          "Head '\(head.name)': its logits are \(shape) but the task has \(classNames.count) classes. End the head in dense: \(classNames.count)."
        )
      }
      guard classNames.count >= 2 else {
        throw MTLFastError(
          .usage, "Head '\(head.name)': has \(classNames.count) classes. A classification needs 2 or more.")
      }
    }
    guard head.weight >= 0, head.weight.isFinite else {
      throw MTLFastError(.usage, "Head '\(head.name)': weight is \(head.weight). Use a finite number, 0 or more.")
    }
    heads.append(head)
  }

  public func index(of name: String) -> Int? { nodes.firstIndex { $0.name == name } }

  private static func unknownNode(_ index: Int, count: Int, of reader: String) -> MTLFastError {
    MTLFastError(
      .usage, "\(reader): reads node \(index) but the graph has \(count) nodes. Use what addInput or add returned.")
  }

  private mutating func append(_ node: Node) throws -> Int {
    guard index(of: node.name) == nil else {
      throw MTLFastError(.usage, "Node '\(node.name)' is declared twice. Give each node its own name.")
    }
    nodes.append(node)
    return nodes.count - 1
  }
}

/// One task's output: the node of its logits, what is to be learnt, and the weight of its loss.
public struct Head: Sendable {
  public let name: String
  /// Index of the node that holds the logits.
  public let logits: Int
  public let task: Task
  /// The factor of this head's loss in the sum.
  public var weight: Float

  public init(name: String, logits: Int, task: Task, weight: Float = 1) {
    self.name = name
    self.logits = logits
    self.task = task
    self.weight = weight
  }

  public enum Task: Sendable, Hashable {
    /// Integer labels, 0-based; softmax cross-entropy on the logits; -1 is a missing label.
    case classification(classNames: [String])
  }
}
