// SPDX-License-Identifier: Apache-2.0
// What `compare` leaves of a net of all tasks and its single-task twins: a table with a verdict, JSON, CSV.

import MTLFast
import MTLFastRecipes
import MTLFastTraining

extension ComparisonResult {
  // MARK: Text

  var text: String {
    """
    \(recipe), \(seedText(seeds))

    \(scoreText)

    \(costTable.text)

    \(words.map { wrapped($0) }.joined(separator: "\n"))
    """
  }

  /// A row for each task where that fits into 80 columns; otherwise a row for each number.
  private var scoreText: String {
    let (wide, long) = scoreTables
    let text = wide.text
    return text.split(separator: "\n").contains { $0.count > 80 } ? long.text : text
  }

  /// With a row for each task, and with a row for each number.
  var scoreTables: (wide: TextTable, long: TextTable) {
    let splits = Set(tasks.map(\.split))
    let isUniform = splits.count == 1
    let title = isUniform ? tasks.first?.split ?? "" : "task"
    var wide = TextTable([
      (title, .left), ("metric", .left), ("together", .right), ("alone", .right), ("difference", .right),
      ("95% interval", .right), ("p", .right),
    ])
    var long = TextTable([(title, .left), ("together", .right), ("alone", .right), ("difference", .right)])
    for (task, p) in zip(tasks, adjusted) {
      let scores = task.scores
      let (metric, difference) = (scores.metric, scores.difference)
      let name = isUniform ? scores.task : "\(scores.task) (\(task.split))"
      let values = [scores.together, scores.alone].map { metric.text(MeanEstimate($0.compactMap { $0 })) }
      let mean = metric.signed(difference?.mean)
      wide.add([name, metric.title] + values + [mean, metric.signed(difference?.interval), probability(p)])
      long.add([name, "", "", ""])
      long.add(["  \(metric.title)"] + values + [mean])
      long.add(["  95% interval", "", "", metric.signed(difference?.interval)])
      long.add(["  p", "", "", probability(p)])
    }
    return (wide, long)
  }

  var costTable: TextTable {
    var table = TextTable([("cost", .left), ("together", .right), ("alone, all twins", .right)])
    table.add(["parameters", grouped(parameters), grouped(tasks.reduce(0) { $0 + $1.parameters })])
    table.add(["training"] + [seconds, twinSeconds].map { seconds in seconds.map { "\(fixed($0, 1)) s" } ?? "-" })
    return table
  }

  /// What the numbers show of each task and of all.
  var words: [String] { verdicts + [overallVerdict] }

  private var verdicts: [String] {
    zip(tasks, adjusted).map { task, p in
      let failed = failed.filter { $0.task == nil || $0.task == task.scores.task }
      guard failed.isEmpty else {
        let count = failed.count == 1 ? "a net" : "\(failed.count) nets"
        let names = failed.map(\.net).joined(separator: "; ")
        return "\(task.scores.task): \(count) did not finish (\(names)): nothing can be claimed."
      }
      let metric = task.scores.metric
      return task.scores.verdict(p: p).text(of: task.scores.task, tests: tasks.count) { interval in
        metric.signed(interval) + (metric.isShare ? " points" : " of \(metric.title)")
      }
    }
  }

  private var overallVerdict: String {
    guard let gain else {
      return "all tasks: delta m is not defined: a score is missing or 0."
    }
    let verdict = Verdict(gain, p: gain.p, isGain: true).text(of: "all tasks", tests: 1) { interval in
      "\(signedPercent(interval.lowerBound))...\(signedPercent(interval.upperBound))%"
    }
    return "\(verdict) Delta m, the mean relative gain: \(signedPercent(gain.mean))%."
  }

  // MARK: JSON and CSV

  /// Only what is below `timing` depends on the machine.
  var members: [String: JSONValue] {
    [
      "recipe": .string(recipe), "seeds": .array(seeds.map { .integer(Int(clamping: $0)) }),
      "tasks": .array(zip(zip(tasks, adjusted), verdicts).map { json(of: $0.0, p: $0.1, verdict: $1) }),
      "delta_m_percent": gain.map(\.json) ?? .null, "verdict": .string(overallVerdict),
      "parameters": .object([
        "together": .integer(parameters), "alone": .integer(tasks.reduce(0) { $0 + $1.parameters }),
      ]),
      "timing": .object([
        "together_training_seconds": .number(seconds),
        "alone_training_seconds": .number(twinSeconds),
      ]),
      "failed": .array(failed.map(\.json)),
    ]
  }

  private func json(of task: Task, p: Double?, verdict: String) -> JSONValue {
    let scores = task.scores
    return .object([
      "task": .string(scores.task), "split": .string(task.split), "metric": .string(scores.metric.name),
      "together": .scores(scores.together), "alone": .scores(scores.alone),
      "difference": scores.difference.map(\.json) ?? .null, "p_holm": .number(p),
      "relative_gain_percent": .number(scores.relativeGain), "parameters_alone": .integer(task.parameters),
      "verdict": .string(verdict),
    ])
  }

  /// A row for each task; empty cells where there is no number.
  var csv: String {
    let header =
      "task,split,metric,seeds,together_mean,together_sd,alone_mean,alone_sd,difference,interval_low,interval_high,p,p_holm,relative_gain_percent"
    let rows = zip(tasks, adjusted).map { task, p in
      let scores = task.scores
      let (together, alone) = (
        MeanEstimate(scores.together.compactMap { $0 }), MeanEstimate(scores.alone.compactMap { $0 })
      )
      let difference = scores.difference
      let numbers = [
        together?.mean, together?.standardDeviation, alone?.mean, alone?.standardDeviation, difference?.mean,
        difference?.interval?.lowerBound, difference?.interval?.upperBound, difference?.p, p, scores.relativeGain,
      ]
      return ([scores.task, task.split, scores.metric.name, "\(difference?.count ?? 0)"] + numbers.map(csvNumber))
        .joined(separator: ",")
    }
    return ([header] + rows).joined(separator: "\n")
  }
}

extension FailedNet {
  var text: String { "\(net) did not finish: \(reason)" }
  var json: JSONValue { .object(["net": .string(net), "reason": .string(reason)]) }
}

/// `seeds 0, 1, 2`
func seedText(_ seeds: [UInt64]) -> String {
  "\(seeds.count == 1 ? "seed" : "seeds") \(seeds.map(String.init).joined(separator: ", "))"
}

/// Empty where there is no number.
func csvNumber(_ value: Double?) -> String { value.map { "\($0)" } ?? "" }

extension MeanEstimate {
  var json: JSONValue {
    .object([
      "mean": .number(mean), "standard_deviation": .number(standardDeviation), "n": .integer(count), "p": .number(p),
      "interval": interval.map { .array([.number($0.lowerBound), .number($0.upperBound)]) } ?? .null,
    ])
  }
}

extension JSONValue {
  /// Mean, standard deviation, and each seed's value.
  static func scores(_ values: [Double?]) -> JSONValue {
    let estimate = MeanEstimate(values.compactMap { $0 })
    return .object([
      "mean": .number(estimate?.mean), "standard_deviation": .number(estimate?.standardDeviation),
      "values": .array(values.map { .number($0) }),
    ])
  }
}
