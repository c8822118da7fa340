// SPDX-License-Identifier: Apache-2.0
// Nets of two tasks with different loss weights: the best is chosen on held-out samples and scored on the test set.

import MTLFast
import MTLFastTraining

/// Which weight should each of two losses have? What is trained, checked before anything is.
///
///     let data = try RecipeData(recipe.holdingOut(LambdaSweep.heldOut), search: DatasetSearch())
///     let settings = try ComparisonSettings(seed: 0, count: 3, lambda: "0:1:0.25")
///     let sweep = try LambdaSweep(data, settings: settings)
///     let folder = try ComparisonFolder.create(for: recipe.name, recipeText: data.resolved.yaml(), settings: settings)
///     let result = try sweep.run(in: folder)
///     result?.best.map { result?.rows[$0].lambda.value }
public struct LambdaSweep: Sendable {
  private let data: RecipeData
  private let settings: ComparisonSettings
  private let lambdas: [Lambda]
  private let tasks: [(name: String, metric: Metric)]

  /// The share of the training samples that is held out.
  public static let heldOut = 0.1

  /// - Throws: `MTLFastError` of kind `usage` where the range can't be read, the recipe hasn't two heads or no such task.
  public static func check(_ recipe: Recipe, range: String, select: String?) throws {
    _ = try Lambda.range(range)
    let names = recipe.heads.map(\.name)
    guard names.count == 2 else {
      throw MTLFastError(
        .usage,
        "lambda \(range): lambda weighs two heads but recipe '\(recipe.name)' has \(names.count) (\(names.joined(separator: ", "))). Leave the range out.",
        remedy: .changingLambda)
    }
    if let select, !names.contains(select) {
      throw MTLFastError(
        .usage, "select: " + unknownName("task", select, in: "recipe '\(recipe.name)'", known: names),
        remedy: .changingSelection)
    }
  }

  /// - Parameter data: of a recipe that holds samples out.
  /// - Throws: `MTLFastError` of kind `usage`, as `check`, or where samples to choose by or a mean to choose by are missing.
  public init(_ data: RecipeData, settings: ComparisonSettings) throws {
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
        "lambda \(range): the tasks' metrics have no common mean (\(metrics)). Name the task to choose by.",
        remedy: .selecting(tasks[0].name))
    }
  }

  /// Trains what isn't trained yet, chooses, and scores the chosen nets on the test data.
  ///
  /// - Parameters:
  ///   - folder: of this sweep: new, begun or done.
  ///   - threads: nil for every core that this process may use.
  ///   - stop: ends the sweep in good order; another call goes on with it, to the same result.
  ///   - notes: gets what the user should know but that stops nothing.
  /// - Returns: nil where a stop was requested before the last net was trained.
  /// - Throws: `MTLFastError`, as `TwinComparison.run`.
  public func run(
    in folder: ComparisonFolder, threads: Int? = nil, stop: StopRequest? = nil,
    observer: (any ComparisonObserver)? = nil, notes: @escaping (String) -> Void = { _ in }
  ) throws -> SweepResult? {
    let nets = ComparisonNets(
      in: folder, count: lambdas.count * settings.seeds.count, threads: threads, stop: stop, observer: observer,
      notes: notes)
    func net(_ lambda: Lambda, _ seed: UInt64) -> ComparisonNets.Net {
      .init(
        path: "lambda-\(lambda.text)/seed-\(seed)", title: "lambda \(lambda.text), seed \(seed)",
        data: data.with(weights: lambda.weights).with(seed: seed))
    }
    var seconds = 0.0
    var rows: [SweepResult.Row] = []
    for lambda in lambdas {
      var results: [NetResult] = []
      for seed in settings.seeds {
        guard let result = try nets.result(of: net(lambda, seed), scoredOn: ["validation"]) else { return nil }
        results.append(result)
        seconds += result.trainingSeconds
      }
      rows.append(
        .init(
          lambda: lambda,
          scores: tasks.map { task in results.map { $0.score(of: task.name, task.metric, on: "validation") } }))
    }
    var sweep = SweepResult(
      recipe: data.resolved.name, seeds: settings.seeds, tasks: tasks, select: settings.select, rows: rows,
      seconds: seconds, failed: nets.failed)
    if let best = sweep.best {
      // The choice is made: the test set is read for these nets alone.
      let scores = try settings.seeds.compactMap { try nets.scores(of: net(rows[best].lambda, $0), on: "test") }
      if !scores.isEmpty { sweep.test = tasks.map { task in scores.map { $0[task.name]?[task.metric] } } }
    }
    return sweep
  }
}
