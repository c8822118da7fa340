// SPDX-License-Identifier: Apache-2.0
// Scores and predicts with a model's weights as they are.

import Kernels
import MTLFast
import MTLFastStep

/// Runs the forward pass over samples in order.
public final class Evaluator {
  private let runner: StepRunner
  private let graph: ModelGraph
  private let batchSize: Int
  private let results: [Int]
  private let isPrediction: Bool
  private let lossWeights: [Float]

  init(
    graph: ModelGraph, parameters: Parameters, batchSize: Int, predicts: Bool = false
  ) throws {
    let lowering = try Lowering(graph: graph, purpose: predicts ? .prediction : .evaluation)
    self.graph = graph
    self.batchSize = batchSize
    isPrediction = predicts
    results = lowering.results
    runner = StepRunner(
      step: try CompiledStep(lowering.program, parameters: parameters, batchCapacity: batchSize), graph: graph)
    lossWeights = graph.heads.map(\.weight)
  }

  /// Scores or predicts with the weights of a model.
  ///
  /// - Parameter predicts: true to call `predict`, false to call `evaluate`.
  public convenience init(
    _ model: MultiTaskModel, batchSize: Int = 200, threads: Int? = nil, predicts: Bool = false
  ) throws {
    let context = try KernelContext(threads: threads)
    let parameters = try Parameters(model: model, optimizer: nil, context: context)
    try self.init(graph: model.graph, parameters: parameters, batchSize: batchSize, predicts: predicts)
  }

  /// Loss and metrics of every task over all samples.
  ///
  /// - Parameter collectsConfusion: whether the scores of classes come with their confusion matrix.
  public func evaluate(_ samples: Samples, collectsConfusion: Bool = false) throws -> Scores {
    try evaluate(samples, confusionUpTo: collectsConfusion ? 4096 : 0)
  }

  /// - Parameter classes: the most classes that a head may have for its confusion matrix to be counted.
  func evaluate(_ samples: Samples, confusionUpTo classes: Int) throws -> Scores {
    guard !isPrediction else { throw MTLFastError(.usage, "This evaluator was made to predict, not to evaluate.") }
    try samples.check(against: graph)
    runner.collectConfusion(upTo: classes)
    runner.resetSums()
    try runAll(samples, at: Array(0..<samples.count))
    return runner.scores(runner.sums)
  }

  /// What the model says about the samples at `indices`: for each head, for each sample, the probabilities of its classes
  /// `[classes]`, of its pixels `[H, W, classes or masks]`, or the values of a regression `[K]` in their units.
  ///
  /// Heads that depend on inputs that the samples lack are left out; a sample whose stream has fewer rows has no values
  /// (an empty list) for the heads of that stream. A sample's result is the same bits in a batch of any
  /// size.
  public func predict(_ samples: Samples, at indices: [Int]) throws -> [(head: String, values: [[Float]])] {
    guard isPrediction else { throw MTLFastError(.usage, "This evaluator was made to evaluate, not to predict.") }
    if let index = indices.first(where: { $0 < 0 || $0 >= samples.count }) {
      throw MTLFastError(.usage, "\(samples.name): there is no sample \(index). Use 0...\(samples.count - 1).")
    }
    try samples.checkInputs(of: graph)
    let heads = graph.heads.indices.filter { index in
      graph.inputs(of: graph.heads[index].logits).allSatisfy { samples.input(named: $0) != nil }
    }
    guard !heads.isEmpty else {
      let inputs = graph.heads.map { graph.inputs(of: $0.logits).joined(separator: " and ") }
      throw MTLFastError(
        .usage, "\(samples.name): no head can be predicted. They need \(inputs.joined(separator: ", ")) as inputs.")
    }
    /// The rows of the stream that a head reads.
    let lengths = graph.heads.map { head in
      let names = graph.inputs(of: head.logits)
      return samples.streams.filter { stream in names.contains { stream.inputs[$0] != nil } }.map(\.count).min() ?? 0
    }
    var values: [[[Float]]] = graph.heads.map { _ in [] }
    var done = 0
    try runAll(samples, at: indices) { count in
      defer { done += count }
      for head in heads {
        guard let tensor = runner.step.tensor(of: results[head]) else { continue }
        let elements = graph.nodes[graph.heads[head].logits].shape.elementCount
        for row in 0..<count {
          guard indices[done + row] < lengths[head] else {
            values[head].append([])
            continue
          }
          values[head].append(
            graph.heads[head].result(
              of: Array(UnsafeBufferPointer(start: tensor.floats + row * tensor.sampleStride, count: elements))))
        }
      }
    }
    return heads.map { (graph.heads[$0].name, values[$0]) }
  }

  /// Calls `body` with the size of each minibatch when it has run.
  private func runAll(_ samples: Samples, at indices: [Int], body: (_ count: Int) -> Void = { _ in }) throws {
    // Each stream has its own rows; one that is shorter has none left for the last minibatches.
    let rows = samples.streams.map { stream in indices.map { $0 < stream.count ? Int32($0) : -1 } }
    try runner.bind(samples) { bound in
      for first in stride(from: 0, to: indices.count, by: batchSize) {
        let size = min(batchSize, indices.count - first)
        try withPointers(to: rows[...], offset: first) { pointers in
          try pointers.withUnsafeBufferPointer {
            try runner.run(bound, rows: $0, count: size, epoch: 0, optimizerStep: 1, lossWeights: lossWeights)
          }
        }
        body(size)
      }
    }
  }

  private func withPointers(
    to rows: ArraySlice<[Int32]>, offset: Int, found: [UnsafePointer<Int32>] = [],
    _ body: ([UnsafePointer<Int32>]) throws -> Void
  ) rethrows {
    guard let first = rows.first else { return try body(found) }
    try first.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return try body(found) }
      try withPointers(to: rows.dropFirst(), offset: offset, found: found + [base + offset], body)
    }
  }
}

extension Head {
  /// What users get of a node's values: both classes of a single logit, numbers in their units.
  fileprivate func result(of values: [Float]) -> [Float] {
    switch task {
    case .classification where loss == .binaryCrossEntropy: [1 - values[0], values[0]]
    case .regression: values.indices.map { task.unscaled(values[$0], target: $0) }
    default: values
    }
  }
}
