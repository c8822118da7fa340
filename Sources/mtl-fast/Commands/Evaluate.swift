// SPDX-License-Identifier: Apache-2.0
// `mtl-fast evaluate`: a run's scores on the test set.

import ArgumentParser
import MTLFast
import MTLFastTraining

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Score a run on its test set.",
    discussion: """
      Examples:
        mtl-fast evaluate runs/latest
        mtl-fast evaluate runs/fashion-mnist-001/checkpoints/step-00003000.safetensors --json
      """)

  @Argument(help: ArgumentHelp("A run folder (its newest checkpoint counts) or a .safetensors file.", valueName: "run"))
  var trained: String
  @OptionGroup var data: DataOptions
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let model = try TrainedModel.load(trained, data: data.search, threads: compute.threads)
    let scores = try model.evaluate()
    try output.print(
      scoreTable(scores, accuracyTitle: "test accuracy", lossTitle: "test loss"),
      json: .object([
        "recipe": .string(model.recipe.name), "checkpoint": .string(model.checkpoint), "test": scores.tasksJSON,
      ]))
  }
}
