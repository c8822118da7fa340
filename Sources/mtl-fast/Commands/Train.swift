// SPDX-License-Identifier: Apache-2.0
// `mtl-fast train`: trains a recipe and keeps everything in a run folder.

import ArgumentParser
import MTLFast
import MTLFastRecipes
import MTLFastTraining

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a built-in recipe or a recipe file.",
    discussion: """
      Everything is kept in a new folder, runs/RECIPE-NNN: the recipe as trained, each step's losses, each epoch's \
      scores, the last two checkpoints and, with validation data, the best one. runs/latest points to the new \
      run that wrote its first checkpoint last; a run that is resumed doesn't move it.

      Examples:
        mtl-fast train
        mtl-fast train fashion-mnist --epochs 3 --lambda 0.8 --seed 1
        mtl-fast train paintings --data ~/paintings
        mtl-fast train my.yaml --set training.optimizer.adam.learning_rate=0.0005
        mtl-fast train --resume runs/latest --epochs 20
        mtl-fast train my.yaml --dry-run
        mtl-fast train paintings --init-from runs/paintings-artist-001
        mtl-fast train cifar10 --epochs 200 --time-budget 30m

      Ctrl-C writes a checkpoint and says how to go on; a second Ctrl-C quits at once.
      """)

  @OptionGroup var recipe: RecipeOptions
  @OptionGroup var data: DataOptions
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions
  @OptionGroup var progress: ProgressOptions

  @Option(
    name: .customLong("output"),
    help: ArgumentHelp("The run's folder, new or empty. Without it: runs/RECIPE-NNN.", valueName: "dir"))
  var folder: String?

  @Option(
    help: ArgumentHelp("Go on with a run from its newest checkpoint; --epochs extends it.", valueName: "run"))
  var resume: String?

  @Option(
    help: ArgumentHelp(
      "Write a checkpoint this often within epochs too: 500 (steps), 90s, 10m or 2h.", valueName: "steps|time"))
  var checkpointEvery: CheckpointInterval?

  @Option(
    help: ArgumentHelp(
      "Start from another run's weights: of every node outside heads that both have, or with :node of one node, head or layer. May be repeated.",
      valueName: "run[:node]"))
  var initFrom: [String] = []

  @Option(
    help: ArgumentHelp("Train this task alone: its head at weight 1 and the nodes that it needs.", valueName: "task"))
  var task: String?

  @Option(
    help: ArgumentHelp(
      "Stop after the step in which this much time has passed, with a checkpoint: 90s, 30m, 1.5h.", valueName: "time"))
  var timeBudget: WallTime?

  @Flag(help: "Clock where the steps' time goes: convolutions, dense layers, heads, optimizer, loader, waiting.")
  var accounts = false

  @Flag(help: "Write event files for TensorBoard into the run's folder.")
  var tensorboard = false

  @Flag(help: "Check the recipe, show the model and the data found, and train nothing.")
  var dryRun = false

  func validate() throws {
    guard resume != nil else { return }
    if !initFrom.isEmpty {
      throw ValidationError("--resume goes on with the run's own weights: leave --init-from out.")
    }
    if task != nil { throw ValidationError("--resume goes on with the run's own recipe: leave --task out.") }
    if folder != nil { throw ValidationError("--resume goes on in the run's own folder: leave --output out.") }
    if recipe.recipe != nil { throw ValidationError("--resume goes on with the run's own recipe: leave RECIPE out.") }
    let changes = recipe.changes
    guard
      changes.assignments.isEmpty, changes.lambda == nil, changes.pixelScale == nil, changes.batchSize == nil,
      changes.seed == nil
    else { throw ValidationError("--resume goes on with the run's own recipe: only --epochs can be changed.") }
  }

  func run() throws {
    let source =
      try resume.map { try self.recipe.source(of: RunFolder.open($0).recipePath) } ?? self.recipe.source()
    var wanted = try self.recipe.load(from: source)
    if let task { wanted = try wanted.singleTask(task) }
    let data = try RecipeData(
      wanted, search: self.data.search, recipeFolder: source.folder, skipsBad: self.data.skipBad,
      threads: compute.threads, notes: Console.note)
    if dryRun { return try printModel(of: data) }
    var training = RecipeTraining(
      data, in: resume.map { .resumed($0) } ?? folder.map { .folder($0) } ?? .numbered(), threads: compute.threads)
    training.checkpointInterval = checkpointEvery?.value
    training.initialWeights = initFrom.map { WeightSource($0) }
    training.timeBudget = timeBudget?.seconds
    training.writesEvents = tensorboard
    training.measuresAccounts = accounts
    training.notes = Console.note
    let stop = StopRequest()
    training.stop = stop
    let signals = Signals { stop.request() }
    let shown = TrainingProgress(isShown: !progress.quiet)
    defer { shown.end() }
    let result = try training.run { shown.begin($0) }
    shown.end(result, continuation: "mtl-fast train --resume \(result.run.path)")
    if result.history.wasStopped { throw ExitCode(signals.exitStatus ?? ExitStatus.other) }
    let report = TrainingReport(
      result: result, wallSeconds: ProcessClock.seconds, secondsBefore: shown.secondsBefore)
    try output.print(report.text, json: report.json)
  }

  private func printModel(of data: RecipeData) throws {
    let summary = GraphSummary(try data.resolved.modelGraph(), of: data.resolved)
    try output.print(
      "\(summary.text)\n\n\(dataTable(data).text)",
      json: .object([
        "model": summary.json, "training_samples": .integer(data.training.count),
        "validation_samples": data.validation.map { .integer($0.count) } ?? .null,
        "test_samples": data.test.map { .integer($0.count) } ?? .null,
      ]))
  }
}
