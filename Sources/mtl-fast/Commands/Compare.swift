// SPDX-License-Identifier: Apache-2.0
// `mtl-fast compare`: does training the tasks together help?

import ArgumentParser
import MTLFast
import MTLFastRecipes
import MTLFastTraining

struct Compare: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare one net of all tasks with a net for each task.",
    discussion: """
      Trains the recipe, and for each task a twin: the same trunk and that task's head alone, at weight 1, on the same minibatches \
      in the same order and from the same initial weights. Where the recipe says which epoch is best, each twin is taken by \
      the same expression, or, where that reads other tasks, by its own first metric. All of it is repeated with several seeds. \
      The table shows each task's first metric on the test data (on the validation data where there are none), together and \
      alone, as mean and standard deviation; the difference with its 95% interval over the seeds; and the p of a paired t test, \
      adjusted over the tasks by Holm's method. Delta m is the mean over the tasks of the gain in percent. What the \
      intervals don't show isn't claimed.

      With --lambda FROM:TO:STEP no twins are trained but the two-headed net with each of these loss weights. A tenth of \
      the training samples is held out (validation rows that the data name serve instead), the weight with the best mean \
      metric on them is chosen, and its nets alone are scored on the test data.

      Everything is kept in a new folder, runs/compare-RECIPE-NNN: a run folder for each net, comparison.json and \
      comparison.csv, and report.html with pictures. A net that diverges has no scores; the others are trained. A comparison that was stopped goes on with --resume and ends with the same numbers.

      Examples:
        mtl-fast compare
        mtl-fast compare fashion-mnist --seeds 5 --epochs 3
        mtl-fast compare my.yaml --lambda 0.8
        mtl-fast compare my.yaml --lambda 0:1:0.1 --select season
        mtl-fast compare --resume runs/compare-fashion-mnist-001
      """)

  @OptionGroup var recipe: RecipeOptions
  @OptionGroup var data: DataOptions
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var progress: ProgressOptions

  @Option(
    help: ArgumentHelp(
      "How many seeds: the recipe's, the next one, and so on. Without it: 3.", valueName: "n"))
  var seeds: Int?

  @Option(help: ArgumentHelp("For a range of lambda: choose by this task's metric alone.", valueName: "task"))
  var select: String?

  @Option(
    name: .customLong("output"),
    help: ArgumentHelp(
      "The comparison's folder, new or empty. Without it: runs/compare-RECIPE-NNN.", valueName: "dir"))
  var folder: String?

  @Option(help: ArgumentHelp("Go on with a comparison: nets that are finished aren't trained again.", valueName: "dir"))
  var resume: String?

  @Flag(help: "Print the result as comma-separated values.") var csv = false

  /// The range of a sweep, where lambda is one.
  private var range: String? { recipe.changes.lambda.flatMap { $0.contains(":") ? $0 : nil } }

  func validate() throws {
    if let seeds, !(1...100).contains(seeds) {
      throw ValidationError("--seeds must be a whole number from 1 to 100. Received: \(seeds).")
    }
    guard !(csv && output.json) else { throw ValidationError("--csv and --json can't be used together. Keep one.") }
    guard resume != nil else {
      guard select == nil || range != nil else {
        throw ValidationError("--select chooses one of several lambdas: give a range, --lambda 0:1:0.1.")
      }
      return
    }
    if folder != nil { throw ValidationError("--resume goes on in the comparison's own folder: leave --output out.") }
    if recipe.recipe != nil {
      throw ValidationError("--resume goes on with the comparison's own recipe: leave RECIPE out.")
    }
    let changes = recipe.changes
    guard
      changes.assignments.isEmpty, changes.lambda == nil, changes.pixelScale == nil, changes.batchSize == nil,
      changes.seed == nil, changes.epochs == nil, seeds == nil, select == nil
    else {
      throw ValidationError(
        "--resume goes on with the comparison's own settings: leave the others out, or compare in a new folder.")
    }
  }

  func run() throws {
    let begun = try resume.map { try ComparisonFolder.open($0) }
    let source: RecipeSource
    let wanted: Recipe
    if let begun {
      source = try RecipeSource.find(begun.folder.recipePath)
      wanted = try source.recipe()
    } else {
      source = try recipe.source()
      wanted = try recipe(from: source)
    }
    let data = try RecipeData(
      wanted, search: self.data.search, recipeFolder: source.folder, skipsBad: self.data.skipBad,
      threads: compute.threads, notes: Console.note)
    let settings =
      try begun?.settings
      ?? ComparisonSettings(seed: wanted.training.seed, count: seeds ?? 3, lambda: range, select: select)
    let recipeText = try data.resolved.yaml()
    func makeFolder() throws -> ComparisonFolder {
      try begun?.folder
        ?? ComparisonFolder.create(at: folder, for: wanted.name, recipeText: recipeText, settings: settings)
    }
    if settings.lambda != nil {
      let sweep = try LambdaSweep(data, settings: settings)
      let folder = try makeFolder()
      let result = try finished(in: folder) {
        try sweep.run(in: folder, threads: compute.threads, stop: $0, observer: $1, notes: Console.note)
      }
      try ComparisonOutput(result, in: folder, recipeText: recipeText).finish(output, asCSV: csv)
    } else {
      let comparison = try TwinComparison(data, settings: settings)
      let folder = try makeFolder()
      let result = try finished(in: folder) {
        try comparison.run(in: folder, threads: compute.threads, stop: $0, observer: $1, notes: Console.note)
      }
      try ComparisonOutput(result, of: comparison, in: folder, recipeText: recipeText).finish(output, asCSV: csv)
    }
  }

  /// Compares while progress is shown.
  ///
  /// - Throws: `ExitCode` where a signal stopped it; whatever the comparison throws.
  private func finished<Result>(
    in folder: ComparisonFolder, _ compare: (StopRequest, ComparisonProgress) throws -> Result?
  ) throws -> Result {
    if !progress.quiet { Console.note("comparison: \(folder.path)") }
    let stop = StopRequest()
    let signals = Signals { stop.request() }
    let shown = ComparisonProgress(of: folder, isShown: !progress.quiet)
    defer { shown.end() }
    if let result = try compare(stop, shown) { return result }
    shown.didStop()
    throw ExitCode(signals.exitStatus ?? ExitStatus.other)
  }

  /// The recipe with its changes; of a sweep with held-out samples.
  private func recipe(from source: RecipeSource) throws -> Recipe {
    guard let range else { return try recipe.load(from: source) }
    var options = recipe
    options.changes.lambda = nil
    let wanted = try options.load(from: source)
    try LambdaSweep.check(wanted, range: range, select: select)
    return wanted.holdingOut(LambdaSweep.heldOut)
  }
}
