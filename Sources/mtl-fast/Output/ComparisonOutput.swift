// SPDX-License-Identifier: Apache-2.0
// The result of a comparison: kept in its folder, drawn, and printed.

import MTLFast
import MTLFastRecipes
import MTLFastTraining

/// What a comparison found, in every form.
struct ComparisonOutput {
  let folder: ComparisonFolder
  let text: String
  let members: [String: JSONValue]
  let csv: String
  /// Read when they are drawn.
  let plots: () throws -> ComparisonPlots

  /// Keeps the result, draws its pictures, and prints it.
  ///
  /// - Throws: `MTLFastError` of kind `writeFailed`.
  func finish(_ output: OutputOptions, asCSV: Bool) throws {
    try folder.write(csv, to: "comparison.csv")
    try folder.write(JSONValue.object(members).text, to: "comparison.json")
    let page = drawIfPossible()
    try output.print(
      asCSV ? csv : "\(text)\n\n\(page ?? folder.path)",
      json: .object(
        members.merging(["folder": .string(folder.path), "report": page.map { .string($0) } ?? .null]) { _, new in new }
      ))
  }

  /// The page; nil where anything stands in the way of drawing, which is said: the numbers are what counts.
  private func drawIfPossible() -> String? {
    do { return try plots().draw() } catch {
      Console.note("Warning: no pictures: \((error as? MTLFastError).map(RemedyText.text) ?? "\(error)")")
      return nil
    }
  }
}

extension ComparisonOutput {
  init(_ result: SweepResult, in folder: ComparisonFolder, recipeText: String) {
    self.init(folder: folder, text: result.text, members: result.members, csv: result.csv) {
      ComparisonPlots(
        folder: folder, title: result.recipe, subtitle: "a sweep over lambda, \(seedText(result.seeds))",
        lambda: result.plot, tables: [("Held-out scores", result.sweepTable)],
        notes: [result.choice] + result.failed.map(\.text), recipeText: recipeText)
    }
  }

  init(_ result: ComparisonResult, of comparison: TwinComparison, in folder: ComparisonFolder, recipeText: String) {
    self.init(folder: folder, text: result.text, members: result.members, csv: result.csv) {
      let runs = try comparison.runs(in: folder)
      // A curve of several seeds is as long as the shortest.
      let groups = [
        PlotGroup(
          name: "all tasks together", runs: runs.together.map { ($0, Set(result.tasks.map(\.scores.task))) }),
        PlotGroup(
          name: "each task alone", runs: runs.alone.flatMap { task, runs in runs.map { ($0, Set([task])) } }),
      ]
      return ComparisonPlots(
        folder: folder, title: result.recipe,
        subtitle: "all tasks together against each alone, \(seedText(result.seeds))", groups: groups,
        tables: [("Scores", result.scoreTables.wide), ("Cost", result.costTable)],
        notes: result.words + result.failed.map(\.text), recipeText: recipeText)
    }
  }
}
