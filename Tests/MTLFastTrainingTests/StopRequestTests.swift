// SPDX-License-Identifier: Apache-2.0
// Two ways to end a training in good order: for good, and once.

import MTLFast
import MTLFastTraining
import Testing

@Suite struct StopRequestTests {
  @Test func aRequestStaysAndACallIsTakenBack() throws {
    let samples = formulaSamples(first: 0, count: 48)
    let stop = StopRequest()
    #expect(!stop.isRequested)
    let trainer = try Trainer(fashionModel(), optimizer: DeterminismTests.adam, threads: 1, stop: stop)
    trainer.requestStop()
    #expect(try trainer.fit(samples, epochs: 1, batchSize: 16).wasStopped && trainer.step == 1)
    let whole = try trainer.fit(samples, epochs: 1, batchSize: 16)
    #expect(!whole.wasStopped && trainer.epoch == 1)
    stop.request()
    for step in [4, 5] {
      #expect(try trainer.fit(samples, epochs: 2, batchSize: 16).wasStopped && trainer.step == step)
    }
    #expect(stop.isRequested)
  }
}
