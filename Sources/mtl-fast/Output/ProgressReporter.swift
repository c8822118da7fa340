// SPDX-License-Identifier: Apache-2.0
// The callback that shows training on standard error: a bar on a terminal, and one row an epoch everywhere.

import MTLFast
import MTLFastTraining

/// Shows a running training.
///
/// On a terminal a line is redrawn at most ten times a second; each epoch leaves a row of a table behind.
final class ProgressReporter: Callback {
  private let terminal: Terminal
  private let write: (String) -> Void
  private let now: () -> ContinuousClock.Instant
  private let columns: [EpochColumn]
  private let reportsTest: Bool

  private var start: TrainingStart?
  private var startedAt: ContinuousClock.Instant
  private var firstStep: Int?
  private var drawnAt: ContinuousClock.Instant?
  private var running: [RunningScore]
  private var epochSamples = 0
  private var epochSeconds = 0.0

  private struct RunningScore {
    let name: String
    var loss = 0.0
    var correct = 0.0
    var present = 0
  }

  private struct EpochColumn {
    let title: String
    let width: Int
  }

  /// - Parameters:
  ///   - tasks: the heads' names, in order.
  ///   - reportsTest: epochs come with test scores.
  init(
    tasks: [String], reportsTest: Bool, terminal: Terminal = .current(),
    write: @escaping (String) -> Void = Console.raw,
    now: @escaping () -> ContinuousClock.Instant = { .now }
  ) {
    self.terminal = terminal
    self.write = write
    self.now = now
    self.reportsTest = reportsTest
    startedAt = now()
    running = tasks.map { RunningScore(name: $0) }
    let scores = tasks + (reportsTest ? tasks.map { "test \($0)" } : [])
    columns =
      [EpochColumn(title: "epoch", width: 7), EpochColumn(title: "loss", width: 7)]
      + scores.map { EpochColumn(title: $0, width: max(7, $0.count)) }
      + [EpochColumn(title: "samples/s", width: 9), EpochColumn(title: "seconds", width: 7)]
  }

  func trainingDidStart(_ start: TrainingStart) {
    self.start = start
    startedAt = now()
    write(row(columns.map(\.title)))
  }

  func stepDidEnd(_ record: StepRecord) {
    for (index, task) in record.scores.tasks.enumerated() where running.indices.contains(index) {
      let present = Double(task.score.present)
      running[index].loss += (task.score.loss ?? 0) * present
      running[index].correct += (task.score.accuracy ?? 0) * present
      running[index].present += task.score.present
    }
    epochSamples += record.sampleCount
    epochSeconds += record.seconds
    if firstStep == nil { firstStep = record.step }
    guard terminal.isInteractive else { return }
    let time = now()
    if let drawnAt, time - drawnAt < .milliseconds(100) { return }
    drawnAt = time
    write("\r\u{1B}[K" + line(record, at: time).text(columns: terminal.columns - 1))
  }

  func epochDidEnd(_ record: EpochRecord, state: () throws -> TrainingState) {
    clearLine()
    var cells = ["\(record.epoch)/\(start?.epochs ?? record.epoch)", fixed(record.training.loss, 4)]
    cells += record.training.tasks.map { percent($0.score.accuracy) }
    if reportsTest { cells += running.map { percent(record.test?[$0.name]?.accuracy) } }
    cells += [fixed(record.samplesPerSecond, 0), fixed(record.trainingSeconds + record.evaluationSeconds, 1)]
    write(row(cells))
    running = running.map { RunningScore(name: $0.name) }
    epochSamples = 0
    epochSeconds = 0
  }

  func trainingDidStop(step: Int, state: () throws -> TrainingState) { clearLine() }

  /// Removes the line of progress, so that what comes next stands at the beginning of a line.
  func clearLine() {
    guard drawnAt != nil else { return }
    drawnAt = nil
    write("\r\u{1B}[K")
  }

  private func line(_ record: StepRecord, at time: ContinuousClock.Instant) -> ProgressLine {
    let epochs = start?.epochs ?? record.epoch
    let taken = record.step - (firstStep ?? record.step) + 1
    let left = (epochs - record.epoch) * record.stepsPerEpoch + record.stepsPerEpoch - record.stepInEpoch
    return ProgressLine(
      epoch: record.epoch, epochs: epochs, step: record.stepInEpoch, steps: record.stepsPerEpoch,
      samplesPerSecond: epochSeconds > 0 ? Double(epochSamples) / epochSeconds : 0,
      secondsLeft: (time - startedAt).seconds / Double(max(1, taken)) * Double(left),
      tasks: running.map { task in
        let present = Double(task.present)
        return (
          task.name, task.present > 0 ? task.loss / present : nil, task.present > 0 ? task.correct / present : nil
        )
      })
  }

  private func row(_ cells: [String]) -> String {
    let padded = zip(cells, columns).map { cell, column in
      String(repeating: " ", count: max(0, column.width - cell.count)) + cell
    }
    return padded.joined(separator: "  ") + "\n"
  }
}
