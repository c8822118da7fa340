// SPDX-License-Identifier: Apache-2.0
// What a training shows, on a terminal and elsewhere.

import MTLFast
import Testing

@testable import MTLFastTraining
@testable import mtl_fast

@Suite struct ProgressReporterTests {
  /// Reports two epochs of two steps to a reporter and returns what it wrote.
  private func output(isInteractive: Bool) -> String {
    var text = ""
    var time = ContinuousClock.now
    let reporter = ProgressReporter(
      tasks: [("item", .accuracy), ("group", .accuracy)], splits: ["test"],
      terminal: Terminal(isInteractive: isInteractive, columns: 80),
      write: { text += $0 }, now: { time })
    reporter.trainingDidStart(
      TrainingStart(
        graph: ModelGraph(), epochs: 2, stepsPerEpoch: 2, sampleCount: 8, batchSize: 4, threads: 1, step: 0, epoch: 0,
        saved: [:], requestStop: { _ in }))
    for step in 1...4 {
      time += .seconds(1)
      reporter.stepDidEnd(
        StepRecord(
          step: step, epoch: (step + 1) / 2, stepInEpoch: 2 - step % 2, stepsPerEpoch: 2, sampleCount: 4,
          scores: scores, learningRate: 0.001, gradientNorm: nil, seconds: 0.5)
      ) { TrainingState(parameters: [], slots: [], step: 0, epoch: 0, seed: 0) }
      if step % 2 == 0 {
        reporter.epochDidEnd(
          EpochRecord(
            epoch: step / 2, step: step, training: scores, validation: nil, test: scores, learningRate: 0.001,
            trainingSeconds: 1,
            evaluationSeconds: 0.25, samplesPerSecond: 8)
        ) { TrainingState(parameters: [], slots: [], step: 0, epoch: 0, seed: 0) }
      }
    }
    return text
  }

  private let scores = Scores(
    loss: 0.75,
    tasks: [
      ("item", TaskScore(loss: 1.5, metrics: [(.accuracy, 0.5)], present: 4)),
      ("group", TaskScore(loss: nil, metrics: [(.accuracy, nil)], present: 0)),
    ])

  private let rows = [
    "  epoch     loss     item    group  test item  test group  samples/s  seconds\n",
    "    1/2   0.7500   50.00%        -     50.00%           -          8      1.3\n",
    "    2/2   0.7500   50.00%        -     50.00%           -          8      1.3\n",
  ]

  @Test func elsewhereARowAnEpoch() { #expect(output(isInteractive: false) == rows.joined()) }

  @Test func onATerminalALineThatIsRedrawn() {
    func line(_ text: String) -> String { "\r\u{1B}[K" + text }
    let clear = "\r\u{1B}[K"
    let first = line("epoch 1/2 [#####.....]  50%  8 samples/s  ETA 0:03  item 1.500 50.0%  group - -")
    let second = line("epoch 1/2 [##########] 100%  8 samples/s  ETA 0:02  item 1.500 50.0%  group - -")
    let third = line("epoch 2/2 [#####.....]  50%  8 samples/s  ETA 0:01  item 1.500 50.0%  group - -")
    let fourth = line("epoch 2/2 [##########] 100%  8 samples/s  ETA 0:00  item 1.500 50.0%  group - -")
    #expect(
      output(isInteractive: true)
        == rows[0] + first + second + clear + rows[1] + third + fourth + clear + rows[2])
  }
}
