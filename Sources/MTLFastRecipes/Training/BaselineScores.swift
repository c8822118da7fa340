// SPDX-License-Identifier: Apache-2.0
// How well a constant and a linear model do on a recipe's data.

import MTLFast
import MTLFastTraining

/// What a net must beat to have learnt something.
///
/// The constant model always says how often each class occurs in the training samples (at each pixel, for masks), or their
/// mean. The linear model is one dense layer from the inputs to each head, trained by the recipe's optimizer until no task
/// gains any more, for 20 times the recipe's epochs at most.
public struct BaselineScores: Sendable {
  /// What is scored on: `validation`, `test`.
  public struct Part: Sendable {
    public let split: String
    /// Those that have labels there.
    public let tasks: [Task]
  }

  public struct Task: Sendable {
    public let name: String
    /// nil where a metric is not defined. The linear model's is that of its best epoch, which flatters it.
    public let metrics: [(metric: Metric, constant: Double?, linear: Double?)]
  }

  public let recipe: String
  public let parts: [Part]

  /// Fits both models to the training samples and scores them.
  ///
  /// - Throws: `MTLFastError` of kind `usage` where there are neither validation nor test data, otherwise as `Trainer.fit`.
  public init(_ data: RecipeData, threads: Int? = nil) throws {
    let settings = data.resolved.training
    let graph = try data.resolved.modelGraph()
    let test = data.validatesOnTest ? nil : data.test
    let scored = [("validation", data.validation), ("test", test)].compactMap { split, samples in
      samples.map { (split: split, samples: $0) }
    }
    guard !scored.isEmpty else {
      throw MTLFastError(.usage, "Recipe '\(data.resolved.name)': has neither validation nor test data to score on.")
    }
    let constant = try MultiTaskModel.constant(for: graph, samples: data.training)
    let trainer = try Trainer(
      MultiTaskModel(graph: graph.linear(), seed: settings.seed), optimizer: settings.optimizer, threads: threads)
    var records: [EpochRecord] = []
    for round in 1...20 {
      let before = Self.best(records)
      records += try trainer.fit(
        data.training, validation: data.validation, test: test, epochs: round * settings.epochs,
        batchSize: settings.batchSize
      ).epochs
      if !before.isEmpty, zip(before, Self.best(records)).allSatisfy({ $1 - $0 < 0.002 }) { break }
    }
    recipe = data.resolved.name
    parts = try scored.map { split, samples in
      let scores = try Evaluator(constant, batchSize: min(settings.batchSize, samples.count), threads: threads)
        .evaluate(samples)
      let epochs = records.compactMap { split == "test" ? $0.test : $0.validation }
      return Part(
        split: split,
        tasks: scores.tasks.filter { $0.score.present > 0 }.map { name, score in
          Task(
            name: name,
            metrics: score.metrics.map { metric, value in
              let linear = epochs.compactMap { $0[name]?[metric] }.reduce(nil) { best, value in
                best.map { metric.isBetter(value, than: $0) ? value : $0 } ?? value
              }
              return (metric, value, linear)
            })
        })
    }
  }

  /// The best of each task's first metric on each part so far; an error counts as a loss of its sign.
  private static func best(_ records: [EpochRecord]) -> [Double] {
    var best: [String: Double] = [:]
    for record in records {
      for (part, scores) in [("validation", record.validation), ("test", record.test)] {
        for (name, score) in scores?.tasks ?? [] {
          guard let (metric, value) = score.metrics.first, let value else { continue }
          let gain = metric.isBetter(1, than: 0) ? value : -value
          best["\(part) \(name)"] = max(best["\(part) \(name)"] ?? gain, gain)
        }
      }
    }
    return best.keys.sorted().compactMap { best[$0] }
  }
}
