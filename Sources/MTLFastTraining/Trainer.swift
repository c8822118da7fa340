// SPDX-License-Identifier: Apache-2.0
// Trains a model: epochs of minibatches through a compiled step.

import Kernels
import MTLFast
import MTLFastStep
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
  let store: Parameters
  /// One training step.
  let program: Program
  let host: (any StepHost)?
  let precision: ElementType
  private let stop: StopRequest?
  private let stopRequested = Atomic<Bool>(false)

  /// - Parameters:
  ///   - gradientClipping: where the 2-norm of all gradients together is larger, they are scaled down to it.
  ///   - freezing: names of nodes, or of what stands before their dot (`trunk`), whose weights stay as they are.
  ///   - threads: nil for as many as the affinity mask allows.
  ///   - stop: ends every `fit` after the step that is running.
  /// - Throws: `MTLFastError` of kind `usage` for a setting that can't be used, `system` where memory is missing.
  public convenience init(
    _ model: MultiTaskModel, optimizer: Optimizer, schedule: LearningRateSchedule = .constant,
    gradientClipping: Float? = nil, freezing: [String] = [], threads: Int? = nil, stop: StopRequest? = nil
  ) throws {
    try self.init(
      model, optimizer: optimizer, schedule: schedule, gradientClipping: gradientClipping, freezing: freezing,
      threads: threads, stop: stop, precision: .float32, host: nil)
  }

  /// - Parameters:
  ///   - precision: of activations and their gradients between dense layers that run in blocks.
  ///   - host: stands at boundaries of the steps.
  package init(
    _ model: MultiTaskModel, optimizer: Optimizer, schedule: LearningRateSchedule = .constant,
    gradientClipping: Float? = nil, freezing: [String] = [], threads: Int? = nil, stop: StopRequest? = nil,
    precision: ElementType = .float32, host: (any StepHost)?
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
    self.stop = stop
    self.host = host
    self.precision = precision
    context = try KernelContext(threads: threads)
    var settings = StepSettings()
    settings.frozen = try model.graph.frozenNodes(named: freezing)
    settings.clips = gradientClipping != nil
    settings.boundaries = host?.boundaries ?? []
    settings.precision = precision
    let lowering = try Lowering(graph: model.graph, purpose: .training(seed: model.seed), settings: settings)
    program = lowering.program
    sums = model.graph.heads.map(TaskSum.init(of:))
    store = try Parameters(
      model: model, optimizer: optimizer, context: context, gradients: program.gradients, forms: program.forms)
  }

  /// Ends `fit` after the step that is running, but not the next call of it; may be called from any thread.
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
    let run = try TrainingRun(
      self, training, validation: validation, test: test, epochs: epochs, batchSize: batchSize, callbacks: callbacks)
    return try run.runner.bind(training, seed: model.seed) { samples in
      while epoch < epochs, !run.hasReasonToStop {
        run.beginEpoch()
        while stepInEpoch < run.stepsPerEpoch {
          try run.trainMinibatch(of: samples)
          let wasRequested = stopRequested.exchange(false, ordering: .relaxed) || stop?.isRequested ?? false
          if wasRequested || run.hasReasonToStop {
            try run.stop()
            return run.history(wasStopped: wasRequested)
          }
        }
        try run.endEpoch()
      }
      return run.history()
    }
  }

  func learningRate(ofStep step: Int, stepsPerEpoch: Int, epochs: Int) -> Float {
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
    for (parameter, values) in zip(model.parameters, try store.values()) {
      try model.setParameter(parameter.name, to: values)
    }
  }

  // MARK: Accounting

  /// Seconds by thread and account, [threads][accounts]; nil unless `startAccounts` was called.
  private(set) var accountSeconds: UnsafeMutablePointer<Double>?

  /// Reads the clock between operations from now on and adds up where the time goes.
  public func startAccounts() {
    guard accountSeconds == nil else { return }
    let count = threads * StepAccount.allCases.count
    accountSeconds = .allocate(capacity: count)
    accountSeconds?.initialize(repeating: 0, count: count)
  }

  /// Thread-seconds by account, in the order conv, dense, heads, optimizer, loader, waiting, other.
  public func accounts() -> [(name: String, seconds: Double)] {
    guard let accountSeconds else { return [] }
    let accounts = StepAccount.allCases
    return accounts.enumerated().map { index, account in
      (account.name, (0..<threads).reduce(0) { $0 + accountSeconds[$1 * accounts.count + index] })
    }
  }

  deinit { accountSeconds?.deallocate() }

  // MARK: Parts of fit

  func makeEvaluator(batchSize: Int) throws -> Evaluator {
    try Evaluator(graph: model.graph, parameters: store, batchSize: batchSize)
  }

  func resetSums() { sums = model.graph.heads.map(TaskSum.init(of:)) }
}
