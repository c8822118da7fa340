// SPDX-License-Identifier: Apache-2.0
// A model graph with its parameters.

import Files
import Kernels

/// A graph and the values of its parameters, in plain layout.
///
/// ```swift
/// let model = try MultiTaskModel(
///   input: .image(height: 28, width: 28, channels: 1),
///   trunk: [Conv2D(filters: 32, kernelSize: 3, activation: .relu), MaxPool2D(poolSize: 2), Flatten()],
///   heads: [.classification("item", classes: 10, weight: 0.5), .classification("group", classes: 3, weight: 0.5)],
///   seed: 7)
/// ```
public final class MultiTaskModel {
  /// One parameter tensor.
  public struct Parameter: Sendable {
    /// `trunk.conv2d_1.kernel`
    public let name: String
    public let node: Int
    public let specification: ParameterSpecification
    /// Plain layout, row-major.
    public var values: [Float]
  }

  public let graph: ModelGraph
  public let seed: UInt64
  /// In the order of the nodes; kernel before bias.
  public internal(set) var parameters: [Parameter]

  /// Draws the initial weights, each keyed by (seed, parameter name): adding a head changes no other weight.
  public init(graph: ModelGraph, seed: UInt64) throws {
    guard !graph.heads.isEmpty else {
      throw MTLFastError(.usage, "The model has no heads. Add at least one task.")
    }
    guard graph.heads.contains(where: { $0.weight > 0 }) else {
      throw MTLFastError(
        .usage, "The weight of every head is 0, so nothing would be learnt. Give one a weight above 0.")
    }
    try graph.checkHierarchies()
    // Weights, two optimizer slots and up to 16 gradients of each must stay countable, and in memory.
    let limit = 1 << 31
    var total = 0
    for (name, _, specification) in graph.parameterSpecifications {
      let count = specification.dimensions.reduce((partialValue: 1, overflow: false)) { product, dimension in
        let next = product.partialValue.multipliedReportingOverflow(by: dimension)
        return (next.partialValue, next.overflow || product.overflow)
      }
      guard !count.overflow, count.partialValue <= limit - total else {
        throw MTLFastError(
          .usage,
          "Parameter '\(name)' of shape \(specification.dimensions) brings the model above \(limit) weights. Use fewer units, filters or inputs."
        )
      }
      total += count.partialValue
    }
    // Weights, packed weights and their optimizer's slots, and both again while a checkpoint is written.
    try Memory.require(
      total * 10 * MemoryLayout<Float>.stride, for: "A model of \(total) weights",
      remedy: "Use fewer units, filters or inputs.")
    self.graph = graph
    self.seed = seed
    parameters = graph.parameterSpecifications.map { name, node, specification in
      let limit = specification.initializer.limit(fanIn: specification.fanIn, fanOut: specification.fanOut)
      let values =
        limit == 0
        ? [Float](repeating: specification.initializer == .ones ? 1 : 0, count: specification.elementCount)
        : RandomStream(seed: seed, purpose: name).uniform(count: specification.elementCount, limit: limit)
      return Parameter(name: name, node: node, specification: specification, values: values)
    }
  }

  /// A trunk that reads one input, and heads that read the trunk.
  public convenience init(input: Shape, trunk: [any Layer], heads: [HeadDescription], seed: UInt64) throws {
    var graph = ModelGraph()
    let trunkEnd = try graph.add(trunk, prefix: "trunk", reading: try graph.addInput("input", shape: input))
    for head in heads {
      var node = trunkEnd
      if !head.layers.isEmpty { node = try graph.add(head.layers, prefix: head.name, reading: node) }
      node = try graph.addOutput(
        head.task, loss: head.loss, named: head.name, reading: node,
        maskSize: input.isImage ? (input.height, input.width) : nil)
      try graph.addHead(Head(name: head.name, logits: node, task: head.task, loss: head.loss, weight: head.weight))
    }
    try self.init(graph: graph, seed: seed)
  }

  public subscript(parameter name: String) -> Parameter? { parameters.first { $0.name == name } }

  /// Replaces a parameter's values.
  ///
  /// - Throws: `MTLFastError` of kind `usage` for an unknown name or another number of values.
  public func setParameter(_ name: String, to values: [Float]) throws {
    guard let index = parameters.firstIndex(where: { $0.name == name }) else {
      throw MTLFastError(
        .usage, "The model has no parameter '\(name)'. It has \(parameters.map(\.name).joined(separator: ", ")).")
    }
    guard parameters[index].values.count == values.count else {
      throw MTLFastError(
        .usage,
        "Parameter '\(name)': \(values.count) values for the shape \(parameters[index].specification.dimensions) of \(parameters[index].values.count)."
      )
    }
    parameters[index].values = values
  }
}

/// What a head of the short form is.
public struct HeadDescription: Sendable {
  public let name: String
  public let task: Head.Task
  /// nil for the one that follows from the task.
  public let loss: Loss?
  /// Between the trunk and the output layer.
  public let layers: [any Layer]
  public let weight: Float

  public init(_ name: String, task: Head.Task, loss: Loss? = nil, layers: [any Layer] = [], weight: Float = 1) {
    self.name = name
    self.task = task
    self.loss = loss
    self.layers = layers
    self.weight = weight
  }

  /// A classification into `classes` classes; `layers` stand between the trunk and the output layer.
  public static func classification(
    _ name: String, classes: Int, layers: [any Layer] = [], weight: Float = 1
  ) -> HeadDescription {
    .classification(name, classNames: (0..<max(0, classes)).map(String.init), layers: layers, weight: weight)
  }

  public static func classification(
    _ name: String, classNames: [String], layers: [any Layer] = [], weight: Float = 1
  ) -> HeadDescription {
    HeadDescription(name, task: .classification(classNames: classNames), layers: layers, weight: weight)
  }

  /// Numbers for each sample.
  public static func regression(
    _ name: String, targets: [RegressionTarget], loss: Loss? = nil, layers: [any Layer] = [], weight: Float = 1
  ) -> HeadDescription {
    HeadDescription(name, task: .regression(targets), loss: loss, layers: layers, weight: weight)
  }

  /// A class for each pixel of an image as large as the input.
  public static func segmentation(
    _ name: String, classNames: [String], layers: [any Layer] = [], weight: Float = 1
  ) -> HeadDescription {
    HeadDescription(name, task: .segmentation(classNames: classNames), layers: layers, weight: weight)
  }

  /// Independent masks as large as the input.
  public static func masks(
    _ name: String, names: [String], loss: Loss? = nil, layers: [any Layer] = [], weight: Float = 1
  ) -> HeadDescription {
    HeadDescription(name, task: .masks(names: names), loss: loss, layers: layers, weight: weight)
  }
}

extension ModelGraph {
  /// Every parameter: its name, its node's index, what it is.
  public var parameterSpecifications: [(name: String, node: Int, specification: ParameterSpecification)] {
    nodes.indices.flatMap { index -> [(String, Int, ParameterSpecification)] in
      guard case .layer(let layer) = nodes[index].operation, let input = nodes[index].inputs.first else { return [] }
      return layer.layer.parameters(for: nodes[input].shape).map {
        ("\(nodes[index].name).\($0.role.rawValue)", index, $0)
      }
    }
  }
}
