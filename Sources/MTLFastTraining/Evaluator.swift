// SPDX-License-Identifier: Apache-2.0
// Scores and predicts with a model's weights as they are.

import Kernels
import MTLFast
import MTLFastData

/// Runs the forward pass over samples in order.
public final class Evaluator {
  private let runner: StepRunner
  private let graph: ModelGraph
  private let batchSize: Int
  private let probabilities: [Int]
  private let isPrediction: Bool
  private let order: UnsafeMutableBufferPointer<Int32>

  init(
    graph: ModelGraph, store: ParameterStore, context: KernelContext, batchSize: Int, predicts: Bool = false
  ) throws {
    let lowering = try PlanLowering(graph: graph, purpose: predicts ? .prediction : .evaluation)
    self.graph = graph
    self.batchSize = batchSize
    isPrediction = predicts
    probabilities = lowering.probabilities
    runner = StepRunner(
      plan: try CompiledPlan(lowering.program, store: store, batchCapacity: batchSize), graph: graph, context: context)
    order = .allocate(capacity: batchSize)
    order.initialize(repeating: 0)
  }

  deinit { order.deallocate() }

  /// Scores or predicts with the weights of a model.
  ///
  /// - Parameter predicts: true to call `predict`, false to call `evaluate`.
  public convenience init(
    _ model: MultiTaskModel, batchSize: Int = 200, threads: Int? = nil, predicts: Bool = false
  ) throws {
    let context = try KernelContext(threads: threads)
    let store = try ParameterStore(
      model: model, optimizer: nil, context: context, gradient: { _ in .fused }, needsTransposed: { _ in false })
    try self.init(graph: model.graph, store: store, context: context, batchSize: batchSize, predicts: predicts)
  }

  /// Loss and accuracy of every task over all samples.
  public func evaluate(_ samples: Samples) throws -> Scores {
    runner.resetSums()
    try runAll(samples, at: Array(0..<samples.count))
    return runner.scores(runner.sums)
  }

  /// Class probabilities of the samples at `indices`: for each head, for each sample, [classes].
  ///
  /// A sample's probabilities are the same bits in a batch of any size.
  public func predict(_ samples: Samples, at indices: [Int]) throws -> [(head: String, probabilities: [[Float]])] {
    guard isPrediction else { throw MTLFastError(.usage, "This evaluator was made to evaluate, not to predict.") }
    if let index = indices.first(where: { $0 < 0 || $0 >= samples.count }) {
      throw MTLFastError(.usage, "\(samples.name): there is no sample \(index). Use 0...\(samples.count - 1).")
    }
    var results: [[[Float]]] = graph.heads.map { _ in [] }
    try runAll(samples, at: indices) { count in
      for head in graph.heads.indices {
        guard let (base, stride) = runner.plan.samples(of: probabilities[head]) else { continue }
        let classes = graph.nodes[graph.heads[head].logits].shape.elementCount
        for row in 0..<count {
          results[head].append(Array(UnsafeBufferPointer(start: base + row * stride, count: classes)))
        }
      }
    }
    return zip(graph.heads, results).map { ($0.name, $1) }
  }

  /// Calls `body` with the size of each minibatch when it has run.
  private func runAll(_ samples: Samples, at indices: [Int], body: (_ count: Int) -> Void = { _ in }) throws {
    guard let rows = order.baseAddress else { return }
    try runner.bind(samples) { bound in
      for first in stride(from: 0, to: indices.count, by: batchSize) {
        let size = min(batchSize, indices.count - first)
        for row in 0..<size { rows[row] = Int32(indices[first + row]) }
        try runner.run(bound, indices: rows, count: size, epoch: 0, optimizerStep: 1)
        body(size)
      }
    }
  }
}
