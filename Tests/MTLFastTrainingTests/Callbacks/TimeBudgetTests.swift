// SPDX-License-Identifier: Apache-2.0
// A training whose time is up ends after the step that is running.

import MTLFast
import MTLFastTraining
import Testing

@Suite struct TimeBudgetTests {
  @Test func theTrainingEndsAfterAStep() throws {
    let samples = formulaSamples(first: 0, count: 40)
    func train(seconds: Double) throws -> History {
      try Trainer(smallModel(), optimizer: .sgd(learningRate: 0.1), threads: 1)
        .fit(samples, epochs: 2, batchSize: 20, callbacks: [TimeBudget(seconds: seconds)])
    }
    let short = try train(seconds: 1e-9)
    #expect(short.step == 1 && !short.wasStopped)
    #expect(short.stopReason == "the time budget of 1e-09 s is used up")
    let long = try train(seconds: 1000)
    #expect(long.step == 4 && long.stopReason == nil)
  }

  @Test(arguments: [0, -1, .infinity, .nan] as [Double])
  func wrongBudgets(seconds: Double) {
    #expect(throws: MTLFastError(.usage, "The time budget is \(seconds) s. Use a number above 0.")) {
      try TimeBudget(seconds: seconds)
    }
  }
}
