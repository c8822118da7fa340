// SPDX-License-Identifier: Apache-2.0
// The same bits for any number of threads, twins that equal the net they are taken from, and steps that allocate nothing.

import CAllocationCounter
import MTLFast
import MTLFastTraining
import Testing

@Suite(.serialized) struct DeterminismTests {
  static let adam = Optimizer.adam(learningRate: 1e-3, beta1: 0.5, beta2: 0.999, epsilon: 1e-8)

  /// Two epochs of 130 samples in minibatches of 48: the last one has 34.
  func train(
    _ model: MultiTaskModel, threads: Int, optimizer: Optimizer = adam
  ) throws -> (state: TrainingState, history: History) {
    let trainer = try Trainer(model, optimizer: optimizer, threads: threads)
    let samples = formulaSamples(first: 0, count: 130) { $0 % 5 == 0 }
    let history = try trainer.fit(samples, test: samples, epochs: 2, batchSize: 48)
    return (try trainer.state(), history)
  }

  @Test(arguments: [adam, .sgd(learningRate: 0.01, momentum: 0.9)])
  func threadsDoNotChangeABit(optimizer: Optimizer) throws {
    let (one, _) = try train(fashionModel(), threads: 1, optimizer: optimizer)
    for threads in [2, 3] {
      let (state, history) = try train(fashionModel(), threads: threads, optimizer: optimizer)
      #expect(history.threads == threads)
      #expect(state.parameters == one.parameters)
      #expect(state.slots == one.slots)
    }
  }

  @Test func dropoutPoolsAndActivationsDoNotChangeWithThreads() throws {
    func model() throws -> MultiTaskModel {
      try MultiTaskModel(
        input: .image(height: 28, width: 28, channels: 1),
        trunk: [
          Conv2D(filters: 6, kernelSize: 5, stride: 2, padding: .same, activation: .sigmoid), Dropout(rate: 0.25),
          Conv2D(filters: 10, kernelSize: 3, padding: .same), ReLU(), MaxPool2D(poolSize: 3, stride: 2, padding: .same),
          AvgPool2D(poolSize: 2), Flatten(), Dense(units: 30, activation: .sigmoid), Dropout(rate: 0.5),
        ],
        heads: [
          .classification("item", classes: 10),
          .classification("group", classes: 3, layers: [Dense(units: 700, activation: .relu)], weight: 0.3),
        ], seed: 3)
    }
    let (one, _) = try train(model(), threads: 1)
    let (three, history) = try train(model(), threads: 3)
    #expect(history.threads == 3)
    #expect(three.parameters == one.parameters)
    #expect(three.slots == one.slots)
  }

  /// With all the loss on one head, trunk and head are those of a net that has no other.
  @Test(arguments: ["item", "group"]) func twin(task: String) throws {
    let (both, _) = try train(fashionModel(item: task == "item" ? 1 : 0, group: task == "group" ? 1 : 0), threads: 2)
    let (alone, _) = try train(
      fashionModel(item: task == "item" ? 1 : nil, group: task == "group" ? 1 : nil), threads: 2)
    for parameter in alone.parameters {
      #expect(both.parameters.first { $0.name == parameter.name } == parameter, "\(parameter.name)")
    }
    let other = task == "item" ? "group" : "item"
    let initial = try fashionModel(seed: 0)
    for parameter in both.parameters where parameter.name.hasPrefix(other) {
      #expect(initial[parameter: parameter.name]?.values == parameter.values, "\(parameter.name) had no gradient")
    }
  }

  @Test func restoredTrainingGoesOnWithTheSameBits() throws {
    let samples = formulaSamples(first: 0, count: 130) { $0 % 5 == 0 }
    let (expected, full) = try train(fashionModel(), threads: 2)
    let first = try Trainer(fashionModel(), optimizer: Self.adam, threads: 2)
    // The stop comes after the second step of the second epoch.
    let stopper = Stopper(after: 5, of: first)
    #expect(try first.fit(samples, test: samples, epochs: 2, batchSize: 48, callbacks: [stopper]).wasStopped)
    let kept = try #require(stopper.state)
    #expect(kept.step == 5 && kept.epoch == 1 && kept.stepInEpoch == 2)
    let second = try Trainer(fashionModel(), optimizer: Self.adam, threads: 3)
    try second.restore(kept)
    let rest = try second.fit(samples, test: samples, epochs: 2, batchSize: 48)
    let state = try second.state()
    #expect(state.parameters == expected.parameters && state.slots == expected.slots)
    #expect(rest.epochs.last?.training == full.epochs.last?.training)
    #expect(rest.epochs.last?.test == full.epochs.last?.test)
  }

  final class Stopper: Callback {
    let step: Int
    let trainer: Trainer
    var state: TrainingState?
    init(after step: Int, of trainer: Trainer) {
      self.step = step
      self.trainer = trainer
    }
    func stepDidEnd(_ record: StepRecord, state: () throws -> TrainingState) {
      if record.step == step { trainer.requestStop() }
    }
    func trainingDidStop(step: Int, state: () throws -> TrainingState) throws { self.state = try state() }
  }

  /// In a process of its own, since the count is of all threads.
  @Test func stepsAllocateNothing() async {
    await #expect(processExitsWith: .success) {
      func allocations(steps: Int) throws -> Int {
        let trainer = try Trainer(fashionModel(), optimizer: DeterminismTests.adam, threads: 2)
        let samples = formulaSamples(first: 0, count: 400)
        let before = allocation_count()
        _ = try trainer.fit(samples, epochs: 1, batchSize: 400 / steps)
        return allocation_count() - before
      }
      guard allocation_count() >= 0 else { return }
      _ = try allocations(steps: 10)
      // Other threads of the process may allocate now and then, so the least of three counts.
      func least(steps: Int) throws -> Int { try (1...3).map { _ in try allocations(steps: steps) }.min() ?? 0 }
      let (ten, twenty) = (try least(steps: 10), try least(steps: 20))
      try #require(ten > 0)
      // One in each step would be ten.
      try #require(twenty - ten < 10, "steps 11 to 20 allocated \(twenty - ten) times")
    }
  }

  @Test func onePredictionEqualsItsRowInAnyBatch() throws {
    let samples = formulaSamples(first: 0, count: 37)
    let model = try fashionModel(seed: 5)
    let all = try Evaluator(model, batchSize: 37, threads: 2, predicts: true).predict(samples, at: Array(0..<37))
    let single = try Evaluator(model, batchSize: 1, threads: 1, predicts: true)
    for index in [0, 11, 12, 31, 36] {
      let alone = try single.predict(samples, at: [index])
      for (head, one) in zip(all, alone) { #expect(head.values[index] == one.values[0]) }
    }
  }
}
