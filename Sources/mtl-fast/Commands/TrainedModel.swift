// SPDX-License-Identifier: Apache-2.0
// A trained model, found by its run or checkpoint.

import MTLFast
import MTLFastData
import MTLFastRecipes
import MTLFastTraining

/// What `evaluate` and `predict` work on.
struct TrainedModel {
  /// As resolved: it knows classes, columns and means without the data.
  let recipe: Recipe
  /// The file that the weights are from.
  let checkpoint: String
  let model: MultiTaskModel
  let threads: Int?

  /// - Parameters:
  ///   - run: a run folder or a .safetensors file.
  ///   - best: whether the run's best model is meant, not its newest.
  static func load(_ run: String, best: Bool = false, threads: Int?) throws -> TrainedModel {
    let (path, checkpoint) = try best ? findBest(run) : find(run)
    let recipe = try RecipeSource(name: path, text: checkpoint.recipe).recipe()
    let graph = try recipe.withPublishedClasses().modelGraph()
    let model = try MultiTaskModel(graph: graph, seed: checkpoint.state.seed)
    try model.load(checkpoint.state)
    return TrainedModel(recipe: recipe, checkpoint: path, model: model, threads: threads)
  }

  /// The newest checkpoint of a run that is whole, or a file.
  static func find(_ run: String) throws -> (path: String, checkpoint: Checkpoint) {
    if run.hasSuffix(".safetensors") { return (run, try Checkpoint.read(from: run)) }
    let latest = try CheckpointWriter.latest(in: RunFolder.open(run))
    for refused in latest.refused { Console.note("Warning: \(refused.error.message)") }
    return (latest.path, latest.checkpoint)
  }

  /// The model that was best on the validation data.
  private static func findBest(_ run: String) throws -> (path: String, checkpoint: Checkpoint) {
    guard !run.hasSuffix(".safetensors") else {
      throw MTLFastError(.usage, "\(run): is one model, so there is no best of several. Leave --best out.")
    }
    let path = try RunFolder.open(run).bestPath()
    do { return (path, try Checkpoint.read(from: path)) } catch let error as MTLFastError
      where error.kind == .missingInput
    {
      throw MTLFastError(
        .missingInput,
        "\(run): has no best.safetensors: its recipe selects no model on validation data, or no epoch has ended yet. Leave --best out."
      )
    }
  }

  /// The scores on every part of the recipe's data that isn't trained on.
  func evaluate(_ data: DataOptions) throws -> [(split: String, scores: Scores)] {
    var parts: [(split: String, samples: Samples?)] = []
    if recipe.hasValidationData {
      let read = try RecipeData(
        recipe, search: data.search, skipsBad: data.skipBad, threads: threads, notes: Console.note)
      parts = [("validation", read.validation), ("test", read.test)]
    } else {
      parts = [("test", try testSamples(data))]
    }
    return try parts.compactMap { split, samples in
      guard let samples else { return nil }
      let evaluator = try Evaluator(
        model, batchSize: min(recipe.training.batchSize, samples.count), threads: threads)
      return (split, try evaluator.evaluate(samples, collectsConfusion: true))
    }
  }

  func testSamples(_ data: DataOptions) throws -> Samples {
    try recipe.testSamples(search: data.search, skipsBad: data.skipBad, threads: threads, notes: Console.note)
  }

  /// What the model says about samples, in the order asked for.
  ///
  /// - Parameters:
  ///   - names: what each is called.
  ///   - top: how many classes to keep.
  ///   - sumsParents: whether a parent's probability is the sum of its classes'.
  ///   - masks: writes the masks.
  func predict(
    _ samples: Samples, at indices: [Int], names: [String], top: Int, sumsParents: Bool, masks: MaskWriter
  ) throws -> [PredictionReport] {
    guard !indices.isEmpty else { return [] }
    let evaluator = try Evaluator(model, batchSize: min(indices.count, 200), threads: threads, predicts: true)
    var results = try evaluator.predict(samples, at: indices)
    if sumsParents { sumParents(&results) }
    return try indices.indices.map { row in
      PredictionReport(
        sample: names[row],
        heads: try results.compactMap { name, values in
          // A shorter stream has no such sample.
          guard !values[row].isEmpty, let head = model.graph.heads.first(where: { $0.name == name }) else { return nil }
          let target = samples.target(of: name)
          return (
            name,
            try result(values[row], of: head, target: target, sample: indices[row], called: names[row], top, masks)
          )
        })
    }
  }

  private func result(
    _ values: [Float], of head: Head, target: TargetColumn?, sample: Int, called name: String, _ top: Int,
    _ masks: MaskWriter
  ) throws -> PredictionReport.Result {
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
      let shape = model.graph.nodes[head.logits].shape
      return .mask(try masks.write(values, of: head, shape: shape, sample: name))
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
