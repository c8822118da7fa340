// SPDX-License-Identifier: Apache-2.0
// What `train` leaves on standard output: a table, or one JSON object.

import MTLFast
import MTLFastRecipes
import MTLFastTraining

/// The outcome of a training.
struct TrainingReport {
  let result: RecipeTraining.Result
  /// From the start of the program to its end, and to the call of the trainer.
  let wallSeconds: Double
  let secondsBefore: Double

  private var history: History { result.history }
  private var seed: UInt64 { result.recipe.training.seed }
  private var run: String { result.run.path }
  private var threads: Int { result.threads }

  var text: String {
    """
    \(result.scores.map { scoreTable($0.scores, of: $0.split) + "\n\n" }.joined())\
    \(bestText)\
    \(fixed(wallSeconds, 1)) s wall time, \(threads) thread\(threads == 1 ? "" : "s"), seed \(seed): \(run)\(accountText)
    """
  }

  private var bestText: String {
    guard let choice = result.best else { return "" }
    var table = TextTable([("best on validation", .left), ("value", .right), ("epoch", .right)])
    let name = "\(choice.expression)"
    table.add([name.count <= 50 ? name : "\(name.prefix(47))...", fixed(choice.best.value, 4), "\(choice.best.epoch)"])
    for task in choice.tasks {
      table.add(["\(task.name) \(task.metric.title)", task.metric.text(task.best.value), "\(task.best.epoch)"])
    }
    return "\(table.text)\nthe model of epoch \(choice.best.epoch): \(choice.path)\n\n"
  }

  private var bestJSON: JSONValue {
    guard let choice = result.best else { return .null }
    return .object([
      "by": .string("\(choice.expression)"), "value": .number(choice.best.value), "epoch": .integer(choice.best.epoch),
      "step": .integer(choice.best.step), "path": .string(choice.path),
      "tasks": .object(
        Dictionary(
          choice.tasks.map { task in
            let value: JSONValue = .object([
              "metric": .string(task.metric.name), "value": .number(task.best.value),
              "epoch": .integer(task.best.epoch),
            ])
            return (task.name, value)
          }, uniquingKeysWith: { first, _ in first })),
    ])
  }

  private var accountText: String {
    let total = result.accounts.reduce(0) { $0 + $1.seconds }
    guard total > 0 else { return "" }
    let shares = result.accounts.map { "\($0.name) \(percent($0.seconds / total))" }
    return "\nthread time: \(shares.joined(separator: ", "))\n\(callbackText)"
  }

  /// What logs, checkpoints and progress took, beside the steps.
  private var callbackText: String {
    let share = percent(history.callbackSeconds / history.stepSeconds)
    return "steps \(fixed(history.stepSeconds, 1)) s; logs, checkpoints and progress \(share) of that"
  }

  var json: JSONValue {
    var members: [String: JSONValue] = [
      "recipe": .string(result.recipe.name), "seed": Int(exactly: seed).map { .integer($0) } ?? .string("\(seed)"),
      "threads": .integer(threads), "run": .string(run),
      "epochs": .array(history.epochs.map(epoch)), "wall_seconds": .number(wallSeconds),
      "seconds_to_first_step": .number(secondsBefore + history.secondsToFirstStep),
      "step_seconds": .number(history.stepSeconds), "callback_seconds": .number(history.callbackSeconds),
      "best": bestJSON,
      "stopped": history.stopReason.map { .string($0) } ?? .null,
    ]
    for (split, scores) in result.scores { members[split] = scores.tasksJSON }
    if !result.accounts.isEmpty {
      members["accounts"] = .object(
        Dictionary(result.accounts.map { ($0.name, .number($0.seconds)) }, uniquingKeysWith: { first, _ in first }))
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
