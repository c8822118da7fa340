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
  private let table: EpochTable

  private var start: TrainingStart?
  private var startedAt: ContinuousClock.Instant
  private var firstStep: Int?
  private var drawnAt: ContinuousClock.Instant?
  private var running: [RunningScore]
  private var epochSamples = 0
  private var epochSeconds = 0.0

  private struct RunningScore {
    let name: String
    let metric: Metric
    var loss = 0.0
    var score = 0.0
    var present = 0
    /// Labels of the minibatches whose metric was defined.
    var scored = 0
  }

  /// - Parameters:
  ///   - tasks: the heads' names and first metrics, in order.
  ///   - splits: what each epoch is scored on: `val`, `test`.
  init(
    tasks: [(name: String, metric: Metric)], splits: [String], terminal: Terminal = .current(),
    write: @escaping (String) -> Void = Console.raw,
    now: @escaping () -> ContinuousClock.Instant = { .now }
  ) {
    self.terminal = terminal
    self.write = write
    self.now = now
    startedAt = now()
    running = tasks.map { RunningScore(name: $0.name, metric: $0.metric) }
    // A file has room for more than a terminal, but not for any line.
    table = EpochTable(tasks: tasks, splits: splits, width: terminal.isInteractive ? terminal.columns : 120)
  }

  func trainingDidStart(_ start: TrainingStart) {
    self.start = start
    startedAt = now()
    write(table.header)
  }

  func stepDidEnd(_ record: StepRecord, state: () throws -> TrainingState) {
    for (index, task) in record.scores.tasks.enumerated() where running.indices.contains(index) {
      let present = Double(task.score.present)
      running[index].loss += (task.score.loss ?? 0) * present
      running[index].present += task.score.present
      if let value = task.score.metrics.first?.value {
        running[index].score += value * present
        running[index].scored += task.score.present
      }
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
    write(table.row(record, epochs: start?.epochs ?? record.epoch))
    running = running.map { RunningScore(name: $0.name, metric: $0.metric) }
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
        return (
          task.name, task.present > 0 ? task.loss / Double(task.present) : nil,
          task.metric.text(task.scored > 0 ? task.score / Double(task.scored) : nil, 1)
        )
      })
  }
}
