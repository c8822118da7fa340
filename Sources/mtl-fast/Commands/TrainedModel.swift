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
    let (path, checkpoint) = try find(run)
    let recipe = try RecipeSource(name: path, text: checkpoint.recipe).recipe()
    let graph = try recipe.withPublishedClasses().modelGraph()
    let model = try MultiTaskModel(graph: graph, seed: checkpoint.state.seed)
    try model.load(checkpoint.state)
    let test = try recipe.testSamples(search: data, notes: Console.note)
    return TrainedModel(recipe: recipe, checkpoint: path, test: test, model: model, threads: threads)
  }

  private static func find(_ run: String) throws -> (String, Checkpoint) {
    if run.hasSuffix(".safetensors") { return (run, try Checkpoint.read(from: run)) }
    let latest = try CheckpointWriter.latest(in: RunFolder.open(run))
    for refused in latest.refused { Console.note("Warning: \(refused.error.message)") }
    return (latest.path, latest.checkpoint)
  }

  func evaluate() throws -> Scores {
    try Evaluator(model, batchSize: min(recipe.training.batchSize, test.count), threads: threads).evaluate(test)
  }

  /// The predictions for samples of the test set, in the order asked for.
  func predict(_ indices: [Int], top: Int) throws -> [PredictionReport] {
    let evaluator = try Evaluator(model, batchSize: min(indices.count, 200), threads: threads, predicts: true)
    let heads = try evaluator.predict(test, at: indices)
    return indices.enumerated().map { row, index in
      PredictionReport(
        sample: "test \(index)",
        heads: heads.map { head, probabilities in
          let labels = if case .classes(let column)? = test.target(of: head) { column } else { nil as LabelColumn? }
          return PredictionReport.Head(
            name: head, classNames: labels?.classNames ?? [], probabilities: probabilities[row],
            label: labels?.values[index] ?? -1, top: top)
        })
    }
  }
}
