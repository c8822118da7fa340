// SPDX-License-Identifier: Apache-2.0
// One training of a recipe from found data to its result: the run folder, the callbacks, and the call of the trainer.

import MTLFast
import MTLFastTraining

/// Trains a recipe in a run folder.
///
///     let recipe = try RecipeSource.find("simultaneous").recipe()
///     let training = RecipeTraining(try RecipeData(recipe, search: DatasetSearch()))
///     let result = try training.run()
///     result.run.path                                // runs/simultaneous-001
///     result.scores.first?.scores["regression"]      // after the last epoch
///
/// A run that was stopped or killed and goes on ends with the same bits as one that wasn't.
public struct RecipeTraining {
  /// Where the run is kept.
  public enum Place: Sendable, Hashable {
    /// The next free `<parent>/<recipe>-NNN`.
    case numbered(in: String = "runs")
    /// A folder of one's own choice, new or empty.
    case folder(String)
    /// A run that was begun; it goes on from its newest checkpoint that is whole.
    case resumed(String)
    /// The folder of a comparison's net: new, begun or trained to its end.
    case net(RunFolder)
  }

  public var data: RecipeData
  public var place: Place
  /// nil for every core that this process may use.
  public var threads: Int?
  /// How often a checkpoint is written within an epoch; nil for never.
  public var checkpointInterval: CheckpointWriter.Interval?
  /// Trainings to start from, one after the other.
  public var initialWeights: [WeightSource] = []
  /// Seconds after which the training ends; nil for as long as it takes.
  public var timeBudget: Double?
  /// For TensorBoard. A run that has some goes on with them anyway.
  public var writesEvents = false
  /// Clocks where the time of the steps goes.
  public var measuresAccounts = false
  /// Ends the training after the step that is running, with a checkpoint.
  public var stop: StopRequest?
  /// Gets what the user should know but that stops nothing.
  public var notes: (String) -> Void = { _ in }

  public init(_ data: RecipeData, in place: Place = .numbered(), threads: Int? = nil) {
    self.data = data
    self.place = place
    self.threads = threads
  }

  private var recipe: Recipe { data.resolved }
  private var isNet: Bool { if case .net = place { true } else { false } }

  /// Trains until the recipe's epochs are complete, or until something ends it early.
  ///
  /// - Parameter onStart: called once before the first step; what it returns is called after the training's own callbacks.
  /// - Throws: `MTLFastError` of kind `usage` where a setting can't be used or all epochs are trained, `badData` where the
  ///   samples don't fit the model or no checkpoint of a resumed run is whole, `missingInput` where a run is not there,
  ///   `writeFailed`, and `nonFinite` where a loss is no longer a number; whatever `onStart` and its callbacks throw.
  public func run(onStart: (Start) throws -> [any Callback] = { _ in [] }) throws -> Result {
    let settings = recipe.training
    let graph = try recipe.modelGraph()
    let model = try MultiTaskModel(graph: graph, seed: settings.seed)
    let taken = try initialWeights.map { try start(model, from: $0) }
    let trainer = try Trainer(
      model, optimizer: settings.optimizer, schedule: settings.schedule,
      gradientClipping: settings.gradientClipping, freezing: settings.freeze, threads: threads, stop: stop)
    if measuresAccounts { trainer.startAccounts() }
    // Whatever can be wrong with the data is found before the run's folder is made.
    let test = settings.report == .test && !data.validatesOnTest ? data.test : nil
    for samples in [data.training, data.validation, test].compactMap({ $0 }) { try samples.check(against: graph) }
    for expression in [try recipe.bestExpression(), try recipe.stoppingExpression()] {
      try expression?.check(against: graph)
    }
    let run = try makeRun(of: trainer)
    let resumed = try goOn(trainer, in: run)

    // The logs come before the checkpoint: a checkpoint never knows more lines than they hold.
    var callbacks: [any Callback] = [
      try StepLog(path: run.stepsPath, resumingAfterStep: trainer.step),
      try HistoryLog(path: run.historyPath, resumingAfterEpoch: trainer.epoch),
      ConfusionLog(path: run.confusionPath),
    ]
    // Nobody else has the logs, so nobody else trains this run.
    if case .resumed = place { try run.replaceRecipe(with: recipe.yaml()) }
    if try writesEvents || TensorBoardLog.path(in: run) != nil { callbacks.append(TensorBoardLog(in: run)) }
    // Those that decide come before it too: a checkpoint holds what they decided.
    let best = try recipe.bestExpression().map {
      try BestModel(in: run, on: $0, perTask: settings.bestPerTask, notes: notes)
    }
    if let best { callbacks.append(best) }
    if let stopping = settings.earlyStopping, let expression = try recipe.stoppingExpression() {
      callbacks.append(try EarlyStopping(on: expression, patience: stopping.patience, minDelta: stopping.minDelta))
    }
    if let timeBudget { callbacks.append(try TimeBudget(seconds: timeBudget)) }
    let checkpoints = try CheckpointWriter(
      in: run, recipe: recipe.yaml(), tasks: recipe.heads.map(\.name), every: checkpointInterval, selection: best)
    callbacks.append(checkpoints)
    let startStep = trainer.step
    callbacks += try onStart(
      Start(
        recipe: recipe, graph: graph, run: run, threads: trainer.threads, training: data.training,
        validation: data.validation, test: test, initialWeights: taken, step: startStep, resumedFrom: resumed))
    let history: History
    do {
      history = try trainer.fit(
        data.training, validation: data.validation, test: test, epochs: settings.epochs,
        batchSize: settings.batchSize, callbacks: callbacks)
    } catch let error as MTLFastError where error.kind == .nonFinite && !isNet {
      let last =
        (checkpoints.newestPath ?? resumed).map { "The last good checkpoint is \($0)." }
        ?? "There is no checkpoint yet."
      throw MTLFastError(error.kind, "\(error.message) \(last)")
    }
    return Result(
      recipe: recipe, run: run, startStep: startStep, history: history,
      threads: history.threads > 0 ? history.threads : trainer.threads, best: best?.choice, accounts: trainer.accounts()
    )
  }

  // MARK: Parts of run

  private func start(_ model: MultiTaskModel, from source: WeightSource) throws -> Start.InitialWeights {
    let (path, checkpoint) = try TrainedModel.find(source.run, notes: notes)
    let taken = try model.start(from: checkpoint.state, node: source.node, source: source.description)
    return Start.InitialWeights(path: path, parameters: taken)
  }

  /// The run's folder, new or the one to go on with.
  private func makeRun(of trainer: Trainer) throws -> RunFolder {
    // What a training starts with may not be found again. Without it in place, the folder is no run.
    func keepStart(_ run: RunFolder) throws {
      guard !initialWeights.isEmpty else { return }
      try Checkpoint(state: trainer.state(), recipe: recipe.yaml(), tasks: recipe.heads.map(\.name))
        .write(to: CheckpointWriter.path(of: 0, in: run))
    }
    switch place {
    case .net(let run): return run
    case .resumed(let path): return try RunFolder.open(path)
    case .folder(let path): return try RunFolder.create(at: path, recipeText: recipe.yaml(), beforeRecipe: keepStart)
    case .numbered(let parent):
      return try RunFolder.create(for: recipe.name, in: parent, recipeText: recipe.yaml(), beforeRecipe: keepStart)
    }
  }

  /// Takes up the run's newest checkpoint that is whole, and returns its path; nil where there is none yet, so that the
  /// run begins anew.
  private func goOn(_ trainer: Trainer, in run: RunFolder) throws -> String? {
    switch place {
    case .numbered, .folder: return nil
    case .resumed, .net: break
    }
    let latest: CheckpointWriter.Latest
    do {
      guard let found = try CheckpointWriter.latestIfAny(in: run) else {
        if !isNet { notes("\(run.path): was ended before its first checkpoint; beginning anew.") }
        return nil
      }
      latest = found
    } catch let error as MTLFastError where isNet && error.kind == .badData {
      notes("Warning: \(error.message)")
      return nil
    }
    for refused in latest.refused { notes("Warning: \(refused.error.message)") }
    try trainer.restore(latest.checkpoint.state)
    guard trainer.epoch < recipe.training.epochs || isNet else {
      throw MTLFastError(
        .usage, "\(run.path): all \(trainer.epoch) epochs are trained. To train on, name more.",
        remedy: .moreEpochs(trainer.epoch + 5))
    }
    let before = latest.checkpoint.state.instructionSet
    if !before.isEmpty, before != trainer.instructionSet {
      notes(
        "Warning: the run was trained with \(before) kernels and goes on with \(trainer.instructionSet): the last bits may differ from those of a training with one of them."
      )
    }
    return latest.path
  }
}
