// SPDX-License-Identifier: Apache-2.0
// What `compare` leaves of a sweep over loss weights: a table with the choice, JSON, CSV.

import MTLFast
import MTLFastTraining

/// The outcome of a sweep.
struct SweepReport {
  let recipe: String
  let seeds: [UInt64]
  let tasks: [(name: String, metric: Metric)]
  /// The task to choose by; nil for the mean over both.
  let select: String?
  let rows: [Row]
  /// Of all trainings.
  let seconds: Double
  var failed: [FailedNet] = []
  /// By task and seed, of the chosen weight's nets; empty where there are no test data.
  var test: [[Double?]] = []

  struct Row {
    let lambda: Lambda
    /// On the held-out samples, by task and seed.
    let scores: [[Double?]]
  }

  /// What a row is chosen by; nil where a score is missing.
  private func criterion(_ row: Row) -> Double? {
    let chosen = tasks.indices.filter { select == nil || tasks[$0].name == select }.flatMap { row.scores[$0] }
    let known = chosen.compactMap { $0 }
    return known.count == chosen.count ? MeanEstimate(known)?.mean : nil
  }

  /// The row of the best; of equals the first.
  var best: Int? {
    let metric = tasks.first { select == nil || $0.name == select }?.metric ?? .accuracy
    var best: (row: Int, value: Double)?
    for (index, row) in rows.enumerated() {
      guard let value = criterion(row) else { continue }
      if best.map({ metric.isBetter(value, than: $0.value) }) ?? true { best = (index, value) }
    }
    return best?.row
  }

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
