// SPDX-License-Identifier: Apache-2.0
// One call of `fit`: its parts, made once, and what each minibatch and epoch does with them.

import Kernels
import MTLFast
import MTLFastStep

/// What trains from one epoch to another.
final class TrainingRun {
  let runner: StepRunner
  let stepsPerEpoch: Int

  private let trainer: Trainer
  private let training: Samples
  private let validation: Samples?
  private let test: Samples?
  private let epochs: Int
  private let batchSize: Int
  private let callbacks: CallbackList
  private let evaluator: Evaluator?
  private let order: EpochOrder
  private let lossWeights: [Float]
  private let stopReason = StopReason()
  private var clock = TrainingClock()
  private var records: [EpochRecord] = []
  /// Of the epoch that is running.
  private var seconds = 0.0
  private var trained = 0

  init(
    _ trainer: Trainer, _ training: Samples, validation: Samples?, test: Samples?, epochs: Int, batchSize: Int,
    callbacks: [any Callback]
  ) throws {
    self.trainer = trainer
    (self.training, self.validation, self.test) = (training, validation, test)
    (self.epochs, self.batchSize) = (epochs, batchSize)
    self.callbacks = CallbackList(callbacks)
    let model = trainer.model
    let step = try CompiledStep(
      trainer.program, parameters: trainer.store, batchCapacity: min(batchSize, max(1, training.count)),
      clipNorm: trainer.gradientClipping)
    runner = StepRunner(step: step, graph: model.graph)
    runner.setOptimizer(trainer.optimizer)
    runner.setAccounts(trainer.accountSeconds)
    let largest = max(validation?.count ?? 0, test?.count ?? 0)
    evaluator = largest == 0 ? nil : try trainer.makeEvaluator(batchSize: min(batchSize, largest))
    order = EpochOrder(counts: training.streams.map(\.count), seed: model.seed)
    stepsPerEpoch = (training.count + batchSize - 1) / batchSize
    lossWeights = model.graph.heads.map(\.weight)
    let start = TrainingStart(
      graph: model.graph, epochs: epochs, stepsPerEpoch: stepsPerEpoch, sampleCount: training.count,
      batchSize: batchSize, threads: trainer.threads, step: trainer.step, epoch: trainer.epoch, saved: trainer.saved,
      requestStop: stopReason.set)
    try self.callbacks.call { try $0.trainingDidStart(start) }
  }

  /// Whether a callback has asked for the end.
  var hasReasonToStop: Bool { stopReason.text != nil }

  func beginEpoch() {
    seconds = timed { order.shuffle(epoch: trainer.epoch) }
    runner.sums = trainer.sums
    trained = 0
  }

  /// Takes the next minibatch of the epoch.
  func trainMinibatch(of samples: BoundSamples) throws {
    let first = trainer.stepInEpoch * batchSize
    let count = min(batchSize, training.count - first)
    let rate = trainer.learningRate(ofStep: trainer.step, stepsPerEpoch: stepsPerEpoch, epochs: epochs)
    runner.setLearningRate(rate)
    let stepSeconds = try clock.step {
      try runner.run(
        samples, rows: order.rows(from: first), count: count, epoch: trainer.epoch, optimizerStep: trainer.step + 1,
        lossWeights: lossWeights, host: trainer.host)
    }
    trainer.step += 1
    trainer.stepInEpoch += 1
    seconds += stepSeconds
    trained += count
    if let place = runner.nonFinite {
      throw trainer.nonFinite(place) {
        try trainer.firstNonFiniteNode(training, rows: order.rows(from: first), count: count)
      }
    }
    guard !callbacks.isEmpty else { return }
    let record = StepRecord(
      step: trainer.step, epoch: trainer.epoch + 1, stepInEpoch: trainer.stepInEpoch, stepsPerEpoch: stepsPerEpoch,
      sampleCount: count, scores: runner.scores(runner.lastSums), learningRate: rate,
      gradientNorm: runner.step.gradientNorm, seconds: stepSeconds)
    try callbacks.call { try $0.stepDidEnd(record, state: state) }
  }

  /// Ends in mid-epoch.
  func stop() throws {
    trainer.sums = runner.sums
    try callbacks.call { try $0.trainingDidStop(step: trainer.step, state: state) }
  }

  /// Scores the model and tells the callbacks.
  func endEpoch() throws {
    trainer.epoch += 1
    trainer.stepInEpoch = 0
    trainer.resetSums()
    var validated: Scores?
    var tested: Scores?
    let evaluationSeconds = try timed {
      let classes = callbacks.isEmpty ? 0 : ConfusionLog.largest
      if let validation { validated = try evaluator?.evaluate(validation, confusionUpTo: classes) }
      if let test { tested = try evaluator?.evaluate(test, confusionUpTo: classes) }
    }
    let record = EpochRecord(
      epoch: trainer.epoch, step: trainer.step, training: runner.scores(runner.sums), validation: validated,
      test: tested,
      learningRate: trainer.learningRate(ofStep: trainer.step - 1, stepsPerEpoch: stepsPerEpoch, epochs: epochs),
      trainingSeconds: seconds, evaluationSeconds: evaluationSeconds,
      samplesPerSecond: trained == 0 ? .nan : Double(trained) / seconds)
    // The matrices of all epochs would add up; those of the last one stay.
    if let last = records.popLast() { records.append(last.withoutConfusion) }
    records.append(record)
    // Several callbacks ask for it, and each copy of all weights takes its time.
    var copied: TrainingState?
    let epochState = {
      var state = try copied ?? self.trainer.state(saved: [:])
      copied = state
      state.saved = try self.callbacks.synchronized()
      return state
    }
    try callbacks.call { try $0.epochDidEnd(record, state: epochState) }
  }

  func history(wasStopped: Bool = false) -> History {
    // Another `fit`, or a checkpoint of one's own, knows what was decided.
    trainer.saved = callbacks.saved
    return History(
      epochs: records, wasStopped: wasStopped, stopReason: stopReason.text, step: trainer.step,
      threads: runner.teamSize, seconds: clock.sinceStart, secondsToFirstStep: clock.secondsToFirstStep,
      stepSeconds: clock.stepSeconds, callbackSeconds: callbacks.seconds)
  }

  private func state() throws -> TrainingState {
    trainer.sums = runner.sums
    return try trainer.state(saved: callbacks.synchronized())
  }
}
