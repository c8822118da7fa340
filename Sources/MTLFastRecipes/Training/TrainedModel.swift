// SPDX-License-Identifier: Apache-2.0
// A trained model, found by its run or checkpoint.

import MTLFast
import MTLFastData
import MTLFastTraining

/// A model as its training left it, with the recipe that says what it reads and what its heads mean.
///
///     let trained = try TrainedModel.load("runs/latest")
///     for part in try trained.evaluate(search: DatasetSearch()) { print(part.split, part.scores["item"]?.accuracy ?? .nan) }
public struct TrainedModel {
  /// As resolved: it knows classes, columns and means without the data.
  public let recipe: Recipe
  /// The file that the weights are from.
  public let checkpoint: String
  public let model: MultiTaskModel
  /// nil for every core that this process may use.
  public let threads: Int?

  /// - Parameters:
  ///   - run: a run folder, whose newest checkpoint that is whole counts, or a .safetensors file.
  ///   - best: whether the run's best model is meant, not its newest.
  ///   - notes: is told of newer checkpoints that were refused.
  /// - Throws: `MTLFastError` of kind `missingInput` where there is no such run or checkpoint, `badData` where it is
  ///   damaged, `usage` where there is no best of several.
  public static func load(
    _ run: String, best: Bool = false, threads: Int? = nil, notes: (String) -> Void = { _ in }
  ) throws -> TrainedModel {
    let (path, checkpoint) = try best ? findBest(run) : find(run, notes: notes)
    let recipe = try RecipeSource(name: path, text: checkpoint.recipe).recipe()
    let graph = try recipe.withPublishedClasses().modelGraph()
    let model = try MultiTaskModel(graph: graph, seed: checkpoint.state.seed)
    try model.load(checkpoint.state)
    return TrainedModel(recipe: recipe, checkpoint: path, model: model, threads: threads)
  }

  /// The newest checkpoint of a run that is whole, or a file.
  ///
  /// - Throws: `MTLFastError` as `load`.
  public static func find(
    _ run: String, notes: (String) -> Void = { _ in }
  ) throws -> (path: String, checkpoint: Checkpoint) {
    if run.hasSuffix(".safetensors") { return (run, try Checkpoint.read(from: run)) }
    let latest = try CheckpointWriter.latest(in: RunFolder.open(run))
    for refused in latest.refused { notes("Warning: \(refused.error.message)") }
    return (latest.path, latest.checkpoint)
  }

  /// The model that was best on the validation data.
  private static func findBest(_ run: String) throws -> (path: String, checkpoint: Checkpoint) {
    guard !run.hasSuffix(".safetensors") else {
      throw MTLFastError(.usage, "\(run): is one model, so there is no best of several.", remedy: .takingNewest)
    }
    let path = try RunFolder.open(run).bestPath()
    do { return (path, try Checkpoint.read(from: path)) } catch let error as MTLFastError
      where error.kind == .missingInput
    {
      throw MTLFastError(
        .missingInput,
        "\(run): has no best.safetensors: its recipe selects no model on validation data, or no epoch has ended yet.",
        remedy: .takingNewest)
    }
  }

  // MARK: Scores

  /// The scores, with confusion matrices, on every part of the recipe's data that isn't trained on.
  ///
  /// - Parameters:
  ///   - skipsBad: leaves out images that can't be read, with a note.
  ///   - notes: gets what the user should know but that stops nothing.
  /// - Throws: `MTLFastError` as `RecipeData`; of kind `usage` where the data have no such part.
  public func evaluate(
    search: DatasetSearch, skipsBad: Bool = false, notes: (String) -> Void = { _ in }
  ) throws -> [(split: String, scores: Scores)] {
    var parts: [(split: String, samples: Samples?)] = []
    if recipe.hasValidationData {
      let read = try RecipeData(recipe, search: search, skipsBad: skipsBad, threads: threads, notes: notes)
      parts = [("validation", read.validation), ("test", read.test)]
    } else {
      parts = [("test", try testSamples(search: search, skipsBad: skipsBad, notes: notes))]
    }
    return try parts.compactMap { split, samples in
      guard let samples else { return nil }
      let evaluator = try Evaluator(
        model, batchSize: min(recipe.training.batchSize, samples.count), threads: threads)
      return (split, try evaluator.evaluate(samples, collectsConfusion: true))
    }
  }

  /// The recipe's test samples.
  ///
  /// - Throws: `MTLFastError` as `Recipe.testSamples`.
  public func testSamples(
    search: DatasetSearch, skipsBad: Bool = false, notes: (String) -> Void = { _ in }
  ) throws -> Samples {
    try recipe.testSamples(search: search, skipsBad: skipsBad, threads: threads, notes: notes)
  }

  // MARK: Predictions

  /// What the model says about samples, in the order asked for.
  ///
  /// - Parameters:
  ///   - top: how many classes to keep, the most probable first; nil for all.
  ///   - sumsParents: whether a parent's probability is the sum of its classes'.
  /// - Throws: `MTLFastError` of kind `badData` where the samples don't fit the model, `system` where memory is missing.
  public func predict(
    _ samples: Samples, at indices: [Int], top: Int? = nil, sumsParents: Bool = false
  ) throws -> [Prediction] {
    guard !indices.isEmpty else { return [] }
    let evaluator = try Evaluator(model, batchSize: min(indices.count, 200), threads: threads, predicts: true)
    var results = try evaluator.predict(samples, at: indices)
    if sumsParents { sumParents(&results) }
    return indices.indices.map { row in
      Prediction(
        index: indices[row],
        heads: results.compactMap { name, values in
          // A shorter stream has no such sample.
          guard !values[row].isEmpty, let head = model.graph.heads.first(where: { $0.name == name }) else { return nil }
          let target = samples.target(of: name)
          return (name, value(values[row], of: head, target: target, sample: indices[row], top))
        })
    }
  }

  private func value(
    _ values: [Float], of head: Head, target: TargetColumn?, sample: Int, _ top: Int?
  ) -> Prediction.Value {
    switch head.task {
    case .classification(let classNames):
      let label: Int32? = if case .classes(let column)? = target { column.values[sample] } else { nil }
      return .classes(classNames, probabilities: values, label: label, top: top)
    case .regression(let targets):
      let known: [Float]? =
        if case .values(let column)? = target {
          Array(column.values[sample * targets.count..<(sample + 1) * targets.count])
        } else { nil }
      return .values(zip(targets, values).map { ($0.name, $1) }, label: known)
    case .segmentation, .masks:
      return .mask(probabilities: values, shape: model.graph.nodes[head.logits].shape)
    }
  }

  /// Replaces the parents' probabilities by the sums of their classes'.
  private func sumParents(_ results: inout [(head: String, values: [[Float]])]) {
    for head in model.graph.heads {
      guard let hierarchy = head.hierarchy,
        let child = results.first(where: { $0.head == head.name })?.values,
        let parent = results.firstIndex(where: { $0.head == hierarchy.parent })
      else { continue }
      for row in child.indices {
        var sums = [Float](repeating: 0, count: results[parent].values[row].count)
        guard !child[row].isEmpty else { continue }
        for (index, probability) in child[row].enumerated() { sums[hierarchy.parents[index]] += probability }
        results[parent].values[row] = sums
      }
    }
  }
}
