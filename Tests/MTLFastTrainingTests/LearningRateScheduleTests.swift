// SPDX-License-Identifier: Apache-2.0
// The factors of the learning rate against plain formulas, and a resumed training under a schedule.

import Foundation
import MTLFast
import MTLFastTraining
import Testing

@Suite struct LearningRateScheduleTests {
  /// Ten epochs of 100 steps.
  func factor(_ shape: LearningRateSchedule.Shape, warmUp: Double = 0, _ step: Int) -> Double {
    LearningRateSchedule(shape, warmUp: warmUp).factor(step: step, stepsPerEpoch: 100, epochs: 10)
  }

  @Test func constant() {
    for step in [0, 1, 999, 5000] { #expect(factor(.constant, step) == 1) }
    #expect(factor(.constant, warmUp: 2, 0) == 0.005)
    #expect(factor(.constant, warmUp: 2, 99) == 0.5)
    #expect(factor(.constant, warmUp: 2, 199) == 1 && factor(.constant, warmUp: 2, 200) == 1)
    #expect(factor(.constant, warmUp: 0.005, 0) == 1)
  }

  @Test(arguments: [(0, 1), (299, 1), (300, 0.5), (599, 0.5), (600, 0.25), (900, 0.125)])
  func steps(step: Int, expected: Double) { #expect(factor(.step(epochs: 3, factor: 0.5), step) == expected) }

  @Test(arguments: [0, 1, 250, 500, 998, 999])
  func cosine(step: Int) {
    let plain = 0.1 + 0.9 * (1 + cos(Double.pi * Double(step) / 999)) / 2
    #expect(abs(factor(.cosine(final: 0.1), step) - plain) < 1e-15)
    #expect(
      factor(.cosine(final: 0.1), warmUp: 0.5, step) == factor(.cosine(final: 0.1), step)
        * min(1, Double(step + 1) / 50))
  }

  @Test func oneCycle() {
    let cycle = LearningRateSchedule.Shape.oneCycle(peak: 0.25, start: 0.04, final: 0.0001)
    #expect(abs(factor(cycle, 0) - 0.04) < 1e-15)
    #expect(abs(factor(cycle, 999) - 0.0001) < 1e-15)
    let rising = 0.04 + 0.96 * (1 - cos(Double.pi * (100.0 / 999 / 0.25))) / 2
    #expect(abs(factor(cycle, 100) - rising) < 1e-15)
    let falling = 0.0001 + 0.9999 * (1 + cos(Double.pi * ((700.0 / 999 - 0.25) / 0.75))) / 2
    #expect(abs(factor(cycle, 700) - falling) < 1e-15)
    #expect((0..<1000).map { factor(cycle, $0) }.max() ?? 0 > 0.9999)
  }

  @Test func atTheEdges() {
    let cosine = LearningRateSchedule(.cosine(final: 0))
    #expect(cosine.factor(step: 0, stepsPerEpoch: 1, epochs: 1) == 1)
    #expect(cosine.factor(step: 5, stepsPerEpoch: 0, epochs: 0).isFinite)
    // Beyond its end it stays there.
    #expect(abs(cosine.factor(step: 2000, stepsPerEpoch: 100, epochs: 10)) < 1e-15)
  }

  @Test(arguments: [
    (LearningRateSchedule(.constant, warmUp: -1), "warm_up is -1.0. Use 0 or more epochs."),
    (LearningRateSchedule(.step(epochs: 0, factor: 1)), "every is 0.0. Use 1 epoch or more."),
    (LearningRateSchedule(.step(epochs: 1, factor: 0)), "factor is 0.0. Use a number above 0."),
    (LearningRateSchedule(.cosine(final: 2)), "final is 2.0. Use a number from 0 to 1."),
    (
      LearningRateSchedule(.oneCycle(peak: 1, start: 0, final: 0)),
      "peak is 1.0. Use a share of the training between 0 and 1."
    ),
  ])
  func wrongSettings(schedule: LearningRateSchedule, end: String) throws {
    #expect(throws: MTLFastError(.usage, "The schedule's \(end)")) { try schedule.validate() }
    #expect(throws: MTLFastError.self) {
      try Trainer(smallModel(), optimizer: .sgd(learningRate: 0.1), schedule: schedule)
    }
  }

  @Test(arguments: [1, 3, 4])
  func aResumedTrainingFollowsTheSchedule(stop: Int) throws {
    let schedule = LearningRateSchedule(.cosine(final: 0), warmUp: 1.5)
    let samples = formulaSamples(first: 0, count: 60)
    func trainer(_ schedule: LearningRateSchedule) throws -> Trainer {
      try Trainer(smallModel(), optimizer: .adam(learningRate: 0.01), schedule: schedule, threads: 2)
    }
    let whole = try trainer(schedule)
    let recorder = StepRecorder()
    _ = try whole.fit(samples, epochs: 3, batchSize: 40, callbacks: [recorder])
    #expect(
      recorder.steps.map(\.learningRate)
        == (0..<6).map { Float(Double(Float(0.01)) * schedule.factor(step: $0, stepsPerEpoch: 2, epochs: 3)) })
    let first = try trainer(schedule)
    let stopper = DeterminismTests.Stopper(after: stop, of: first)
    #expect(try first.fit(samples, epochs: 3, batchSize: 40, callbacks: [stopper]).wasStopped)
    let second = try trainer(schedule)
    try second.restore(try #require(stopper.state))
    _ = try second.fit(samples, epochs: 3, batchSize: 40)
    #expect(try second.state().parameters == whole.state().parameters)
    let constant = try trainer(.constant)
    _ = try constant.fit(samples, epochs: 3, batchSize: 40)
    #expect(try constant.state().parameters != whole.state().parameters)
  }
}
