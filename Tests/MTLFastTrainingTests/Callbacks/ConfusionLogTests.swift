// SPDX-License-Identifier: Apache-2.0
// The confusion matrices that a training leaves behind.

import Files
import MTLFast
import TestSupport
import Testing

@testable import MTLFastTraining

@Suite struct ConfusionLogTests {
  private func record(epoch: Int, test: Scores?, validation: Scores? = nil) -> EpochRecord {
    EpochRecord(
      epoch: epoch, step: 10, training: Scores(loss: 1, tasks: []), validation: validation, test: test,
      learningRate: 0.001, trainingSeconds: 1, evaluationSeconds: 1, samplesPerSecond: 1)
  }

  private func scores(_ matrix: [[Int]]?, large: Int? = nil) -> Scores {
    var tasks = [("item", TaskScore(loss: 1, metrics: [], present: 4, confusion: matrix))]
    tasks.append(("price", TaskScore(loss: 1, metrics: [], present: 4)))
    if let large {
      let rows = [[Int]](repeating: [Int](repeating: 0, count: large), count: large)
      tasks.append(("large", TaskScore(loss: 1, metrics: [], present: 4, confusion: rows)))
    }
    return Scores(loss: 1, tasks: tasks)
  }

  private let classes = [
    "item": ["bag", "coat"], "price": ["price"], "large": (0..<201).map { "\($0)" },
  ]

  @Test func headsWithAMatrixAreWritten() {
    let record = record(epoch: 3, test: scores([[3, 1], [0, 4]], large: 201))
    #expect(
      ConfusionLog.text(record, classes: classes)
        == #"{"epoch":3,"test":{"item":{"classes":["bag","coat"],"confusion":[[3,1],[0,4]]}},"validation":null}"#)
  }

  @Test func withoutAMatrixNothingIsWritten() throws {
    #expect(ConfusionLog.text(record(epoch: 1, test: nil), classes: classes) == nil)
    #expect(ConfusionLog.text(record(epoch: 1, test: scores(nil)), classes: classes) == nil)
    let folder = try TemporaryFolder()
    let log = ConfusionLog(path: "\(folder.path)/confusion.json")
    try log.epochDidEnd(record(epoch: 1, test: nil)) {
      TrainingState(parameters: [], slots: [], step: 0, epoch: 0, seed: 0)
    }
    #expect(folder.names.isEmpty)
  }

  @Test func manyClassesAreLeftOutAndTwoHundredAreNot() {
    let classes = ["large": (0..<200).map { "\($0)" }]
    let text = ConfusionLog.text(record(epoch: 1, test: scores(nil, large: 200)), classes: classes)
    #expect(text?.contains(#""large""#) == true)
    #expect(ConfusionLog.text(record(epoch: 1, test: scores(nil, large: 201)), classes: self.classes) == nil)
  }
}
