// SPDX-License-Identifier: Apache-2.0
// Feeds minibatches of samples to a step and sums up what comes back.

import Kernels
import MTLFast
import MTLFastStep

/// A compiled step with its arguments: everything that runs a minibatch, allocated once.
final class StepRunner {
  let step: CompiledStep
  let graph: ModelGraph
  /// Results of the last minibatch and the sums of all since `resetSums`, by head.
  var sums: [TaskSum]
  private(set) var lastSums: [TaskSum]
  /// How often each class was predicted as which, true x predicted, by head; empty unless it is collected.
  private(set) var confusion: [[Int]] = []

  private let arguments: StepArguments
  private let inputCount: Int

  init(step: CompiledStep, graph: ModelGraph) {
    self.step = step
    self.graph = graph
    inputCount = graph.nodes.count { if case .input = $0.operation { true } else { false } }
    arguments = StepArguments(
      inputCount: inputCount, headCount: graph.heads.count, batchCapacity: step.batchCapacity)
    sums = graph.heads.map(TaskSum.init(of:))
    lastSums = sums
    for (index, head) in graph.heads.enumerated() {
      let sum = sums[index]
      let target: KernelTarget =
        switch head.task {
        case .classification: .classes
        case .regression: .values(sums: sum.sums.count)
        case .segmentation, .masks: .mask(counts: sum.counts.count)
        }
      arguments.setHead(
        index, loss: head.loss.kernel, target: target, labelSmoothing: head.labelSmoothing,
        classWeights: head.classWeights, batchCapacity: step.batchCapacity)
    }
  }

  /// The threads that ran the last step.
  var teamSize: Int { arguments.teamSize }

  func setOptimizer(_ optimizer: Optimizer) {
    switch optimizer {
    case .adam(let adam):
      arguments.setOptimizer(
        .adam(
          learningRate: adam.learningRate, beta1: adam.beta1, beta2: adam.beta2, epsilon: adam.epsilon,
          weightDecay: adam.weightDecay))
    case .sgd(let sgd):
      arguments.setOptimizer(
        .sgd(learningRate: sgd.learningRate, momentum: sgd.momentum, weightDecay: sgd.weightDecay))
    }
  }

  func setLearningRate(_ rate: Float) { arguments.setLearningRate(rate) }

  /// Where to add the seconds of each thread by account, [threads][accounts]; nil to read no clock.
  func setAccounts(_ seconds: UnsafeMutablePointer<Double>?) { arguments.setAccounts(seconds) }

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
    guard samples.streams.count <= StepArguments.maximumStreams else {
      throw MTLFastError(
        .usage,
        "\(samples.name): has \(samples.streams.count) streams. Use \(StepArguments.maximumStreams) at most.")
    }
    return try BoundSamples.bind(samples, graph: graph, seed: seed) { bound in
      let none = bound.streamCounts.count
      arguments.setRows(ofStream: none, arguments.absent)
      for index in 0..<inputCount { arguments.setInput(index, bound.inputs[index], none: none) }
      for index in graph.heads.indices {
        arguments.setTargets(index, bound.targets[index], stream: bound.targetStreams[index])
      }
      return try body(bound)
    }
  }

  /// Runs the step on the samples at `rows`, of each stream; -1 is a row that isn't there.
  ///
  /// - Parameters:
  ///   - lossWeights: of each head.
  ///   - host: what stands at the step's boundaries.
  func run(
    _ samples: BoundSamples, rows: UnsafeBufferPointer<UnsafePointer<Int32>>, count: Int, epoch: Int,
    optimizerStep: Int, lossWeights: [Float], host: StepHost? = nil
  ) throws {
    arguments.setStep(sampleCount: count, epoch: epoch, optimizerStep: optimizerStep)
    for stream in rows.indices { arguments.setRows(ofStream: stream, rows[stream]) }
    setScales(lossWeights, samples, rows: rows, count: count)
    for index in step.programs.indices {
      try step.run(program: index, arguments)
      if arguments.hasStopped { break }
      guard let boundary = step.programs[index].boundary else { continue }
      let losses = graph.heads.indices.map { index in
        let sum = arguments.sums(of: index)
        return sum.weight > 0 ? sum.loss / sum.weight : nil
      }
      // Of a loss that is no number nothing is learnt.
      guard losses.allSatisfy({ $0?.isFinite ?? true }) else { break }
      let place = StepPlace(boundary: boundary, step: step, losses: losses, sampleCount: count)
      if let weights = try host?.act(place) {
        guard boundary == .lossesComplete, weights.count == graph.heads.count, weights.allSatisfy(\.isFinite) else {
          throw MTLFastError(
            .usage,
            "The step's host gives weights \(weights) at \(boundary). Give \(graph.heads.count) numbers where losses are complete."
          )
        }
        setScales(weights, samples, rows: rows, count: count)
      }
    }
    for index in graph.heads.indices {
      let rows = rows.isEmpty ? arguments.absent : rows[samples.targetStreams[index]]
      takeResults(of: index, graph.heads[index], samples, rows: rows, count: count)
      sums[index] += lastSums[index]
    }
  }

  /// Each head's weight over that of its present samples.
  private func setScales(
    _ weights: [Float], _ samples: BoundSamples, rows: UnsafeBufferPointer<UnsafePointer<Int32>>, count: Int
  ) {
    for index in graph.heads.indices {
      let present =
        rows.isEmpty || !arguments.hasTargets(index)
        ? 0
        : samples.weight(
          of: index, classWeights: graph.heads[index].classWeights, rows: rows[samples.targetStreams[index]],
          count: count)
      arguments.setScale(index, present > 0 ? weights[index] / Float(present) : 0)
    }
  }

  private func takeResults(
    of index: Int, _ head: Head, _ samples: BoundSamples, rows: UnsafePointer<Int32>, count: Int
  ) {
    lastSums[index].reset()
    (lastSums[index].loss, lastSums[index].weight, lastSums[index].present) = arguments.sums(of: index)
    let groups = arguments.groupCount
    if let counts = arguments.counts(of: index) {
      for group in 0..<groups {
        for at in 0..<counts.size { lastSums[index].counts[at] += Int(counts.base[group * counts.size + at]) }
      }
    }
    if let sums = arguments.valueSums(of: index) {
      for group in 0..<groups {
        for at in 0..<sums.size { lastSums[index].sums[at] += sums.base[group * sums.size + at] }
      }
    }
    guard let (predicted, rank) = arguments.ranks(of: index) else { return }
    let classes = head.task.names.count
    let parent = head.hierarchy.flatMap { hierarchy in graph.heads.firstIndex { $0.name == hierarchy.parent } }
    let parentPredicted = parent.flatMap { arguments.ranks(of: $0)?.predicted }
    for row in 0..<count where rows[row] >= 0 {
      guard rank[row] >= 0, let label = samples.label(of: index, row: Int(rows[row])) else { continue }
      if let hierarchy = head.hierarchy, let parent, let parentPredicted,
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
    return arguments.nonFiniteOperation.flatMap(step.node(ofOperation:)).map(NonFinitePlace.gradient)
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
  fileprivate var kernel: KernelLoss {
    switch self {
    case .softmaxCrossEntropy: .softmaxCrossEntropy
    case .binaryCrossEntropy: .binaryCrossEntropy
    case .dice: .dice
    case .binaryCrossEntropyDice: .binaryCrossEntropyDice
    case .meanSquaredError: .meanSquaredError
    case .meanAbsoluteError: .meanAbsoluteError
    case .huber(let delta): .huber(delta: delta)
    }
  }
}
