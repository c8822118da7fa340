// SPDX-License-Identifier: Apache-2.0
// What `compare` leaves of a sweep over loss weights: a table with the choice, JSON, CSV.

import MTLFast
import MTLFastRecipes
import MTLFastTraining

extension SweepResult {
  private func estimate(_ values: [Double?]) -> MeanEstimate? { MeanEstimate(values.compactMap { $0 }) }

  // MARK: Text

  var text: String {
    """
    \(recipe), \(seedText(seeds))
    held-out scores: \(tasks.map { "\($0.name) \($0.metric.title)" }.joined(separator: ", "))

    \(sweepTable.text)

    \(wrapped(choice))\(testText)
    """
  }

  var sweepTable: TextTable {
    var table = TextTable(
      [("lambda", .left)] + tasks.map { ($0.name, .right) }
        + (select == nil ? [("mean", .right)] : []) + [("", .left)])
    for (index, row) in rows.enumerated() {
      let cells = zip(tasks, row.scores).map { $0.metric.text(estimate($1)) }
      let mean = select == nil ? [percent(criterion(row))] : []
      table.add([row.lambda.text] + cells + mean + [index == best ? "best" : ""])
    }
    return table
  }

  var choice: String {
    let missing = failed.isEmpty ? "" : " Without a result: \(failed.map(\.net).joined(separator: "; "))."
    guard let best else { return "No lambda was chosen: a score is missing for each.\(missing)" }
    let by = select.map { "best held-out score of \($0)" } ?? "best mean of the held-out scores"
    return
      "lambda \(rows[best].lambda.text) has the \(by). It was chosen on these numbers, so only those of the test data are fair.\(missing)"
  }

  private var testText: String {
    guard let best else { return "" }
    guard !test.isEmpty else { return "\nThere are no test data." }
    var table = TextTable([("test, lambda \(rows[best].lambda.text)", .left), ("metric", .left), ("score", .right)])
    for (task, scores) in zip(tasks, test) {
      table.add([task.name, task.metric.title, task.metric.text(estimate(scores))])
    }
    return "\n\n\(table.text)"
  }

  /// Each task's mean score against lambda.
  var plot: LambdaPlot {
    LambdaPlot(
      title: recipe, tasks: tasks,
      points: rows.map { row in (row.lambda.value, row.scores.map { estimate($0)?.mean }) },
      best: best.map { rows[$0].lambda.value })
  }

  // MARK: JSON and CSV

  /// Only what is below `timing` depends on the machine.
  var members: [String: JSONValue] {
    [
      "recipe": .string(recipe), "seeds": .array(seeds.map { .integer(Int(clamping: $0)) }),
      "select": select.map { .string($0) } ?? .null,
      "lambdas": .array(
        rows.map { row in
          .object([
            "lambda": .number(row.lambda.value), "tasks": json(row.scores), "criterion": .number(criterion(row)),
          ])
        }),
      "best_lambda": .number(best.map { rows[$0].lambda.value }), "test": test.isEmpty ? .null : json(test),
      "timing": .object(["training_seconds": .number(seconds)]), "failed": .array(failed.map(\.json)),
    ]
  }

  private func json(_ scores: [[Double?]]) -> JSONValue {
    .array(
      zip(tasks, scores).map { task, values in
        .object([
          "task": .string(task.name), "metric": .string(task.metric.name), "scores": .scores(values),
        ])
      })
  }

  /// A row for each weight and task, then those of the test data.
  var csv: String {
    func rows(_ lambda: Lambda, _ split: String, _ scores: [[Double?]]) -> [String] {
      zip(tasks, scores).map { task, values in
        let estimate = estimate(values)
        return [
          lambda.text, split, task.name, task.metric.name, csvNumber(estimate?.mean),
          csvNumber(estimate?.standardDeviation),
        ].joined(separator: ",")
      }
    }
    var lines = ["lambda,split,task,metric,mean,sd"] + self.rows.flatMap { rows($0.lambda, "validation", $0.scores) }
    if let best, !test.isEmpty { lines += rows(self.rows[best].lambda, "test", test) }
    return lines.joined(separator: "\n")
  }
}
