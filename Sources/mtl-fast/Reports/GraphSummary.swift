// SPDX-License-Identifier: Apache-2.0
// A model graph as a table: each layer's output shape, parameters and FLOPs, and what each head learns.

import MTLFast
import MTLFastRecipes
import MTLFastTraining

/// What `summary` and `train --dry-run` say about a model.
struct GraphSummary {
  struct Layer {
    let name: String
    let settings: String
    let shape: Shape
    let parameters: Int
    /// Of one sample's forward pass.
    let forwardFlops: Int
    /// Forward, weight gradient, and input gradient where something before has weights.
    let trainingFlops: Int
    let isInput: Bool
  }

  let recipe: Recipe
  let layers: [Layer]
  let heads: [Head]

  init(_ graph: ModelGraph, of recipe: Recipe) {
    self.recipe = recipe
    heads = graph.heads
    var hasWeightsBefore: [Bool] = []
    var layers: [Layer] = []
    for node in graph.nodes {
      switch node.operation {
      case .input:
        let scale = recipe.inputs.first { $0.name == node.name }?.scale
        hasWeightsBefore.append(false)
        layers.append(
          Layer(
            name: node.name, settings: scale.map { "input x \($0)" } ?? "input", shape: node.shape, parameters: 0,
            forwardFlops: 0, trainingFlops: 0, isInput: true))
      case .layer(let held):
        let layer = held.layer
        let input = node.inputs.first.map { graph.nodes[$0].shape } ?? node.shape
        let parameters = layer.parameters(for: input).reduce(0) { $0 + $1.elementCount }
        let needsInputGradient = node.inputs.contains { hasWeightsBefore[$0] }
        hasWeightsBefore.append(parameters > 0 || needsInputGradient)
        let forward = layer.forwardFlops(for: input)
        layers.append(
          Layer(
            name: node.name, settings: layer.settings, shape: node.shape, parameters: parameters,
            forwardFlops: forward, trainingFlops: forward * (needsInputGradient ? 3 : 2), isInput: false))
      }
    }
    self.layers = layers
  }

  var parameters: Int { layers.reduce(0) { $0 + $1.parameters } }
  var forwardFlops: Int { layers.reduce(0) { $0 + $1.forwardFlops } }
  var trainingFlops: Int { layers.reduce(0) { $0 + $1.trainingFlops } }

  var text: String {
    var table = TextTable([
      ("layer", .left), ("settings", .left), ("output", .left), ("parameters", .right), ("forward FLOPs", .right),
    ])
    for layer in layers {
      table.add([
        layer.name, layer.settings, "\(layer.shape)", layer.isInput ? "" : grouped(layer.parameters),
        layer.isInput ? "" : grouped(layer.forwardFlops),
      ])
    }
    table.add(["total", "", "", grouped(parameters), grouped(forwardFlops)])

    var headTable = TextTable([
      ("head", .left), ("learns", .left), ("loss", .left), ("weight", .right),
    ])
    for head in heads {
      headTable.add([
        head.name, Self.taskText(head.task), Self.lossText(head), fixed(Double(head.weight), 3),
      ])
    }
    var metricTable = TextTable([("head", .left), ("metrics", .left)])
    for head in heads { metricTable.add([head.name, head.metrics.map(\.title).joined(separator: ", ")]) }
    let training = recipe.training
    return """
      \(recipe.name)

      \(table.text)

      \(headTable.text)

      \(metricTable.text)

      A training step takes \(grouped(trainingFlops)) FLOPs a sample.
      \(training.optimizer); batches of \(training.batchSize), \(training.epochs) epochs, seed \(training.seed).
      """
  }

  var json: JSONValue {
    .object([
      "recipe": .string(recipe.name), "parameters": .integer(parameters), "forward_flops": .integer(forwardFlops),
      "training_flops": .integer(trainingFlops),
      "layers": .array(
        layers.map {
          .object([
            "name": .string($0.name), "settings": .string($0.settings),
            "output": .array($0.shape.dimensions.map { .integer($0) }), "parameters": .integer($0.parameters),
            "forward_flops": .integer($0.forwardFlops),
          ])
        }),
      "heads": .array(
        heads.map {
          .object([
            "name": .string($0.name), "task": .string($0.task.kind),
            "classes": .array($0.task.names.map { .string($0) }), "loss": .string($0.loss.name),
            "metrics": .array($0.metrics.map { .string($0.name) }), "weight": .number(Double($0.weight)),
          ])
        }),
    ])
  }

  /// The number of classes, masks or values, and their names where they fit.
  private static func taskText(_ task: Head.Task) -> String {
    let names = task.names
    let list = names.joined(separator: ", ")
    let shown = list.count <= 32 ? list : "\(names[0]), ... \(names[names.count - 1])"
    return "\(names.count) \(names.count == 1 ? task.unit : task.units): \(shown)"
  }

  private static func lossText(_ head: Head) -> String {
    var text = String(head.loss.name.map { $0 == "_" ? " " : $0 })
    if case .huber(let delta) = head.loss { text += " \(delta)" }
    if head.labelSmoothing > 0 { text += ", smoothing \(head.labelSmoothing)" }
    if head.classWeights != nil { text += ", class weights" }
    return text
  }
}

extension Head.Task {
  fileprivate var kind: String {
    switch self {
    case .classification: "classification"
    case .regression: "regression"
    case .segmentation: "segmentation"
    case .masks: "masks"
    }
  }

  fileprivate var unit: String {
    switch self {
    case .classification: "class"
    case .regression: "value"
    case .segmentation: "class of pixels"
    case .masks: "mask"
    }
  }

  fileprivate var units: String {
    switch self {
    case .classification: "classes"
    case .regression: "values"
    case .segmentation: "classes of pixels"
    case .masks: "masks"
    }
  }
}
