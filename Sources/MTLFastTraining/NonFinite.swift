// SPDX-License-Identifier: Apache-2.0
// What to say when a training meets NaN or infinity, and where it began.

import Kernels
import MTLFast
import MTLFastStep

/// Where a step met a value that is not finite.
enum NonFinitePlace {
  case loss(head: Int)
  /// The gradient of a node's weights.
  case gradient(node: Int)
}

extension Trainer {
  /// - Parameter firstNode: looks for the node whose output was the first that is not finite.
  func nonFinite(_ place: NonFinitePlace, firstNode: () throws -> String?) -> MTLFastError {
    let cure = "Use a smaller learning rate or gradient_clipping, or check the inputs' scale."
    let position = "Step \(step) (epoch \(epoch + 1))"
    switch place {
    case .loss(let head):
      let found = (try? firstNode()) ?? nil
      let beginning = found.map { " The first output that is not is that of node '\($0)'." } ?? ""
      return MTLFastError(
        .nonFinite,
        "\(position): the loss of task '\(model.graph.heads[head].name)' is not a finite number.\(beginning) \(cure)")
    case .gradient(let node):
      let tasks = model.graph.heads.filter { model.graph.ancestors(of: $0.logits).contains(node) }.map(\.name)
      return MTLFastError(
        .nonFinite,
        "\(position): the gradient of node '\(model.graph.nodes[node].name)' is not finite, from the loss of \(tasks.count == 1 ? "task" : "tasks") '\(tasks.joined(separator: "', '"))'. \(cure)"
      )
    }
  }

  /// Runs a minibatch forward again with every output kept. The step ended at the loss, before the weights behind it changed;
  /// those of heads that ended earlier may have moved.
  ///
  /// - Returns: nil where everything is finite without dropout, and with the running statistics of normalisations.
  func firstNonFiniteNode(
    _ samples: Samples, rows: UnsafeBufferPointer<UnsafePointer<Int32>>, count: Int
  ) throws -> String? {
    var settings = StepSettings()
    settings.precision = precision
    let lowering = try Lowering(graph: model.graph, purpose: .evaluation, settings: settings)
    var program = lowering.program
    for value in lowering.value { if let value { program.kept.insert(program.storage(of: value)) } }
    let step = try CompiledStep(program, parameters: store, batchCapacity: count)
    let runner = StepRunner(step: step, graph: model.graph)
    try runner.bind(samples, seed: model.seed) {
      try runner.run(
        $0, rows: rows, count: count, epoch: epoch, optimizerStep: 1, lossWeights: model.graph.heads.map(\.weight))
    }
    for index in model.graph.nodes.indices {
      guard let value = lowering.value[index], step.holdsNonFinite(value, samples: count) else { continue }
      // A convolution that runs with its pool leaves the pool's output alone.
      let convolution = lowering.fusedPool.first { $0.value == index }?.key
      return model.graph.nodes[convolution ?? index].name
    }
    return nil
  }
}
