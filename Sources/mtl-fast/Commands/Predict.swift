// SPDX-License-Identifier: Apache-2.0
// `mtl-fast predict`: what a run says about images, rows of tables and arrays.

import ArgumentParser
import MTLFast
import MTLFastRecipes
import MTLFastTraining

struct Predict: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Predict from images, tables, arrays or samples of the test set.",
    discussion: """
      Prints, for each head, the most probable classes by name with their probabilities, numbers in their units, and \
      the share of the pixels of each mask; masks are written as PNG. No labels are needed; those of test samples stand \
      beside them.

      Images (.png, .jpg) may have any size, the rows of a .csv need the columns of an input (images that it names \
      are relative to its folder), a .npy or .npz its arrays. \
      Heads whose inputs a file lacks are left out.

      Examples:
        mtl-fast predict runs/latest photo.jpg --top 3
        mtl-fast predict runs/latest rows.csv --csv
        mtl-fast predict runs/latest street.png --masks masks
        mtl-fast predict runs/latest --test-index 0 17 4711 --json
      """)

  @Argument(help: ArgumentHelp("A run folder (its newest checkpoint counts) or a .safetensors file.", valueName: "run"))
  var trained: String

  @Flag(help: "Take the model that was best on the validation data (best.safetensors), not the newest.")
  var best = false

  @Argument(help: ArgumentHelp("Images, tables (.csv) or arrays (.npy, .npz).", valueName: "file"))
  var files: [String] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Samples of the test set, by their index from 0.", valueName: "n"))
  var testIndex: [Int] = []

  @Option(help: ArgumentHelp("How many classes to show for each head.", valueName: "k")) var top = 1

  @Flag(help: "For tasks with a parent: the parent's probabilities become the sums of its classes'.")
  var sumParents = false

  @Option(help: ArgumentHelp("The folder for predicted masks; files of the same name are replaced.", valueName: "dir"))
  var masks = "predictions"

  @Flag(help: "Print the result as comma-separated values.") var csv = false

  @OptionGroup var data: DataOptions
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions

  func validate() throws {
    guard !testIndex.isEmpty || !files.isEmpty else {
      throw ValidationError("Name at least one file, or a sample of the test set: --test-index 0.")
    }
    guard top >= 1 else { throw ValidationError("--top must be 1 or more. Received: \(top).") }
    guard !(csv && output.json) else { throw ValidationError("--csv and --json can't be used together. Keep one.") }
  }

  func run() throws {
    let model = try TrainedModel.load(trained, best: best, threads: compute.threads, notes: Console.note)
    if sumParents, !model.model.graph.heads.contains(where: { $0.hierarchy != nil }) {
      throw MTLFastError(.usage, "--sum-parents: no task of recipe '\(model.recipe.name)' names a parent.")
    }
    var reports: [PredictionReport] = []
    let writer = MaskWriter(folder: masks)
    func add(_ samples: Samples, _ indices: [Int], _ names: [String]) throws {
      let predictions = try model.predict(samples, at: indices, top: top, sumsParents: sumParents)
      reports += try zip(predictions, names).map {
        try PredictionReport($0, of: $1, graph: model.model.graph, masks: writer)
      }
    }
    let images = files.filter { !isTable($0) && !isArray($0) }
    if !images.isEmpty {
      let (samples, kept) = try model.recipe.predictionSamples(
        images: images, skipsBad: data.skipBad, threads: compute.threads, notes: Console.note)
      try add(samples, Array(kept.indices), kept.map { images[$0] })
    }
    for file in files where isTable(file) || isArray(file) {
      if isTable(file) {
        let (samples, lines) = try model.recipe.predictionSamples(
          table: file, skipsBad: data.skipBad, threads: compute.threads, notes: Console.note)
        try add(samples, Array(lines.indices), lines.map { "\(file):\($0)" })
      } else {
        let samples = try model.recipe.predictionSamples(arrays: file)
        try add(samples, Array(0..<samples.count), (0..<samples.count).map { "\(file):\($0)" })
      }
    }
    if !testIndex.isEmpty {
      let test = try model.testSamples(search: data.search, skipsBad: data.skipBad, notes: Console.note)
      if let index = testIndex.first(where: { !(0..<test.count).contains($0) }) {
        throw MTLFastError(
          .usage, "--test-index \(index): the test set has \(test.count) samples (0...\(test.count - 1)).")
      }
      try add(test, testIndex, testIndex.map { "test \($0)" })
    }
    try output.print(
      csv ? PredictionReport.csv(reports) : PredictionReport.text(reports),
      json: .object(["recipe": .string(model.recipe.name), "predictions": .array(reports.map(\.json))]))
  }

  private func isTable(_ file: String) -> Bool { file.lowercased().hasSuffix(".csv") }
  private func isArray(_ file: String) -> Bool { [".npy", ".npz"].contains { file.lowercased().hasSuffix($0) } }
}
