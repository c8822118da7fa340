// SPDX-License-Identifier: Apache-2.0
// The lines of steps.jsonl and history.jsonl.

import Files
import MTLFast
import TestSupport
import Testing

@testable import MTLFastTraining

@Suite struct StepLogTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func step(_ step: Int) -> StepRecord {
    let scores = Scores(
      loss: 0.75,
      tasks: [
        ("item", TaskScore(loss: 1.5, metrics: [(.accuracy, 0.5)], present: 4)),
        ("group", TaskScore(loss: nil, metrics: [(.accuracy, nil)], present: 0)),
      ])
    return StepRecord(
      step: step, epoch: 1, stepInEpoch: step, stepsPerEpoch: 10, sampleCount: 4, scores: scores,
      learningRate: 0.001, gradientNorm: nil, seconds: 0.1)
  }

  private func epoch(_ epoch: Int, test: Bool) -> EpochRecord {
    let scores = step(1).scores
    return EpochRecord(
      epoch: epoch, step: epoch * 10, training: scores, validation: nil, test: test ? scores : nil,
      learningRate: 0.001, trainingSeconds: 2,
      evaluationSeconds: 0.5, samplesPerSecond: 20)
  }

  private var state: TrainingState {
    TrainingState(parameters: [], slots: [], step: 0, epoch: 0, seed: 0)
  }

  @Test func aLineForEachStep() throws {
    let log = try StepLog(path: "\(folder.path)/steps.jsonl")
    try log.stepDidEnd(step(1)) { state }
    try log.stepDidEnd(step(2)) { state }
    try log.trainingDidStop(step: 2) { state }
    #expect(
      try folder.text("steps.jsonl") == """
        {"epoch":1,"learning_rate":0.001,"loss":0.75,"step":1,"tasks":{"group":{"accuracy":null,"loss":null},"item":{"accuracy":0.5,"loss":1.5}}}
        {"epoch":1,"learning_rate":0.001,"loss":0.75,"step":2,"tasks":{"group":{"accuracy":null,"loss":null},"item":{"accuracy":0.5,"loss":1.5}}}

        """)
  }

  @Test func goingOnCutsOffLaterSteps() throws {
    let path = "\(folder.path)/steps.jsonl"
    for resumed in [0, 2] {
      let log = try StepLog(path: path, resumingAfterStep: resumed)
      for number in (resumed + 1)...4 { try log.stepDidEnd(step(number)) { state } }
      try log.epochDidEnd(epoch(1, test: false)) { state }
    }
    let steps = try folder.text("steps.jsonl").split(separator: "\n").map { $0.contains(#""step":"#) }
    #expect(steps.count == 4)
  }

  @Test func timesStandApartInTheHistory() throws {
    let log = try HistoryLog(path: "\(folder.path)/history.jsonl")
    try log.epochDidEnd(epoch(1, test: true)) { state }
    try log.epochDidEnd(epoch(2, test: false)) { state }
    let tasks = #"{"group":{"accuracy":null,"loss":null,"present":0},"item":{"accuracy":0.5,"loss":1.5,"present":4}}"#
    let timing = #"{"evaluation_seconds":0.5,"samples_per_second":20.0,"training_seconds":2.0}"#
    #expect(
      try folder.text("history.jsonl") == """
        {"epoch":1,"learning_rate":0.001,"loss":0.75,"step":10,"tasks":\(tasks),"test":\(tasks),"timing":\(timing),"validation":null}
        {"epoch":2,"learning_rate":0.001,"loss":0.75,"step":20,"tasks":\(tasks),"test":null,"timing":\(timing),"validation":null}

        """)
  }
}
