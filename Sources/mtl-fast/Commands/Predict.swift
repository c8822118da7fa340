// SPDX-License-Identifier: Apache-2.0
// `mtl-fast predict`: what a run says about single samples, by class name.

import ArgumentParser
import MTLFast
import MTLFastTraining

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Predict the classes of single samples.",
    discussion: """
      Prints, for each head, the most probable classes by name with their probabilities, and the label of the data.

      Examples:
        mtl-fast predict runs/latest --test-index 0
        mtl-fast predict runs/latest --test-index 0 17 4711 --top 3
        mtl-fast predict runs/latest --test-index 0 --json
      """)

  @Argument(help: ArgumentHelp("A run folder (its newest checkpoint counts) or a .safetensors file.", valueName: "run"))
  var trained: String

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Samples of the test set, by their index from 0.", valueName: "n"))
  var testIndex: [Int]

  @Option(help: ArgumentHelp("How many classes to show for each head.", valueName: "k")) var top = 1

  @OptionGroup var data: DataOptions
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard !testIndex.isEmpty else { throw ValidationError("Name at least one sample: --test-index 0.") }
    guard top >= 1 else { throw ValidationError("--top must be 1 or more. Received: \(top).") }
  }

  func run() throws {
    let model = try TrainedModel.load(trained, data: data.search, threads: compute.threads)
    if let index = testIndex.first(where: { !(0..<model.test.count).contains($0) }) {
      throw MTLFastError(
        .usage, "--test-index \(index): the test set has \(model.test.count) samples (0...\(model.test.count - 1)).")
    }
    let reports = try model.predict(testIndex, top: top)
    try output.print(
      PredictionReport.text(reports),
      json: .object(["recipe": .string(model.recipe.name), "predictions": .array(reports.map(\.json))]))
  }
}
