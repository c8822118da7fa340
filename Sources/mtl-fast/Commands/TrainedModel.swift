// SPDX-License-Identifier: Apache-2.0
// A trained model, found by its run or checkpoint, with the test set of its recipe.

import MTLFast
import MTLFastData
import MTLFastRecipes
import MTLFastTraining

/// What `evaluate` and `predict` work on.
struct TrainedModel {
  let recipe: Recipe
  /// The file that the weights are from.
  let checkpoint: String
  let test: Samples
  let model: MultiTaskModel
  let threads: Int?

  /// - Parameter run: a run folder or a .safetensors file.
  static func load(_ run: String, data: DatasetSearch, threads: Int?) throws -> TrainedModel {
    throw MTLFastError(.system, "This build can't read checkpoints yet.")
  }

  func evaluate() throws -> Scores {
    try Evaluator(model, batchSize: recipe.training.batchSize, threads: threads).evaluate(test)
  }

  /// The predictions for samples of the test set, in the order asked for.
  func predict(_ indices: [Int], top: Int) throws -> [PredictionReport] {
    let evaluator = try Evaluator(model, batchSize: min(indices.count, 200), threads: threads, predicts: true)
    let heads = try evaluator.predict(test, at: indices)
    return indices.enumerated().map { row, index in
      PredictionReport(
        sample: "test \(index)",
        heads: heads.map { head, probabilities in
          PredictionReport.Head(
            name: head, classNames: test.labels[head]?.classNames ?? [], probabilities: probabilities[row],
            label: test.labels[head]?.values[index] ?? -1, top: top)
        })
    }
  }
}
