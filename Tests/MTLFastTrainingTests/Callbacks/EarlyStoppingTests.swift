// SPDX-License-Identifier: Apache-2.0
// When a training ends early, and that a resumed one ends in the same place.

import Files
import MTLFast
import Synchronization
import TestSupport
import Testing

@testable import MTLFastTraining

@Suite struct EarlyStoppingTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  final class Reason: Sendable {
    let text = Mutex<String?>(nil)
  }

  /// The epoch after which scores end the training, and the reason.
  func end(
    _ losses: [Double?], patience: Int, minDelta: Double = 0, on expression: MetricExpression = .validationLoss
  ) throws -> (epoch: Int, reason: String)? {
    let reason = Reason()
    let stopping = try EarlyStopping(on: expression, patience: patience, minDelta: minDelta)
    let tests = try BestModelTests()
    try stopping.trainingDidStart(tests.start { text in reason.text.withLock { $0 = text } })
    for (index, loss) in losses.enumerated() {
      try stopping.epochDidEnd(tests.epoch(index + 1, item: loss, group: 0, loss: loss ?? .nan)) { smallState() }
      if let text = reason.text.withLock({ $0 }) { return (index + 1, text) }
    }
    return nil
  }

  @Test func patience() throws {
    let one = try #require(try end([3, 2, 2, 1], patience: 1))
    #expect(one.epoch == 3)
    #expect(one.reason == "no better loss on the validation data for 1 epoch; the best was epoch 2")
    let two = try #require(try end([3, 2, 2.5, 1, 1, nil, 0], patience: 2))
    #expect(two.epoch == 6)
    #expect(two.reason == "no better loss on the validation data for 2 epochs; the best was epoch 4")
    #expect(try end([3, 2, 2, 1, 1, 0.5], patience: 2) == nil)
    #expect(try end([3, 2.95, 2.85, 2.8], patience: 2, minDelta: 0.1)?.epoch == nil)
    #expect(try end([3, 2.95, 2.92, 2.8], patience: 2, minDelta: 0.1)?.epoch == 3)
    #expect(try end([0.5, 0.6, 0.6, 0.4], patience: 2, on: MetricExpression("item.accuracy"))?.epoch == 4)
    #expect(
      try end([nil, nil], patience: 2, on: MetricExpression("item.accuracy"))?.reason
        == "no better item.accuracy on the validation data for 2 epochs; there was no score at all")
  }

  @Test func wrongSettings() {
    #expect(throws: MTLFastError(.usage, "patience is 0. Use 1 epoch or more.")) {
      try EarlyStopping(on: .validationLoss, patience: 0)
    }
    #expect(throws: MTLFastError(.usage, "min_delta is -1.0. Use a number of 0 or more.")) {
      try EarlyStopping(on: .validationLoss, patience: 1, minDelta: -1)
    }
  }

  @Test(arguments: [1, 3, 4, 8])
  func aResumedTrainingEndsInTheSamePlace(step: Int) throws {
    var whole = try SelectionRun("whole", in: folder, patience: 6, epochs: 60)
    let history = try whole.train().history
    let reason = try #require(history.stopReason)
    #expect((6..<60).contains(history.epochs.count))
    #expect(!history.wasStopped)
    var stopped = try SelectionRun("stopped", in: folder, patience: 6, epochs: 60)
    #expect(try stopped.train(stoppingAfter: step).history.wasStopped)
    let rest = try stopped.train().history
    #expect(rest.stopReason == reason && rest.step == history.step)
    #expect(try stopped.files() == whole.files())
    // One that had ended early ends at once, unless it may wait longer.
    let again = try stopped.train().history
    #expect(again.stopReason == reason && again.step == history.step && again.epochs.isEmpty)
    #expect(try stopped.files() == whole.files())
    stopped.patience = 7
    #expect(try stopped.train().history.step > history.step)
  }
}
