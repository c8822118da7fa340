// SPDX-License-Identifier: Apache-2.0
// Scores as a table.

import MTLFast
import MTLFastTraining

/// Every metric of every task, its loss, and the number of labels that they are over.
///
/// A row for each task where all metrics fit into 80 columns; otherwise a row for each metric.
///
/// - Parameter split: what was scored: `test`.
func scoreTable(_ scores: Scores, of split: String) -> String {
  // A part of the data need not have labels of every task.
  let present = scores.tasks.filter { $0.score.present > 0 }
  let tasks = present.isEmpty ? scores.tasks : present
  var metrics: [Metric] = []
  for task in tasks {
    for (metric, _) in task.score.metrics where !metrics.contains(metric) { metrics.append(metric) }
  }
  var wide = TextTable(
    [(split, .left)] + metrics.map { ($0.title, .right) } + [("loss", .right), ("samples", .right)])
  for (name, score) in tasks {
    wide.add(
      [name]
        + metrics.map { metric in score.metrics.contains { $0.metric == metric } ? metric.text(score[metric]) : "" }
        + [fixed(score.loss, 4), grouped(score.present)])
  }
  let text = wide.text
  guard text.split(separator: "\n").contains(where: { $0.count > 80 }) else { return text }
  var long = TextTable([(split, .left), ("metric", .left), ("value", .right), ("samples", .right)])
  for (name, score) in tasks {
    long.add([name, "loss", fixed(score.loss, 4), grouped(score.present)])
    for (metric, value) in score.metrics { long.add(["", metric.title, metric.text(value), ""]) }
  }
  return long.text
}
