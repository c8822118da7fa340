// SPDX-License-Identifier: Apache-2.0
// Trains a model: epochs of minibatches through a compiled plan.

import Kernels
import MTLFast
import MTLFastData
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

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
  public var threads: Int { context.threads }
  /// Optimizer steps taken and epochs completed.
  public private(set) var step = 0
  public private(set) var epoch = 0
  /// Steps taken in the epoch that is running, and its sums so far.
  private var stepInEpoch = 0
  private var sums: [TaskSum]

  let context: KernelContext
  let store: ParameterStore
  /// One training step.
  let program: PlanProgram
  private let stopRequested = Atomic<Bool>(false)

  /// - Parameter threads: nil for as many as the affinity mask allows.
  /// - Throws: `MTLFastError` of kind `usage` for a setting that can't be used, `system` where memory is missing.
  public init(_ model: MultiTaskModel, optimizer: Optimizer, threads: Int? = nil) throws {
    try optimizer.validate()
    self.model = model
    self.optimizer = optimizer
    context = try KernelContext(threads: threads)
    let lowering = try PlanLowering(graph: model.graph, purpose: .training(seed: model.seed))
    program = lowering.program
    sums = model.graph.heads.map(TaskSum.init(of:))
    let operations = lowering.program.operations
    let fused = Set(operations.filter { $0.kind == MTLF_OP_DENSE_D_KERNEL }.compactMap(\.weight))
    let transposed = Set(operations.filter { $0.kind == MTLF_OP_CONV2D_D_INPUT }.compactMap(\.weight))
    store = try ParameterStore(
      model: model, optimizer: optimizer, context: context,
      gradient: { fused.contains($0) ? .fused : .perGroup }, needsTransposed: transposed.contains)
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
    let start = monotonicSeconds()
    guard epochs >= 0 else { throw MTLFastError(.usage, "epochs is \(epochs). Use 0 or more.") }
    for samples in [training, validation, test].compactMap({ $0 }) { try samples.check(against: model.graph) }
    let plan = try CompiledPlan(program, store: store, batchCapacity: min(batchSize, max(1, training.count)))
    let runner = StepRunner(plan: plan, graph: model.graph, context: context)
    runner.setOptimizer(optimizer)
    runner.setAccounts(accountSeconds)
    let largest = max(validation?.count ?? 0, test?.count ?? 0)
    let evaluator = largest == 0 ? nil : try makeEvaluator(batchSize: min(batchSize, largest))
    let order = EpochOrder(counts: training.streams.map(\.count), seed: model.seed)
    let stepsPerEpoch = (training.count + batchSize - 1) / batchSize
    var records: [EpochRecord] = []
    var secondsToFirstStep = 0.0
    for callback in callbacks {
      try callback.trainingDidStart(
        TrainingStart(
          epochs: epochs, stepsPerEpoch: stepsPerEpoch, sampleCount: training.count, batchSize: batchSize,
          threads: threads))
    }
    return try runner.bind(training, seed: model.seed) { samples in
      while epoch < epochs {
        var seconds = timed { order.shuffle(epoch: epoch) }
        runner.sums = sums
        var trained = 0
        while stepInEpoch < stepsPerEpoch {
          if secondsToFirstStep == 0 { secondsToFirstStep = monotonicSeconds() - start }
          let first = stepInEpoch * batchSize
          let count = min(batchSize, training.count - first)
          let stepSeconds = try timed {
            try runner.run(
              samples, rows: order.rows(from: first), count: count, epoch: epoch, optimizerStep: step + 1)
          }
          step += 1
          stepInEpoch += 1
          seconds += stepSeconds
          trained += count
          if let task = runner.nonFiniteHead { throw nonFinite(task) }
          if !callbacks.isEmpty {
            let record = StepRecord(
              step: step, epoch: epoch + 1, stepInEpoch: stepInEpoch, stepsPerEpoch: stepsPerEpoch,
              sampleCount: count, scores: runner.scores(runner.lastSums), seconds: stepSeconds)
            for callback in callbacks { try callback.stepDidEnd(record) }
          }
          if stopRequested.exchange(false, ordering: .relaxed) {
            sums = runner.sums
            for callback in callbacks { try callback.trainingDidStop(step: step, state: state) }
            return history(records, true, start, secondsToFirstStep, runner)
          }
        }
        epoch += 1
        stepInEpoch = 0
        resetSums()
        var validated: Scores?
        var tested: Scores?
        let evaluationSeconds = try timed {
          if let validation { validated = try evaluator?.evaluate(validation) }
          if let test { tested = try evaluator?.evaluate(test) }
        }
        let record = EpochRecord(
          epoch: epoch, step: step, training: runner.scores(runner.sums), validation: validated, test: tested,
          trainingSeconds: seconds,
          evaluationSeconds: evaluationSeconds, samplesPerSecond: trained == 0 ? .nan : Double(trained) / seconds)
        records.append(record)
        for callback in callbacks { try callback.epochDidEnd(record, state: state) }
      }
      return history(records, false, start, secondsToFirstStep, runner)
    }
  }

  /// Scores the model as it is now.
  public func evaluate(
    _ samples: Samples, batchSize: Int = 200, collectsConfusion: Bool = false
  ) throws -> Scores {
    try makeEvaluator(batchSize: min(batchSize, max(1, samples.count)))
      .evaluate(samples, collectsConfusion: collectsConfusion)
  }

  /// Everything that training made, as a checkpoint holds it.
  public func state() throws -> TrainingState {
    let values = try store.parameters()
    let slots = try store.slots()
    return TrainingState(
      parameters: zip(model.parameters, values).map {
        .init(name: $0.name, dimensions: $0.specification.dimensions, values: $1)
      },
      slots: zip(model.parameters, slots).flatMap { parameter, slots in
        slots.map {
          .init(
            name: "\(parameter.name).\($0.ending)", dimensions: parameter.specification.dimensions, values: $0.values)
        }
      },
      step: step, epoch: epoch, stepInEpoch: stepInEpoch, sums: sums, seed: model.seed)
  }

  /// Goes on from a checkpoint of the same model, optimizer and seed.
  ///
  /// - Throws: `MTLFastError` of kind `badData` where a tensor is missing or of another shape, or the seed differs.
  public func restore(_ state: TrainingState) throws {
    guard state.seed == model.seed, state.sums.count == sums.count else {
      throw MTLFastError(
        .badData,
        "The checkpoint is of seed \(state.seed) and \(state.sums.count) heads, the model of seed \(model.seed) and \(sums.count)."
      )
    }
    let parameters = try model.parameters.map {
      try state.parameters.values(named: $0.name, dimensions: $0.specification.dimensions)
    }
    let slots = try model.parameters.map { parameter in
      try (parameter.specification.role.isTrained ? store.slotNames : []).map {
        try state.slots.values(named: "\(parameter.name).\($0)", dimensions: parameter.specification.dimensions)
      }
    }
    try store.load(parameters)
    try store.loadSlots(slots)
    resetSums()
    for (index, sum) in state.sums.enumerated() {
      // An empty list stands for zeros.
      guard [0, sums[index].counts.count].contains(sum.counts.count),
        [0, sums[index].sums.count].contains(sum.sums.count)
      else {
        throw MTLFastError(
          .badData, "The checkpoint's sums of head '\(model.graph.heads[index].name)' are of another number of classes."
        )
      }
      if sum.counts.isEmpty, sum.sums.isEmpty {
        (sums[index].loss, sums[index].weight, sums[index].present) = (sum.loss, sum.weight, sum.present)
      } else {
        sums[index] = sum
      }
    }
    (step, epoch, stepInEpoch) = (state.step, state.epoch, state.stepInEpoch)
  }

  private func resetSums() { sums = model.graph.heads.map(TaskSum.init(of:)) }

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

  private func nonFinite(_ task: String) -> MTLFastError {
    MTLFastError(
      .nonFinite,
      "Step \(step) (epoch \(epoch + 1)): the loss of task '\(task)' is not a finite number. Use a smaller learning rate, or check the inputs' scale."
    )
  }

  private func history(
    _ epochs: [EpochRecord], _ wasStopped: Bool, _ start: Double, _ first: Double, _ runner: StepRunner
  ) -> History {
    History(
      epochs: epochs, wasStopped: wasStopped, step: step, threads: runner.teamSize, seconds: monotonicSeconds() - start,
      secondsToFirstStep: first)
  }
}

/// Seconds of a clock that only goes forward.
func monotonicSeconds() -> Double {
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  return Double(now.tv_sec) + 1e-9 * Double(now.tv_nsec)
}

private func timed(_ body: () throws -> Void) rethrows -> Double {
  let start = monotonicSeconds()
  try body()
  return monotonicSeconds() - start
}
