// SPDX-License-Identifier: Apache-2.0
// Trains a model: epochs of minibatches through a compiled plan.

import Kernels
import MTLFast
import MTLFastData
import Synchronization

/// Trains one model with one optimizer.
///
/// ```swift
/// let trainer = try Trainer(model, optimizer: .adam(learningRate: 1e-3, beta1: 0.5))
/// let history = try trainer.fit(training, test: held, epochs: 10, batchSize: 200)
/// let scores = try trainer.evaluate(held)   // scores["item"]?.accuracy
/// ```
///
/// The same seed gives the same bits for any number of threads.
public final class Trainer {
  public let model: MultiTaskModel
  public let optimizer: Optimizer
  public let schedule: LearningRateSchedule
  /// The limit of the 2-norm of all gradients together; nil for none.
  public let gradientClipping: Float?
  public var threads: Int { context.threads }
  /// Of the kernels: `avx512`.
  public var instructionSet: String { context.isaName }
  /// Optimizer steps taken and epochs completed.
  public internal(set) var step = 0
  public internal(set) var epoch = 0
  /// Steps taken in the epoch that is running, and its sums so far.
  var stepInEpoch = 0
  var sums: [TaskSum]
  /// What callbacks saved in the checkpoint that training goes on from.
  var saved: [String: String] = [:]

  let context: KernelContext
  let store: ParameterStore
  /// One training step.
  let program: PlanProgram
  private let stopRequested = Atomic<Bool>(false)

  /// - Parameters:
  ///   - gradientClipping: where the 2-norm of all gradients together is larger, they are scaled down to it.
  ///   - freezing: names of nodes, or of what stands before their dot (`trunk`), whose weights stay as they are.
  ///   - threads: nil for as many as the affinity mask allows.
  /// - Throws: `MTLFastError` of kind `usage` for a setting that can't be used, `system` where memory is missing.
  public init(
    _ model: MultiTaskModel, optimizer: Optimizer, schedule: LearningRateSchedule = .constant,
    gradientClipping: Float? = nil, freezing: [String] = [], threads: Int? = nil
  ) throws {
    try optimizer.validate()
    try schedule.validate()
    if let gradientClipping, !(gradientClipping > 0 && gradientClipping.isFinite) {
      throw MTLFastError(.usage, "gradient_clipping is \(gradientClipping). Use a number above 0.")
    }
    self.model = model
    self.optimizer = optimizer
    self.schedule = schedule
    self.gradientClipping = gradientClipping
    context = try KernelContext(threads: threads)
    let frozen = try model.graph.frozenNodes(named: freezing)
    let lowering = try PlanLowering(
      graph: model.graph, purpose: .training(seed: model.seed), frozen: frozen, clips: gradientClipping != nil)
    program = lowering.program
    sums = model.graph.heads.map(TaskSum.init(of:))
    let operations = lowering.program.operations
    let summed = Set(operations.filter { $0.makesGradient && $0.isShards }.compactMap(\.weight))
      .union(operations.filter { $0.kind == MTLF_OP_BATCH_NORM_D_FINISH }.compactMap(\.weight))
    let dense: ParameterStore.Gradient = gradientClipping == nil ? .fused : .single
    let transposed = Set(operations.filter { $0.kind == MTLF_OP_CONV2D_D_INPUT }.compactMap(\.weight))
    store = try ParameterStore(
      model: model, optimizer: optimizer, context: context,
      gradient: { summed.contains($0) ? .perGroup : frozen.contains($0) ? .fused : dense },
      needsTransposed: transposed.contains)
  }

  /// Ends `fit` after the step that is running; may be called from any thread.
  public func requestStop() { stopRequested.store(true, ordering: .relaxed) }

  /// Trains until `epochs` epochs are complete.
  ///
  /// - Parameters:
  ///   - validation: scored after every epoch; a model may be selected by it.
  ///   - test: scored after every epoch; nothing is selected on it.
  ///   - batchSize: the last minibatch of an epoch may be smaller; it is trained, not dropped.
  /// - Throws: `MTLFastError` of kind `nonFinite` where a loss is no longer a number, `badData` where samples don't fit
  ///   the model; whatever a callback throws.
  public func fit(
    _ training: Samples, validation: Samples? = nil, test: Samples? = nil, epochs: Int, batchSize: Int,
    callbacks: [any Callback] = []
  ) throws -> History {
    guard epochs >= 0 else { throw MTLFastError(.usage, "epochs is \(epochs). Use 0 or more.") }
    for samples in [training, validation, test].compactMap({ $0 }) { try samples.check(against: model.graph) }
    var clock = TrainingClock()
    let callbacks = CallbackList(callbacks)
    let plan = try CompiledPlan(
      program, store: store, batchCapacity: min(batchSize, max(1, training.count)), clipNorm: gradientClipping)
    let runner = StepRunner(plan: plan, graph: model.graph, context: context)
    runner.setOptimizer(optimizer)
    runner.setAccounts(accountSeconds)
    let largest = max(validation?.count ?? 0, test?.count ?? 0)
    let evaluator = largest == 0 ? nil : try makeEvaluator(batchSize: min(batchSize, largest))
    let order = EpochOrder(counts: training.streams.map(\.count), seed: model.seed)
    let stepsPerEpoch = (training.count + batchSize - 1) / batchSize
    var records: [EpochRecord] = []
    let stopReason = StopReason()
    let start = TrainingStart(
      graph: model.graph, epochs: epochs, stepsPerEpoch: stepsPerEpoch, sampleCount: training.count,
      batchSize: batchSize, threads: threads, step: step, epoch: epoch, saved: saved,
      requestStop: stopReason.set)
    try callbacks.call { try $0.trainingDidStart(start) }
    func ended(wasStopped: Bool = false) -> History {
      // Another `fit`, or a checkpoint of one's own, knows what was decided.
      saved = callbacks.saved
      return History(
        epochs: records, wasStopped: wasStopped, stopReason: stopReason.text, step: step,
        threads: runner.teamSize, seconds: clock.sinceStart, secondsToFirstStep: clock.secondsToFirstStep,
        stepSeconds: clock.stepSeconds, callbackSeconds: callbacks.seconds)
    }
    let state = {
      self.sums = runner.sums
      return try self.state(saved: callbacks.synchronized())
    }
    return try runner.bind(training, seed: model.seed) { samples in
      while epoch < epochs, stopReason.text == nil {
        var seconds = timed { order.shuffle(epoch: epoch) }
        runner.sums = sums
        var trained = 0
        while stepInEpoch < stepsPerEpoch {
          let first = stepInEpoch * batchSize
          let count = min(batchSize, training.count - first)
          let rate = learningRate(ofStep: step, stepsPerEpoch: stepsPerEpoch, epochs: epochs)
          runner.setLearningRate(rate)
          let stepSeconds = try clock.step {
            try runner.run(
              samples, rows: order.rows(from: first), count: count, epoch: epoch, optimizerStep: step + 1)
          }
          step += 1
          stepInEpoch += 1
          seconds += stepSeconds
          trained += count
          if let place = runner.nonFinite {
            throw nonFinite(place) {
              try self.firstNonFiniteNode(training, rows: order.rows(from: first), count: count)
            }
          }
          if !callbacks.isEmpty {
            let record = StepRecord(
              step: step, epoch: epoch + 1, stepInEpoch: stepInEpoch, stepsPerEpoch: stepsPerEpoch,
              sampleCount: count, scores: runner.scores(runner.lastSums), learningRate: rate,
              gradientNorm: plan.gradientNorm,
              seconds: stepSeconds)
            try callbacks.call { try $0.stepDidEnd(record, state: state) }
          }
          let wasRequested = stopRequested.exchange(false, ordering: .relaxed)
          if wasRequested || stopReason.text != nil {
            sums = runner.sums
            try callbacks.call { try $0.trainingDidStop(step: step, state: state) }
            return ended(wasStopped: wasRequested)
          }
        }
        epoch += 1
        stepInEpoch = 0
        resetSums()
        var validated: Scores?
        var tested: Scores?
        let evaluationSeconds = try timed {
          let classes = callbacks.isEmpty ? 0 : ConfusionLog.largest
          if let validation { validated = try evaluator?.evaluate(validation, confusionUpTo: classes) }
          if let test { tested = try evaluator?.evaluate(test, confusionUpTo: classes) }
        }
        let record = EpochRecord(
          epoch: epoch, step: step, training: runner.scores(runner.sums), validation: validated, test: tested,
          learningRate: learningRate(ofStep: step - 1, stepsPerEpoch: stepsPerEpoch, epochs: epochs),
          trainingSeconds: seconds, evaluationSeconds: evaluationSeconds,
          samplesPerSecond: trained == 0 ? .nan : Double(trained) / seconds)
        // The matrices of all epochs would add up; those of the last one stay.
        if let last = records.popLast() { records.append(last.withoutConfusion) }
        records.append(record)
        // Several callbacks ask for it, and each copy of all weights takes its time.
        var copied: TrainingState?
        let epochState = {
          var state = try copied ?? self.state(saved: [:])
          copied = state
          state.saved = try callbacks.synchronized()
          return state
        }
        try callbacks.call { try $0.epochDidEnd(record, state: epochState) }
      }
      return ended()
    }
  }

  private func learningRate(ofStep step: Int, stepsPerEpoch: Int, epochs: Int) -> Float {
    guard schedule != .constant else { return optimizer.learningRate }
    return Float(
      Double(optimizer.learningRate) * schedule.factor(step: step, stepsPerEpoch: stepsPerEpoch, epochs: epochs))
  }

  /// Scores the model as it is now.
  public func evaluate(
    _ samples: Samples, batchSize: Int = 200, collectsConfusion: Bool = false
  ) throws -> Scores {
    try makeEvaluator(batchSize: min(batchSize, max(1, samples.count)))
      .evaluate(samples, collectsConfusion: collectsConfusion)
  }

  /// Copies the trained weights back into the model.
  public func updateModel() throws {
    for (parameter, values) in zip(model.parameters, try store.parameters()) {
      try model.setParameter(parameter.name, to: values)
    }
  }

  // MARK: Accounting

  /// Seconds by thread and account, [threads][MTLF_ACCOUNT_COUNT]; nil unless `startAccounts` was called.
  private var accountSeconds: UnsafeMutablePointer<Double>?

  /// Reads the clock between operations from now on and adds up where the time goes.
  public func startAccounts() {
    guard accountSeconds == nil else { return }
    let count = threads * Int(MTLF_ACCOUNT_COUNT.rawValue)
    accountSeconds = .allocate(capacity: count)
    accountSeconds?.initialize(repeating: 0, count: count)
  }

  /// Thread-seconds by account, in the order conv, dense, heads, optimizer, loader, waiting, other.
  public func accounts() -> [(name: String, seconds: Double)] {
    let names = ["conv", "dense", "heads", "optimizer", "loader", "waiting", "other"]
    guard let accountSeconds else { return [] }
    return names.enumerated().map { index, name in
      (name, (0..<threads).reduce(0) { $0 + accountSeconds[$1 * Int(MTLF_ACCOUNT_COUNT.rawValue) + index] })
    }
  }

  deinit { accountSeconds?.deallocate() }

  // MARK: Parts of fit

  private func makeEvaluator(batchSize: Int) throws -> Evaluator {
    try Evaluator(graph: model.graph, store: store, context: context, batchSize: batchSize)
  }

  func resetSums() { sums = model.graph.heads.map(TaskSum.init(of:)) }
}
