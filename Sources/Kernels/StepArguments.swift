// SPDX-License-Identifier: Apache-2.0
// What changes from step to step, and what a step answers.

internal import CKernels

/// The optimizer's settings in the kernels' terms.
package enum KernelOptimizer {
  case adam(learningRate: Float, beta1: Float, beta2: Float, epsilon: Float, weightDecay: Float)
  case sgd(learningRate: Float, momentum: Float, weightDecay: Float)
}

/// What a head minimises, in the kernels' terms.
package enum KernelLoss {
  case softmaxCrossEntropy, binaryCrossEntropy, dice, binaryCrossEntropyDice, meanSquaredError, meanAbsoluteError
  case huber(delta: Float)

  fileprivate var kernel: mtlf_loss {
    switch self {
    case .softmaxCrossEntropy: MTLF_LOSS_SOFTMAX_CROSS_ENTROPY
    case .binaryCrossEntropy: MTLF_LOSS_BINARY_CROSS_ENTROPY
    case .dice: MTLF_LOSS_DICE
    case .binaryCrossEntropyDice: MTLF_LOSS_BINARY_CROSS_ENTROPY_DICE
    case .meanSquaredError: MTLF_LOSS_MEAN_SQUARED_ERROR
    case .meanAbsoluteError: MTLF_LOSS_MEAN_ABSOLUTE_ERROR
    case .huber: MTLF_LOSS_HUBER
    }
  }
}

/// What a head's targets are, and what is counted of its predictions.
package enum KernelTarget {
  /// int32, one a sample, -1 where missing. Each sample's predicted class and the rank of its label are kept.
  case classes
  /// Bytes, `[elements]`. `counts` numbers are counted.
  case mask(counts: Int)
  /// Floats, `[elements]`, NaN where missing. `sums` numbers are summed up.
  case values(sums: Int)
}

/// Random changes of training images, and of masks with them.
package struct KernelAugmentation {
  package var flip: Bool
  package var pad: Int
  package var cutout: Int
  /// Of the draws.
  package var key: UInt64

  package init(flip: Bool, pad: Int, cutout: Int, key: UInt64) {
    (self.flip, self.pad, self.cutout, self.key) = (flip, pad, cutout, key)
  }
}

/// The rows of an input in memory, `[count][elements of a sample]`.
package struct InputRows {
  package var data: UnsafeRawPointer?
  /// uint8, otherwise float.
  package var isBytes = false
  /// Of every value, where there are no factors.
  package var scale: Float = 1
  /// `[width * channels]`: factors[i] * x + offsets[i] along each image row; or nil.
  package var factors: UnsafePointer<Float>?, offsets: UnsafePointer<Float>?
  package var augmentation: KernelAugmentation?
  /// The stream whose rows it takes; -1 where it isn't there.
  package var stream = -1

  package init() {}
}

/// The numbers that a regression sums up for each target.
package let regressionSums = Int(MTLF_REGRESSION_SUMS)

/// The arguments and the results of a plan's steps, in memory that is allocated once.
package final class StepArguments {
  /// The most streams of rows.
  package static let maximumStreams = 64

  private let step: UnsafeMutablePointer<mtlf_step>
  private let heads: UnsafeMutablePointer<mtlf_step_head>
  private let inputs: UnsafeMutablePointer<mtlf_step_input>
  private let augmentations: UnsafeMutablePointer<mtlf_augmentation>
  /// Rows that aren't there, for inputs and heads without columns.
  package let absent: UnsafePointer<Int32>
  private let streams: UnsafeMutablePointer<UnsafePointer<Int32>?>
  private let inputCount: Int, headCount: Int
  /// Memory of heads.
  private var memory: [UnsafeMutableRawPointer] = []

  package init(inputCount: Int, headCount: Int, batchCapacity: Int) {
    self.inputCount = inputCount
    self.headCount = headCount
    inputs = .allocate(capacity: max(1, inputCount))
    inputs.initialize(repeating: mtlf_step_input(), count: max(1, inputCount))
    augmentations = .allocate(capacity: max(1, inputCount))
    augmentations.initialize(repeating: mtlf_augmentation(), count: max(1, inputCount))
    heads = .allocate(capacity: max(1, headCount))
    heads.initialize(repeating: mtlf_step_head(), count: max(1, headCount))
    let rows = UnsafeMutablePointer<Int32>.allocate(capacity: batchCapacity)
    rows.initialize(repeating: -1, count: batchCapacity)
    absent = UnsafePointer(rows)
    streams = .allocate(capacity: Self.maximumStreams + 1)
    streams.initialize(repeating: nil, count: Self.maximumStreams + 1)
    step = .allocate(capacity: 1)
    step.initialize(to: mtlf_step())
    step.pointee.inputs = UnsafePointer(inputs)
    step.pointee.heads = heads
    step.pointee.head_count = Int32(headCount)
    step.pointee.indices = UnsafePointer(streams)
    step.pointee.non_finite_op = -1
  }

  deinit {
    for place in memory { place.deallocate() }
    inputs.deallocate()
    augmentations.deallocate()
    heads.deallocate()
    absent.deallocate()
    streams.deallocate()
    step.deallocate()
  }

  // MARK: Before the first step

  /// - Parameters:
  ///   - batchCapacity: the largest minibatch.
  ///   - classWeights: by class, or nil.
  package func setHead(
    _ head: Int, loss: KernelLoss, target: KernelTarget, labelSmoothing: Float, classWeights: [Float]?,
    batchCapacity: Int
  ) {
    var made = mtlf_step_head()
    made.loss = loss.kernel
    made.label_smoothing = labelSmoothing
    if case .huber(let delta) = loss { made.huber_delta = delta }
    if let classWeights {
      let weights = UnsafeMutablePointer<Float>.allocate(capacity: classWeights.count)
      weights.initialize(from: classWeights, count: classWeights.count)
      memory.append(UnsafeMutableRawPointer(weights))
      made.class_weights = UnsafePointer(weights)
    }
    switch target {
    case .classes:
      made.target = MTLF_TARGET_CLASS
      made.predicted = zeros(batchCapacity)
      made.rank = zeros(batchCapacity)
    case .values(let sums):
      made.target = MTLF_TARGET_VALUES
      made.sum_size = Int32(sums)
      made.sums = zeros(sums * KernelPlan.maximumGroups)
    case .mask(let counts):
      made.target = MTLF_TARGET_MASK
      made.count_size = Int32(counts)
      made.counts = zeros(counts * KernelPlan.maximumGroups)
    }
    heads[head] = made
  }

  private func zeros<Value: Numeric>(_ count: Int) -> UnsafeMutablePointer<Value> {
    let values = UnsafeMutablePointer<Value>.allocate(capacity: count)
    values.initialize(repeating: 0, count: count)
    memory.append(UnsafeMutableRawPointer(values))
    return values
  }

  package func setOptimizer(_ optimizer: KernelOptimizer) {
    switch optimizer {
    case .adam(let learningRate, let beta1, let beta2, let epsilon, let weightDecay):
      step.pointee.optimizer = MTLF_OPTIMIZER_ADAM
      step.pointee.adam = mtlf_adam(
        learning_rate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, weight_decay: weightDecay)
    case .sgd(let learningRate, let momentum, let weightDecay):
      step.pointee.optimizer = MTLF_OPTIMIZER_SGD
      step.pointee.sgd = mtlf_sgd(learning_rate: learningRate, momentum: momentum, weight_decay: weightDecay)
    }
  }

  /// Where to add each thread's seconds, `[threads][accounts]` in the order of `StepAccount`; nil to read no clock.
  package func setAccounts(_ seconds: UnsafeMutablePointer<Double>?) { step.pointee.account_seconds = seconds }

  // MARK: Where samples lie

  /// - Parameter none: the stream of an input that isn't there.
  package func setInput(_ slot: Int, _ rows: InputRows, none: Int) {
    var kernelRows = mtlf_input_rows()
    kernelRows.data = rows.data
    kernelRows.is_bytes = rows.isBytes ? 1 : 0
    kernelRows.scale = rows.scale
    kernelRows.factors = rows.factors
    kernelRows.offsets = rows.offsets
    if let augmentation = rows.augmentation {
      augmentations[slot] = mtlf_augmentation(
        flip: augmentation.flip ? 1 : 0, pad: Int32(augmentation.pad), cutout: Int32(augmentation.cutout),
        key: augmentation.key)
      kernelRows.augmentation = UnsafePointer(augmentations + slot)
    }
    inputs[slot] = mtlf_step_input(stream: Int32(rows.stream < 0 ? none : rows.stream), rows: kernelRows)
  }

  package func setTargets(_ head: Int, _ targets: UnsafeRawPointer?, stream: Int) {
    heads[head].targets = targets
    heads[head].stream = Int32(stream)
  }

  package func setRows(ofStream stream: Int, _ rows: UnsafePointer<Int32>?) { streams[stream] = rows }

  package func hasTargets(_ head: Int) -> Bool { heads[head].targets != nil }

  // MARK: Of a step

  package func setStep(sampleCount: Int, epoch: Int, optimizerStep: Int) {
    step.pointee.sample_count = Int32(sampleCount)
    step.pointee.epoch = UInt64(epoch)
    step.pointee.optimizer_step = Int64(optimizerStep)
  }

  package func setLearningRate(_ rate: Float) {
    step.pointee.adam.learning_rate = rate
    step.pointee.sgd.learning_rate = rate
  }

  /// The head's weight over the sum of the weights of the minibatch's present samples; 0 where there is none.
  package func setScale(_ head: Int, _ scale: Float) { heads[head].scale = scale }

  /// Runs stages of a plan on the team's thread and waits for them.
  package func run(_ plan: KernelPlan, stages: Range<Int>, _ context: KernelContext) throws {
    try check(
      TeamThread.shared.run(
        plan.pointer, Int32(stages.lowerBound), Int32(stages.upperBound), step, context.pointer), in: "training step")
  }

  // MARK: Results

  /// The threads that ran.
  package var teamSize: Int { Int(step.pointee.team_size) }
  /// The groups that counts and sums of heads are of.
  package var groupCount: Int { Int(step.pointee.group_count) }
  /// The plan's operation whose gradient was not finite; of several the first.
  package var nonFiniteOperation: Int? {
    step.pointee.non_finite_op < 0 ? nil : Int(step.pointee.non_finite_op)
  }
  /// Whether the step ended early since a loss isn't finite.
  package var hasStopped: Bool { step.pointee.has_stopped != 0 }

  /// A head's sums over the present samples of the minibatch; the loss without the head's weight.
  package func sums(of head: Int) -> (loss: Double, weight: Double, present: Int) {
    (heads[head].loss_sum, heads[head].weight_sum, Int(heads[head].present))
  }
  /// Of classes: each sample's predicted class, and the rank of its label among the logits (-1: missing).
  package func ranks(of head: Int) -> (predicted: UnsafePointer<Int32>, rank: UnsafePointer<Int32>)? {
    guard let predicted = heads[head].predicted, let rank = heads[head].rank else { return nil }
    return (UnsafePointer(predicted), UnsafePointer(rank))
  }
  /// Of masks, `[groups][size]`.
  package func counts(of head: Int) -> (base: UnsafePointer<Int64>, size: Int)? {
    heads[head].counts.map { (UnsafePointer($0), Int(heads[head].count_size)) }
  }
  /// Of values, `[groups][size]`.
  package func valueSums(of head: Int) -> (base: UnsafePointer<Double>, size: Int)? {
    heads[head].sums.map { (UnsafePointer($0), Int(heads[head].sum_size)) }
  }
}
