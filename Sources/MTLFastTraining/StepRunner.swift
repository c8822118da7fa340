// SPDX-License-Identifier: Apache-2.0
// Feeds minibatches of samples to a plan and sums up what comes back.

import Kernels
import MTLFast
import MTLFastData

/// A plan with its step's arguments: everything that runs a minibatch, allocated once.
final class StepRunner {
  let plan: CompiledPlan
  let graph: ModelGraph
  let context: KernelContext
  /// Results of the last minibatch and the sums of all since `resetSums`, by head.
  var sums: [TaskSum]
  private(set) var lastSums: [TaskSum]
  /// How often each class was predicted as which, true x predicted, by head; empty unless it is collected.
  private(set) var confusion: [[Int]] = []

  private let step: UnsafeMutablePointer<mtlf_step>
  private let heads: UnsafeMutablePointer<mtlf_step_head>
  private let inputs: UnsafeMutablePointer<mtlf_step_input>
  private let inputCount: Int
  /// Rows that aren't there, for inputs and heads without columns.
  private let absent: UnsafeMutablePointer<Int32>
  private var streams: UnsafeMutablePointer<UnsafePointer<Int32>?>
  private static let maximumStreams = 64

  init(plan: CompiledPlan, graph: ModelGraph, context: KernelContext) {
    self.plan = plan
    self.graph = graph
    self.context = context
    inputCount = graph.nodes.count { if case .input = $0.operation { true } else { false } }
    inputs = .allocate(capacity: max(1, inputCount))
    inputs.initialize(repeating: mtlf_step_input(), count: max(1, inputCount))
    heads = .allocate(capacity: graph.heads.count)
    heads.initialize(repeating: mtlf_step_head(), count: graph.heads.count)
    absent = .allocate(capacity: plan.batchCapacity)
    absent.initialize(repeating: -1, count: plan.batchCapacity)
    streams = .allocate(capacity: Self.maximumStreams + 1)
    streams.initialize(repeating: nil, count: Self.maximumStreams + 1)
    step = .allocate(capacity: 1)
    step.initialize(to: mtlf_step())
    step.pointee.inputs = UnsafePointer(inputs)
    step.pointee.heads = heads
    step.pointee.head_count = Int32(graph.heads.count)
    step.pointee.indices = UnsafePointer(streams)
    sums = graph.heads.map(TaskSum.init(of:))
    lastSums = sums
    for (index, head) in graph.heads.enumerated() { heads[index] = makeHead(head) }
  }

  deinit {
    for index in graph.heads.indices {
      heads[index].predicted?.deallocate()
      heads[index].rank?.deallocate()
      heads[index].counts?.deallocate()
      heads[index].sums?.deallocate()
      heads[index].class_weights?.deallocate()
    }
    inputs.deallocate()
    heads.deallocate()
    absent.deallocate()
    streams.deallocate()
    step.deallocate()
  }

  /// A head of the step with the memory of its metrics.
  private func makeHead(_ head: Head) -> mtlf_step_head {
    func zeros<Value: Numeric>(_ count: Int) -> UnsafeMutablePointer<Value> {
      let memory = UnsafeMutablePointer<Value>.allocate(capacity: count)
      memory.initialize(repeating: 0, count: count)
      return memory
    }
    var made = mtlf_step_head()
    made.loss = head.loss.kernel
    made.label_smoothing = head.labelSmoothing
    if case .huber(let delta) = head.loss { made.huber_delta = delta }
    if let weights = head.classWeights {
      let memory = UnsafeMutablePointer<Float>.allocate(capacity: weights.count)
      memory.initialize(from: weights, count: weights.count)
      made.class_weights = UnsafePointer(memory)
    }
    let sum = TaskSum(of: head)
    switch head.task {
    case .classification:
      made.target = MTLF_TARGET_CLASS
      made.predicted = zeros(plan.batchCapacity)
      made.rank = zeros(plan.batchCapacity)
    case .regression:
      made.target = MTLF_TARGET_VALUES
      made.sum_size = Int32(sum.sums.count)
      made.sums = zeros(sum.sums.count * Int(MTLF_MAX_GROUPS))
    case .segmentation, .masks:
      made.target = MTLF_TARGET_MASK
      made.count_size = Int32(sum.counts.count)
      made.counts = zeros(sum.counts.count * Int(MTLF_MAX_GROUPS))
    }
    return made
  }

  /// The threads that ran the last step.
  var teamSize: Int { Int(step.pointee.team_size) }

  func setOptimizer(_ optimizer: Optimizer) {
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

  func setLearningRate(_ rate: Float) {
    step.pointee.adam.learning_rate = rate
    step.pointee.sgd.learning_rate = rate
  }

  /// Where to add the seconds of each thread by account, [threads][MTLF_ACCOUNT_COUNT]; nil to read no clock.
  func setAccounts(_ seconds: UnsafeMutablePointer<Double>?) { step.pointee.account_seconds = seconds }

  func resetSums() {
    for index in sums.indices { sums[index].reset() }
    for index in confusion.indices { for at in confusion[index].indices { confusion[index][at] = 0 } }
  }

  /// Counts predictions by class from now on, of heads with at most so many classes.
  func collectConfusion(upTo classes: Int) {
    confusion = graph.heads.map { head in
      guard case .classification(let names) = head.task, names.count <= classes else { return [] }
      return [Int](repeating: 0, count: names.count * names.count)
    }
  }

  /// Takes the samples' columns, and calls `body` while they stay where they are.
  func bind<Result>(
    _ samples: Samples, seed: UInt64? = nil, _ body: (BoundSamples) throws -> Result
  ) throws -> Result {
    guard samples.streams.count <= Self.maximumStreams else {
      throw MTLFastError(
        .usage, "\(samples.name): has \(samples.streams.count) streams. Use \(Self.maximumStreams) at most.")
    }
    return try BoundSamples.bind(samples, graph: graph, seed: seed) { bound in
      let none = Int32(bound.streamCounts.count)
      streams[Int(none)] = UnsafePointer(absent)
      for index in 0..<inputCount {
        inputs[index] = bound.inputs[index]
        if inputs[index].stream < 0 { inputs[index].stream = none }
      }
      for index in graph.heads.indices {
        heads[index].targets = bound.targets[index]
        heads[index].stream = Int32(bound.targetStreams[index])
      }
      return try body(bound)
    }
  }

  /// Runs the plan on the samples at `rows`, of each stream; -1 is a row that isn't there.
  func run(
    _ samples: BoundSamples, rows: UnsafeBufferPointer<UnsafePointer<Int32>>, count: Int, epoch: Int, optimizerStep: Int
  ) throws {
    step.pointee.sample_count = Int32(count)
    step.pointee.epoch = UInt64(epoch)
    step.pointee.optimizer_step = Int64(optimizerStep)
    for stream in rows.indices { streams[stream] = rows[stream] }
    for index in graph.heads.indices {
      let head = graph.heads[index]
      let weight =
        rows.isEmpty || heads[index].targets == nil
        ? 0
        : samples.weight(
          of: index, classWeights: head.classWeights, rows: rows[samples.targetStreams[index]], count: count)
      heads[index].scale = weight > 0 ? head.weight / Float(weight) : 0
    }
    try check(TeamThread.shared.run(plan.pointer, step, context.pointer), in: "training step")
    for index in graph.heads.indices {
      let rows = rows.isEmpty ? UnsafePointer(absent) : rows[samples.targetStreams[index]]
      takeResults(of: index, graph.heads[index], samples, rows: rows, count: count)
      sums[index] += lastSums[index]
    }
  }

  private func takeResults(
    of index: Int, _ head: Head, _ samples: BoundSamples, rows: UnsafePointer<Int32>, count: Int
  ) {
    let result = heads[index]
    lastSums[index].reset()
    lastSums[index].loss = result.loss_sum
    lastSums[index].weight = result.weight_sum
    lastSums[index].present = Int(result.present)
    let groups = Int(step.pointee.group_count)
    if let counts = result.counts {
      let size = Int(result.count_size)
      for group in 0..<groups {
        for at in 0..<size { lastSums[index].counts[at] += Int(counts[group * size + at]) }
      }
    }
    if let sums = result.sums {
      let size = Int(result.sum_size)
      for group in 0..<groups { for at in 0..<size { lastSums[index].sums[at] += sums[group * size + at] } }
    }
    guard let predicted = result.predicted, let rank = result.rank else { return }
    let classes = head.task.names.count
    let parent = head.hierarchy.flatMap { hierarchy in graph.heads.firstIndex { $0.name == hierarchy.parent } }
    for row in 0..<count where rows[row] >= 0 {
      guard rank[row] >= 0, let label = samples.label(of: index, row: Int(rows[row])) else { continue }
      if let hierarchy = head.hierarchy, let parent, let parentPredicted = heads[parent].predicted,
        samples.targetStreams[parent] == samples.targetStreams[index]
      {
        lastSums[index].counts[3 * classes] += 1
        if hierarchy.parents[Int(predicted[row])] == Int(parentPredicted[row]) {
          lastSums[index].counts[3 * classes + 1] += 1
        }
      }
      lastSums[index].counts[Int(rank[row])] += 1
      lastSums[index].counts[classes + label] += 1
      if rank[row] == 0 { lastSums[index].counts[2 * classes + label] += 1 }
      if !confusion.isEmpty, !confusion[index].isEmpty {
        confusion[index][label * classes + Int(predicted[row])] += 1
      }
    }
  }

  /// Where the last minibatch met a value that is not finite.
  var nonFinite: NonFinitePlace? {
    for head in lastSums.indices where !lastSums[head].loss.isFinite { return .loss(head: head) }
    guard step.pointee.non_finite_op >= 0 else { return nil }
    return plan.node(ofOperation: Int(step.pointee.non_finite_op)).map(NonFinitePlace.gradient)
  }

  func scores(_ sums: [TaskSum]) -> Scores {
    var total = 0.0
    let tasks = graph.heads.indices.map { index -> (name: String, score: TaskScore) in
      let head = graph.heads[index]
      let score = sums[index].score(of: head, confusion: matrix(index, of: head))
      total += Double(head.weight) * (score.loss ?? 0)
      return (head.name, score)
    }
    return Scores(loss: total, tasks: tasks)
  }

  private func matrix(_ index: Int, of head: Head) -> [[Int]]? {
    guard confusion.indices.contains(index), !confusion[index].isEmpty else { return nil }
    let classes = head.task.names.count
    return (0..<classes).map { Array(confusion[index][$0 * classes..<($0 + 1) * classes]) }
  }
}

extension Loss {
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
