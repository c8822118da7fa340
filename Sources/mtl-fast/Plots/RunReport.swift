// SPDX-License-Identifier: Apache-2.0
// The page about runs that were drawn: their scores, their settings, their pictures.

import MTLFast
import MTLFastRecipes
import MTLFastTraining

/// What the page of `plot` says about runs.
struct RunReport {
  struct Run {
    let name: String
    let folder: RunFolder
    let recipe: Recipe
    let recipeText: String
    let logs: RunLogs
  }

  let runs: [Run]

  func page(pictures: [Picture]) -> ReportPage {
    let recipes = unique(runs.map(\.recipe.name)).joined(separator: ", ")
    return ReportPage(
      title: runs.count == 1 ? "\(recipes): \(runs[0].name)" : "\(recipes): \(runs.count) runs",
      tables: scores + [("Settings", settings)], pictures: pictures,
      notes: runs.map { "\($0.name): \(progress(of: $0))" },
      texts: runs.map { ("recipe.yaml of \($0.name)", $0.recipeText) })
  }

  private func unique(_ names: [String]) -> [String] {
    names.reduce(into: []) { found, name in if !found.contains(name) { found.append(name) } }
  }

  private func progress(of run: Run) -> String {
    let (trained, wanted) = (run.logs.epochs.last?.epoch ?? 0, run.recipe.training.epochs)
    let steps = "\(grouped(Int(run.logs.steps.last ?? 0))) steps"
    return trained >= wanted
      ? "\(trained) epoch\(trained == 1 ? "" : "s"), \(steps)."
      : "\(trained) of \(wanted) epochs so far, \(steps)."
  }

  // MARK: Scores

  /// Of one run all parts of the data; of several what each was held out for.
  private var scores: [(title: String, table: TextTable)] {
    let columns: [(title: String, scores: [RunLogs.TaskScores])] =
      runs.count == 1
      ? runs[0].logs.epochs.last?.parts.map { ($0.split, $0.tasks) } ?? []
      : runs.compactMap { run in
        guard let part = run.logs.epochs.last?.parts.last else { return nil }
        return ("\(run.name) (\(part.split))", part.tasks)
      }
    guard !columns.isEmpty else { return [] }
    var table = TextTable([("task", .left), ("metric", .left)] + columns.map { ($0.title, .right) })
    for task in unique(runs.flatMap { $0.logs.tasks.map(\.name) }) {
      let scores = columns.map { column in column.scores.first { $0.name == task } }
      let first = runs.compactMap { $0.logs[task]?.metric }.prefix(1)
      var metrics = Array(first)
      for (metric, _) in scores.flatMap({ $0?.metrics ?? [] }) where !metrics.contains(metric) {
        metrics.append(metric)
      }
      table.add([task, "loss"] + scores.map { fixed($0?.loss, 4) })
      for metric in metrics { table.add(["", metric.title] + scores.map { metric.text($0?[metric]) }) }
    }
    return [("Scores after the last epoch", table)]
  }

  // MARK: Settings

  private var settings: TextTable {
    var table = TextTable([("setting", .left)] + runs.map { ($0.name, .left) })
    func add(_ name: String, _ value: (Recipe) -> String) { table.add([name] + runs.map { value($0.recipe) }) }
    add("recipe") { $0.name }
    add("optimizer") { "\($0.training.optimizer)" }
    add("batch size") { "\($0.training.batchSize)" }
    add("epochs") { "\($0.training.epochs)" }
    add("seed") { "\($0.training.seed)" }
    for head in unique(runs.flatMap { $0.recipe.heads.map(\.name) }) {
      add("loss weight of \(head)") { recipe in
        recipe.heads.first { $0.name == head }.map { "\($0.weight)" } ?? "-"
      }
    }
    return table
  }
}
