// SPDX-License-Identifier: Apache-2.0
// A recipe of two tiny tasks on made-up samples, for what trains several nets.

import MTLFast
import MTLFastData
import MTLFastRecipes
import MTLFastTraining

enum TwoTasks {
  /// 48 training samples in minibatches of 16, 12 for validation, 20 for the test.
  static let text = """
    recipe: 1
    name: two
    data:
      {format: synthetic, generator: simultaneous, seed: 0, training: 60, test: 20, validation: {fraction: 0.2, seed: 1}}
    inputs: {features: {shape: [10]}, measurements: {shape: [5]}}
    tasks:
      sign: {labels: classification, classes: [negative, positive]}
      size: {target: regression, normalize: false}
    model:
      shared: {from: [features, measurements], layers: [concatenate, dense: {units: 8, activation: relu}]}
    heads: {sign: {from: shared}, size: {from: shared}}
    training: {optimizer: {adam: {learning_rate: 0.01}}, batch_size: 16, epochs: 2, seed: 3, report: test}
    """

  static func data(_ overrides: [String] = []) throws -> RecipeData {
    let recipe = try RecipeSource(name: "two.yaml", text: text).recipe(overrides: overrides.map(RecipeOverride.set))
    return try RecipeData(recipe, search: DatasetSearch(folder: "/nowhere", environment: { _ in nil }))
  }
}

/// Requests a stop after a step.
final class StopAfterStep: Callback {
  private let step: Int
  private let stop: StopRequest

  init(_ step: Int, _ stop: StopRequest) { (self.step, self.stop) = (step, stop) }

  func stepDidEnd(_ record: StepRecord, state: () throws -> TrainingState) {
    if record.step == step { stop.request() }
  }
}
