// SPDX-License-Identifier: Apache-2.0
// What `train` leaves on standard output: a table, or one JSON object.

import MTLFast
import MTLFastTraining

/// The outcome of a training.
struct TrainingReport {
  let recipe: String
  let seed: UInt64
  let threads: Int
  /// The run's folder.
  let run: String
  let history: History
  /// With the last weights: what they were scored on, `test` or `validation`, and how; none where there is nothing.
  let scores: [(split: String, scores: Scores)]
  /// What was selected on the validation data; nil where nothing was.
  let best: BestModel?
  /// From the start of the program.
  let wallSeconds: Double
  let secondsToFirstStep: Double
  /// Thread-seconds of the steps by what they went to; empty unless they were clocked.
  let accounts: [(name: String, seconds: Double)]

  var text: String {
    """
    \(scores.map { scoreTable($0.scores, of: $0.split) + "\n\n" }.joined())\
    \(bestText)\
    \(fixed(wallSeconds, 1)) s wall time, \(threads) thread\(threads == 1 ? "" : "s"), seed \(seed): \(run)\(accountText)
    """
  }

  private var bestText: String {
    guard let best, let chosen = best.best else { return "" }
    var table = TextTable([("best on validation", .left), ("value", .right), ("epoch", .right)])
    let name = "\(best.expression)"
    table.add([name.count <= 50 ? name : "\(name.prefix(47))...", fixed(chosen.value, 4), "\(chosen.epoch)"])
    for task in best.tasks {
      table.add(["\(task.name) \(task.metric.title)", task.metric.text(task.best.value), "\(task.best.epoch)"])
    }
    return "\(table.text)\nthe model of epoch \(chosen.epoch): \(best.path)\n\n"
  }

  private var bestJSON: JSONValue {
    guard let best, let chosen = best.best else { return .null }
    return .object([
      "by": .string("\(best.expression)"), "value": .number(chosen.value), "epoch": .integer(chosen.epoch),
      "step": .integer(chosen.step), "path": .string(best.path),
      "tasks": .object(
        Dictionary(
          best.tasks.map { task in
            let value: JSONValue = .object([
              "metric": .string(task.metric.name), "value": .number(task.best.value),
              "epoch": .integer(task.best.epoch),
            ])
            return (task.name, value)
          }, uniquingKeysWith: { first, _ in first })),
    ])
  }

  private var accountText: String {
    let total = accounts.reduce(0) { $0 + $1.seconds }
    guard total > 0 else { return "" }
    let shares = accounts.map { "\($0.name) \(percent($0.seconds / total))" }
    return "\nthread time: \(shares.joined(separator: ", "))\n\(callbackText)"
  }

  /// What logs, checkpoints and progress took, beside the steps.
  private var callbackText: String {
    let share = percent(history.callbackSeconds / history.stepSeconds)
    return "steps \(fixed(history.stepSeconds, 1)) s; logs, checkpoints and progress \(share) of that"
  }

  var json: JSONValue {
    var members: [String: JSONValue] = [
      "recipe": .string(recipe), "seed": Int(exactly: seed).map { .integer($0) } ?? .string("\(seed)"),
      "threads": .integer(threads), "run": .string(run),
      "epochs": .array(history.epochs.map(epoch)), "wall_seconds": .number(wallSeconds),
      "seconds_to_first_step": .number(secondsToFirstStep),
      "step_seconds": .number(history.stepSeconds), "callback_seconds": .number(history.callbackSeconds),
      "best": bestJSON,
      "stopped": history.stopReason.map { .string($0) } ?? .null,
    ]
    for (split, scores) in scores { members[split] = scores.tasksJSON }
    if !accounts.isEmpty {
      members["accounts"] = .object(
        Dictionary(accounts.map { ($0.name, .number($0.seconds)) }, uniquingKeysWith: { first, _ in first }))
    }
    return .object(members)
  }

  private func epoch(_ record: EpochRecord) -> JSONValue {
    .object([
      "epoch": .integer(record.epoch), "training_seconds": .number(record.trainingSeconds),
      "samples_per_second": .number(record.samplesPerSecond), "loss": .number(record.training.loss),
      "tasks": record.training.tasksJSON, "test": record.test?.tasksJSON ?? .null,
      "validation": record.validation?.tasksJSON ?? .null,
    ])
  }
}
