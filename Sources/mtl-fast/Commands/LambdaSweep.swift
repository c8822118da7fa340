// SPDX-License-Identifier: Apache-2.0
// Nets of two tasks with different loss weights: the best is chosen on held-out samples and scored on the test set.

import MTLFast
import MTLFastRecipes
import MTLFastTraining

/// What a sweep trains, checked before anything is trained.
struct LambdaSweep {
  private let data: RecipeData
  private let settings: ComparisonSettings
  private let lambdas: [Lambda]
  private let tasks: [(name: String, metric: Metric)]

  /// The share of the training samples that is held out.
  static let heldOut = 0.1

  /// - Throws: `MTLFastError` of kind `usage` where the recipe hasn't two heads, or their metrics have no mean.
  static func check(_ recipe: Recipe, range: String, select: String?) throws {
    _ = try Lambda.range(range)
    let names = recipe.heads.map(\.name)
    guard names.count == 2 else {
      throw MTLFastError(
        .usage,
        "--lambda \(range): lambda weighs two heads but recipe '\(recipe.name)' has \(names.count) (\(names.joined(separator: ", "))). Leave the range out."
      )
    }
    if let select, !names.contains(select) {
      throw MTLFastError(
        .usage, "--select: " + unknownName("task", select, in: "recipe '\(recipe.name)'", known: names))
    }
  }

  /// - Parameter data: of a recipe that holds samples out.
  init(_ data: RecipeData, settings: ComparisonSettings) throws {
    let range = settings.lambda ?? ""
    try Self.check(data.resolved, range: range, select: settings.select)
    self.data = data
    self.settings = settings
    lambdas = try Lambda.range(range)
    tasks = try data.resolved.modelGraph().heads.map { ($0.name, $0.metrics.first ?? .accuracy) }
    guard let validation = data.validation, tasks.allSatisfy({ validation.target(of: $0.name) != nil }) else {
      throw MTLFastError(.usage, "Recipe '\(data.resolved.name)': not every task has held-out labels to choose by.")
    }
    guard settings.select != nil || tasks.allSatisfy({ $0.metric.isShare }) else {
      let metrics = tasks.map { "\($0.name) by \($0.metric.name)" }.joined(separator: ", ")
      throw MTLFastError(
        .usage,
        "--lambda \(range): the tasks' metrics have no common mean (\(metrics)). Name the task to choose by: --select \(tasks[0].name)."
      )
    }
  }

  func run(in folder: ComparisonFolder, threads: Int?, showsProgress: Bool) throws -> SweepReport {
    let nets = ComparisonNets(
      in: folder, count: lambdas.count * settings.seeds.count, threads: threads, showsProgress: showsProgress)
    func net(_ lambda: Lambda, _ seed: UInt64) -> ComparisonNets.Net {
      .init(
        path: "lambda-\(lambda.text)/seed-\(seed)", title: "lambda \(lambda.text), seed \(seed)",
        data: data.with(weights: lambda.weights).with(seed: seed))
    }
    var seconds = 0.0
    let rows = try lambdas.map { lambda in
      let results = try settings.seeds.map { try nets.result(of: net(lambda, $0), scoredOn: ["validation"]) }
      seconds += results.reduce(0) { $0 + $1.trainingSeconds }
      return SweepReport.Row(
        lambda: lambda,
        scores: tasks.map { task in results.map { $0.score(of: task.name, task.metric, on: "validation") } })
    }
    var report = SweepReport(
      recipe: data.resolved.name, seeds: settings.seeds, tasks: tasks, select: settings.select, rows: rows,
      seconds: seconds, failed: nets.failed)
    if let best = report.best {
      // The choice is made: the test set is read for these nets alone.
      let scores = try settings.seeds.compactMap { try nets.scores(of: net(rows[best].lambda, $0), on: "test") }
      if !scores.isEmpty { report.test = tasks.map { task in scores.map { $0[task.name]?[task.metric] } } }
    }
    return report
  }
}
