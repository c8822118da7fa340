// SPDX-License-Identifier: Apache-2.0
// Batch normalisation in training and evaluation: the running statistics by hand, and their use.

import Kernels
import MTLFast
import MTLFastStep
import Testing

@testable import MTLFastTraining

@Suite struct BatchStatisticsTests {
  private static let targets = [RegressionTarget("a"), RegressionTarget("b")]

  /// The normalisation of an input, of which a dense layer or a pool makes two numbers.
  private func model(_ shape: Shape, momentum: Float) throws -> MultiTaskModel {
    var graph = ModelGraph()
    let input = try graph.addInput("input", shape: shape)
    let norm = try graph.add(BatchNorm(momentum: momentum, epsilon: 0.5), named: "norm", reading: input)
    let flat = shape.isImage ? try graph.add(GlobalAveragePool2D(), named: "pool", reading: norm) : norm
    let output = try graph.add(Dense(units: 2), named: "output", reading: flat)
    try graph.addHead(Head(name: "numbers", logits: output, task: .regression(Self.targets)))
    let model = try MultiTaskModel(graph: graph, seed: 1)
    try model.setParameter("output.kernel", to: [1, 0, 0, 1])
    return model
  }

  private func samples(_ shape: Shape, _ values: [Float]) -> Samples {
    let count = values.count / shape.elementCount
    return Samples(
      name: "numbers", count: count, inputs: ["input": .init(column: .floats(shape: shape, values: values))],
      targets: ["numbers": .values(ValueColumn(names: ["a", "b"], values: [Float](repeating: 1, count: 2 * count)))])
  }

  private func values(_ trainer: Trainer, _ name: String) throws -> [Float] {
    try #require(try trainer.state().parameters.first { $0.name == name }).values
  }

  private func expectClose(_ found: [Float], _ expected: [Double], sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(found.count == expected.count, sourceLocation: sourceLocation)
    for (a, b) in zip(found, expected) {
      #expect(abs(Double(a) - b) <= 1e-6 * max(1, abs(b)), "\(a), not \(b)", sourceLocation: sourceLocation)
    }
  }

  /// Columns 1, 2, 3, 6 and 10, 10, 20, 20: means 3 and 15, biased variances 3.5 and 25.
  @Test func runningStatisticsFollowTheMinibatches() throws {
    let rows = samples([2], [1, 10, 2, 10, 3, 20, 6, 20])
    let trainer = try Trainer(model([2], momentum: 0.75), optimizer: .sgd(learningRate: 1e-30), threads: 2)
    _ = try trainer.fit(rows, epochs: 1, batchSize: 4)
    expectClose(try values(trainer, "norm.running_mean"), [0.25 * 3, 0.25 * 15])
    expectClose(try values(trainer, "norm.running_variance"), [0.75 + 0.25 * 3.5, 0.75 + 0.25 * 25])
    _ = try trainer.fit(rows, epochs: 2, batchSize: 4)
    expectClose(try values(trainer, "norm.running_mean"), [0.4375 * 3, 0.4375 * 15])
    expectClose(
      try values(trainer, "norm.running_variance"), [0.5625 + 0.4375 * 3.5, 0.5625 + 0.4375 * 25])
    // Evaluation neither uses nor changes the minibatch's.
    let before = try trainer.state().parameters
    let whole = try trainer.evaluate(rows, batchSize: 4)
    let single = try trainer.evaluate(rows, batchSize: 1)
    #expect(abs(whole.loss - single.loss) <= 1e-9 * whole.loss)
    #expect(try trainer.state().parameters == before)
  }

  /// A channel's statistics are over samples and pixels, also where the last minibatch is smaller.
  @Test func statisticsOfAnImageAreByChannel() throws {
    // Three images of 2 x 1 pixels: channel 0 has 0, 2, 4, 6, 8, 10, channel 1 is 7 everywhere.
    let images = samples([2, 1, 2], [0, 7, 2, 7, 4, 7, 6, 7, 8, 7, 10, 7])
    let trainer = try Trainer(model([2, 1, 2], momentum: 0), optimizer: .sgd(learningRate: 1e-30), threads: 2)
    _ = try trainer.fit(images, epochs: 1, batchSize: 3)
    expectClose(try values(trainer, "norm.running_mean"), [5, 7])
    expectClose(try values(trainer, "norm.running_variance"), [35.0 / 3, 0])
    // With momentum 0 they are those of the last minibatch: one image, a variance of 1.
    _ = try trainer.fit(images, epochs: 2, batchSize: 2)
    expectClose(Array(try values(trainer, "norm.running_variance")), [1, 0])
    #expect([1, 5, 9].contains(try values(trainer, "norm.running_mean")[0]))
  }

  @Test func predictionUsesTheRunningStatistics() throws {
    let model = try model([2], momentum: 0.99)
    try model.setParameter("norm.gamma", to: [2, 3])
    try model.setParameter("norm.beta", to: [0.5, -1])
    try model.setParameter("norm.running_mean", to: [4, -2])
    // With epsilon 0.5 the deviations are 2 and 3.
    try model.setParameter("norm.running_variance", to: [3.5, 8.5])
    let rows = samples([2], [6, 1, 4, -2, 0, 4])
    let found = try Evaluator(model, batchSize: 3, threads: 2, predicts: true).predict(rows, at: [0, 1, 2])[0].values
    expectClose(found.flatMap { $0 }, [2.5, 2, 0.5, -1, -3.5, 5])
  }

  /// Training normalises by the minibatch: its loss doesn't see the running statistics.
  /// Running statistics wait for nothing: however many layers there are, one stage makes them and one uses them.
  @Test func predictionHasNoStagesForThem() throws {
    let layers: [any Layer] = (0..<5).flatMap { _ -> [any Layer] in [Conv2D(filters: 3, kernelSize: 1), BatchNorm()] }
    let model = try MultiTaskModel(
      input: [4, 4, 1], trunk: layers + [Flatten()], heads: [.classification("a", classes: 2)], seed: 0)
    let program = try Lowering(graph: model.graph, purpose: .prediction).program
    #expect(Schedule(program).stageCount == 2)
  }

  @Test func trainingUsesTheMinibatch() throws {
    func loss(runningMean: Float) throws -> Double {
      let model = try model([2], momentum: 0.99)
      try model.setParameter("norm.running_mean", to: [runningMean, runningMean])
      let trainer = try Trainer(model, optimizer: .sgd(learningRate: 1e-30), threads: 1)
      return try trainer.fit(samples([2], [1, 10, 2, 10, 3, 20, 6, 20]), epochs: 1, batchSize: 4).epochs[0].training
        .loss
    }
    #expect(try loss(runningMean: 0) == loss(runningMean: 50))
    // (x - mean) / sqrt(variance + 0.5) has a mean square of variance / (variance + 0.5); the target is 1.
    let expected = (3.5 / 4 + 1 + 25 / 25.5 + 1) / 2
    #expect(abs(try loss(runningMean: 0) - expected) < 1e-5)
  }
}
