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
  /// From the start of the program.
  let wallSeconds: Double
  let secondsToFirstStep: Double
  /// Thread-seconds of the steps by what they went to; empty unless they were clocked.
  let accounts: [(name: String, seconds: Double)]

  var text: String {
    """
    \(scores.map { scoreTable($0.scores, of: $0.split) + "\n\n" }.joined())\
    \(fixed(wallSeconds, 1)) s wall time, \(threads) thread\(threads == 1 ? "" : "s"), seed \(seed): \(run)\(accountText)
    """
  }

  private var accountText: String {
    let total = accounts.reduce(0) { $0 + $1.seconds }
    guard total > 0 else { return "" }
    let shares = accounts.map { "\($0.name) \(percent($0.seconds / total))" }
    return "\nthread time: " + shares.joined(separator: ", ")
  }

  var json: JSONValue {
    var members: [String: JSONValue] = [
      "recipe": .string(recipe), "seed": Int(exactly: seed).map { .integer($0) } ?? .string("\(seed)"),
      "threads": .integer(threads), "run": .string(run),
      "epochs": .array(history.epochs.map(epoch)), "wall_seconds": .number(wallSeconds),
      "seconds_to_first_step": .number(secondsToFirstStep),
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
