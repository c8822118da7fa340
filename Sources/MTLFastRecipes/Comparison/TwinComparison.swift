// SPDX-License-Identifier: Apache-2.0
// A net of all tasks against a net for each task, over several seeds.

import MTLFast
import MTLFastTraining

/// Does training the tasks together help? What is compared, checked before anything is trained.
///
///     let data = try RecipeData(recipe, search: DatasetSearch())
///     let settings = try ComparisonSettings(seed: 0, count: 3)
///     let comparison = try TwinComparison(data, settings: settings)
///     let folder = try ComparisonFolder.create(for: recipe.name, recipeText: data.resolved.yaml(), settings: settings)
///     let result = try comparison.run(in: folder)
///
/// For each seed the recipe is trained, and for each task a twin: the same trunk and that task's head alone, at weight 1, on
/// the same minibatches in the same order and from the same initial weights.
public struct TwinComparison: Sendable {
  private let data: RecipeData
  private let settings: ComparisonSettings
  private let twins: [Twin]

  private struct Twin: Sendable {
    let task: String
    /// The first metric that the head has in both nets.
    let metric: Metric
    /// `test`, or `validation` where the test data have no labels of the task.
    let split: String
    let data: RecipeData
  }

  /// - Throws: `MTLFastError` of kind `usage` where there is nothing to compare, or nothing to score it on.
  public init(_ data: RecipeData, settings: ComparisonSettings) throws {
    self.data = data
    self.settings = settings
    let name = data.resolved.name
    let graph = try data.resolved.modelGraph()
    guard graph.heads.count > 1 else {
      throw MTLFastError(
        .usage, "Recipe '\(name)': has one task, '\(graph.heads[0].name)', so there is nothing to train together.")
    }
    twins = try graph.heads.map { head in
      guard head.name != Self.allTasks else {
        throw MTLFastError(
          .usage, "Recipe '\(name)': the folder '\(Self.allTasks)' is that of all tasks. Give that task another name.")
      }
      let twin = try data.singleTask(head.name)
      let own = try twin.resolved.modelGraph().heads.first { $0.name == head.name }?.metrics ?? []
      guard let metric = head.metrics.first(where: own.contains) else {
        throw MTLFastError(
          .usage,
          "Recipe '\(name)': head '\(head.name)' has no metric but \(head.metrics.map(\.name).joined(separator: ", ")), which needs another task. Name one more in heads.\(head.name).metrics."
        )
      }
      if let best = data.resolved.training.best, twin.validation == nil {
        throw MTLFastError(
          .usage,
          "Recipe '\(name)': the net of all tasks is taken where '\(best)' is best, but the data have no validation labels of task '\(head.name)' to choose its twin by. Name some in data.streams, or leave training.best out."
        )
      }
      let split = twin.test != nil ? "test" : "validation"
      guard twin.test != nil || twin.validation != nil else {
        throw MTLFastError(
          .usage,
          "Recipe '\(name)': its data have neither test nor validation labels of task '\(head.name)' to score it on. Name a part: data.validation={fraction: 0.2}."
        )
      }
      return Twin(task: head.name, metric: metric, split: split, data: twin)
    }
  }

  /// The folder of the net of all tasks.
  private static let allTasks = "multi-task"

  private static func path(_ seed: UInt64, _ name: String) -> String { "seed-\(seed)/\(name)" }

  /// The runs of the nets that finished, in the order of the seeds, to draw or to go on with.
  ///
  /// - Throws: `MTLFastError` of kind `missingInput` where the comparison hasn't come to its end.
  public func runs(in folder: ComparisonFolder) throws -> (
    together: [RunFolder], alone: [(task: String, runs: [RunFolder])]
  ) {
    func runs(_ name: String) throws -> [RunFolder] {
      try settings.seeds.map { Self.path($0, name) }.filter { folder.result(of: $0)?.failure == nil }
        .map(folder.trainedRun)
    }
    return (try runs(Self.allTasks), try twins.map { ($0.task, try runs($0.task)) })
  }

  /// Trains what isn't trained yet, and compares.
  ///
  /// - Parameters:
  ///   - folder: of this comparison: new, begun or done.
  ///   - threads: nil for every core that this process may use.
  ///   - stop: ends the comparison in good order; another call goes on with it, to the same result.
  ///   - notes: gets what the user should know but that stops nothing.
  /// - Returns: nil where a stop was requested before the last net was trained.
  /// - Throws: `MTLFastError` of kind `writeFailed`, or as `RecipeTraining.run`; whatever the observer throws. A net whose
  ///   loss is no longer a number ends nothing: it is in `failed`.
  public func run(
    in folder: ComparisonFolder, threads: Int? = nil, stop: StopRequest? = nil,
    observer: (any ComparisonObserver)? = nil, notes: @escaping (String) -> Void = { _ in }
  ) throws -> ComparisonResult? {
    let nets = ComparisonNets(
      in: folder, count: settings.seeds.count * (1 + twins.count), threads: threads, stop: stop, observer: observer,
      notes: notes)
    let splits = ["test", "validation"].filter { split in twins.contains { $0.split == split } }
    var together: [NetResult] = []
    var alone = [[NetResult]](repeating: [], count: twins.count)
    for seed in settings.seeds {
      let all = ComparisonNets.Net(
        path: Self.path(seed, Self.allTasks), title: "seed \(seed), all tasks", data: data.with(seed: seed))
      guard let result = try nets.result(of: all, scoredOn: splits) else { return nil }
      together.append(result)
      for (index, twin) in twins.enumerated() {
        let one = ComparisonNets.Net(
          path: Self.path(seed, twin.task), title: "seed \(seed), \(twin.task) alone", task: twin.task,
          data: twin.data.with(seed: seed))
        guard let result = try nets.result(of: one, scoredOn: [twin.split]) else { return nil }
        alone[index].append(result)
      }
    }
    func mean(_ results: [NetResult]) -> Double? {
      MeanEstimate(results.filter { $0.failure == nil }.map(\.trainingSeconds))?.mean
    }
    return ComparisonResult(
      recipe: data.resolved.name, seeds: settings.seeds,
      tasks: twins.enumerated().map { index, twin in
        func scores(_ results: [NetResult]) -> [Double?] {
          results.map { $0.score(of: twin.task, twin.metric, on: twin.split) }
        }
        return .init(
          scores: TaskComparison(
            task: twin.task, metric: twin.metric, together: scores(together), alone: scores(alone[index])),
          split: twin.split, parameters: alone[index].first?.parameters ?? 0, seconds: mean(alone[index]))
      },
      parameters: together.first?.parameters ?? 0, seconds: mean(together), failed: nets.failed)
  }
}
