// SPDX-License-Identifier: Apache-2.0
// One training from found data to the report: the run folder, the callbacks, signals, and the call of the trainer.

import ArgumentParser
import MTLFast
import MTLFastRecipes
import MTLFastTraining

/// Trains a recipe in a run folder.
struct TrainingJob {
  let recipe: Recipe
  let graph: ModelGraph
  let data: RecipeData
  /// nil for every core that this process may use.
  let threads: Int?
  /// nil for the next free folder below `runs`.
  let folder: String?
  /// The run to go on with.
  let resuming: String?
  /// How often a checkpoint is written within an epoch; nil for never.
  var checkpointInterval: CheckpointWriter.Interval?
  /// Runs, with or without a node, to start from.
  let initFrom: [String]
  let showsProgress: Bool
  /// Clocks where the time goes.
  let measuresAccounts: Bool
  /// Seconds after which the training ends, nil for as long as it takes.
  var timeBudget: Double?
  /// For TensorBoard. A run that has some goes on with them anyway.
  var writesEvents = false
  /// Where this is one of the nets of a comparison.
  var net: ComparedNet?

  /// - Throws: `MTLFastError`; `ExitCode` 130 or 143 after a signal, once a checkpoint was written.
  func run() throws -> TrainingReport {
    let settings = recipe.training
    let model = try MultiTaskModel(graph: graph, seed: settings.seed)
    for source in initFrom { try start(model, from: source) }
    let trainer = try Trainer(
      model, optimizer: settings.optimizer, schedule: settings.schedule,
      gradientClipping: settings.gradientClipping, freezing: settings.freeze, threads: threads)
    if measuresAccounts { trainer.startAccounts() }
    // Whatever can be wrong with the data is found before the run's folder is made.
    let test = settings.report == .test && !data.validatesOnTest ? data.test : nil
    for samples in [data.training, data.validation, test].compactMap({ $0 }) { try samples.check(against: graph) }
    for (head, target) in data.training.streams.flatMap(\.targets).sorted(by: { $0.key < $1.key })
    where showsProgress && net?.isFirst ?? true && target.presentCount < target.count {
      Console.note(
        "\(head): \(grouped(target.count - target.presentCount)) of \(grouped(target.count)) training labels are missing."
      )
    }
    if settings.batchSize > data.training.count, net?.isFirst ?? true {
      Console.note(
        "Warning: batches of \(settings.batchSize) from \(data.training.count) training samples: each step takes all of them."
      )
    }
    for expression in [try recipe.bestExpression(), try recipe.stoppingExpression()] {
      try expression?.check(against: graph)
    }
    let run = try makeRun(of: trainer)
    let resumedPath = resuming == nil && net == nil ? nil : try goOn(trainer, in: run)

    // A trainer may be asked to stop from any thread.
    nonisolated(unsafe) let stopping = trainer
    let stop = net?.stop ?? SignalStop()
    stop.attend { stopping.requestStop() }
    defer { stop.attend(nil) }

    // The logs come before the checkpoint: a checkpoint never knows more lines than they hold.
    var callbacks: [any Callback] = [
      try StepLog(path: run.stepsPath, resumingAfterStep: trainer.step),
      try HistoryLog(path: run.historyPath, resumingAfterEpoch: trainer.epoch),
      ConfusionLog(path: run.confusionPath),
    ]
    // Nobody else has the logs, so nobody else trains this run.
    if resuming != nil { try run.replaceRecipe(with: recipe.yaml()) }
    if try writesEvents || TensorBoardLog.path(in: run) != nil { callbacks.append(TensorBoardLog(in: run)) }
    // Those that decide come before it too: a checkpoint holds what they decided.
    let best = try recipe.bestExpression().map {
      try BestModel(in: run, on: $0, perTask: settings.bestPerTask, notes: Console.note)
    }
    if let best { callbacks.append(best) }
    if let stopping = settings.earlyStopping, let expression = try recipe.stoppingExpression() {
      callbacks.append(try EarlyStopping(on: expression, patience: stopping.patience, minDelta: stopping.minDelta))
    }
    if let timeBudget { callbacks.append(try TimeBudget(seconds: timeBudget)) }
    let checkpoints = try CheckpointWriter(
      in: run, recipe: recipe.yaml(), tasks: recipe.heads.map(\.name),
      every: checkpointInterval, selection: best)
    callbacks.append(checkpoints)
    let progress = ProgressReporter(
      tasks: graph.heads.map { ($0.name, $0.metrics.first ?? .accuracy) },
      splits: (data.validation == nil ? [] : ["val"]) + (test == nil ? [] : ["test"]))
    if showsProgress {
      Console.note(
        net?.title
          ?? "\(recipe.name) with \(trainer.threads) thread\(trainer.threads == 1 ? "" : "s"), seed \(settings.seed): \(run.path)"
      )
      callbacks.append(progress)
    }
    let startStep = trainer.step
    let secondsBefore = ProcessClock.seconds
    let history: History
    do {
      defer { if showsProgress { progress.clearLine() } }
      history = try trainer.fit(
        data.training, validation: data.validation, test: test, epochs: settings.epochs,
        batchSize: settings.batchSize, callbacks: callbacks)
    } catch let error as MTLFastError where error.kind == .nonFinite && net == nil {
      let last =
        (checkpoints.newestPath ?? resumedPath).map { "The last good checkpoint is \($0)." }
        ?? "There is no checkpoint yet."
      throw MTLFastError(error.kind, "\(error.message) \(last)")
    }
    if history.wasStopped {
      Console.note(stopText(step: history.step, in: run))
      throw ExitCode(stop.exitStatus ?? ExitStatus.other)
    }
    if let reason = history.stopReason {
      Console.note(endText(reason, of: history, wasAtStep: startStep, in: run))
    }
    return TrainingReport(
      recipe: recipe.name, seed: settings.seed, threads: history.threads > 0 ? history.threads : trainer.threads,
      run: run.path, history: history,
      scores: lastScores(history), best: best, wallSeconds: ProcessClock.seconds,
      secondsToFirstStep: secondsBefore + history.secondsToFirstStep, accounts: trainer.accounts())
  }

  /// What the last epoch was scored on; its training where it was on nothing else.
  private func lastScores(_ history: History) -> [(split: String, scores: Scores)] {
    guard let last = history.epochs.last else { return [] }
    let scored = [("validation", last.validation), ("test", last.test)].compactMap { split, scores in
      scores.map { (split: split, scores: $0) }
    }
    return scored.isEmpty ? [("training", last.training)] : scored
  }

  /// Starts from `RUN` or `RUN:NODE`.
  private func start(_ model: MultiTaskModel, from source: String) throws {
    var run = source
    var node: String?
    if let colon = source.lastIndex(of: ":"), !source[colon...].contains("/") {
      run = String(source[..<colon])
      node = String(source[source.index(after: colon)...])
    }
    let (path, checkpoint) = try TrainedModel.find(run)
    let taken = try model.start(from: checkpoint.state, node: node, source: source)
    if showsProgress {
      Console.note("Starting with \(taken.count) tensors of \(path): \(taken.joined(separator: ", "))")
    }
  }

  /// Takes up the run's newest checkpoint that is whole, and returns its path; nil where there is none yet, so that the
  /// run begins anew.
  private func goOn(_ trainer: Trainer, in run: RunFolder) throws -> String? {
    let latest: CheckpointWriter.Latest
    do {
      guard let found = try CheckpointWriter.latestIfAny(in: run) else {
        if net == nil { Console.note("\(run.path): was ended before its first checkpoint; beginning anew.") }
        return nil
      }
      latest = found
    } catch let error as MTLFastError where net != nil && error.kind == .badData {
      Console.note("Warning: \(error.message)")
      return nil
    }
    for refused in latest.refused { Console.note("Warning: \(refused.error.message)") }
    try trainer.restore(latest.checkpoint.state)
    guard trainer.epoch < recipe.training.epochs || net != nil else {
      throw MTLFastError(
        .usage,
        "\(run.path): all \(trainer.epoch) epochs are trained. To train on, name more: --epochs \(trainer.epoch + 5).")
    }
    let before = latest.checkpoint.state.instructionSet
    if !before.isEmpty, before != trainer.instructionSet {
      Console.note(
        "Warning: the run was trained with \(before) kernels and goes on with \(trainer.instructionSet): the last bits may differ from those of a training with one of them."
      )
    }
    if showsProgress { Console.note("Going on after step \(trainer.step) with \(latest.path)") }
    return latest.path
  }

  /// The run's folder, new or the one to go on with.
  private func makeRun(of trainer: Trainer) throws -> RunFolder {
    if let net { return net.run }
    if let resuming { return try RunFolder.open(resuming) }
    // What a training starts with may not be found again. Without it in place, the folder is no run.
    func keepStart(_ run: RunFolder) throws {
      guard !initFrom.isEmpty else { return }
      try Checkpoint(state: trainer.state(), recipe: recipe.yaml(), tasks: recipe.heads.map(\.name))
        .write(to: CheckpointWriter.path(of: 0, in: run))
    }
    if let folder { return try RunFolder.create(at: folder, recipeText: recipe.yaml(), beforeRecipe: keepStart) }
    return try RunFolder.create(for: recipe.name, recipeText: recipe.yaml(), beforeRecipe: keepStart)
  }

  /// Why a callback ended the training, and how to go on where that was in the middle of an epoch.
  private func endText(_ reason: String, of history: History, wasAtStep start: Int, in run: RunFolder) -> String {
    let text = "Ended after step \(history.step): \(reason)."
    guard history.step > history.epochs.last?.step ?? start else { return text }
    let scored = history.epochs.last.map { "\nThe scores are those after epoch \($0.epoch)." } ?? ""
    return "\(text)\(scored)\nA checkpoint was written. Go on with: mtl-fast train --resume \(run.path)"
  }

  private func stopText(step: Int, in run: RunFolder) -> String {
    "Stopped after step \(step); a checkpoint was written. Go on with: \(net?.continuation ?? "mtl-fast train --resume \(run.path)")"
  }
}

/// What a comparison adds to the training of one of its nets, which goes on from where it is.
struct ComparedNet {
  let run: RunFolder
  /// What stands above its epochs: `net 3 of 15: seed 1, item`.
  let title: String
  /// Whether nothing was said about the data yet.
  let isFirst: Bool
  /// The command that goes on after a stop.
  let continuation: String
  let stop: SignalStop
}
