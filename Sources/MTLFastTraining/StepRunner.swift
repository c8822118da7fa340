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

  private let step: UnsafeMutablePointer<mtlf_step>
  private let heads: UnsafeMutablePointer<mtlf_step_head>
  private let inputs: UnsafeMutablePointer<mtlf_step_input>
  private let labels: [UnsafeMutablePointer<Int32>]
  private let inputNames: [(name: String, shape: Shape)]

  init(plan: CompiledPlan, graph: ModelGraph, context: KernelContext) {
    self.plan = plan
    self.graph = graph
    self.context = context
    inputNames = graph.nodes.filter { if case .input = $0.operation { true } else { false } }.map {
      ($0.name, $0.shape)
    }
    inputs = .allocate(capacity: max(1, inputNames.count))
    inputs.initialize(repeating: mtlf_step_input(), count: max(1, inputNames.count))
    heads = .allocate(capacity: graph.heads.count)
    heads.initialize(repeating: mtlf_step_head(), count: graph.heads.count)
    labels = graph.heads.map { _ in .allocate(capacity: plan.batchCapacity) }
    for index in graph.heads.indices { heads[index].labels = UnsafePointer(labels[index]) }
    step = .allocate(capacity: 1)
    step.initialize(to: mtlf_step())
    step.pointee.inputs = UnsafePointer(inputs)
    step.pointee.heads = heads
    step.pointee.head_count = Int32(graph.heads.count)
    sums = [TaskSum](repeating: TaskSum(), count: graph.heads.count)
    lastSums = sums
  }

  deinit {
    for label in labels { label.deallocate() }
    inputs.deallocate()
    heads.deallocate()
    step.deallocate()
  }

  /// The threads that ran the last step.
  var teamSize: Int { Int(step.pointee.team_size) }

  func setOptimizer(_ optimizer: Optimizer) {
    switch optimizer {
    case .adam(let learningRate, let beta1, let beta2, let epsilon, _):
      step.pointee.optimizer = MTLF_OPTIMIZER_ADAM
      step.pointee.adam = mtlf_adam(learning_rate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon)
    case .sgd(let learningRate, let momentum, _):
      step.pointee.optimizer = MTLF_OPTIMIZER_SGD
      step.pointee.sgd = mtlf_sgd(learning_rate: learningRate, momentum: momentum)
    }
  }

  /// Where to add the seconds of each thread by account, [threads][MTLF_ACCOUNT_COUNT]; nil to read no clock.
  func setAccounts(_ seconds: UnsafeMutablePointer<Double>?) { step.pointee.account_seconds = seconds }

  func resetSums() {
    for index in sums.indices { sums[index] = TaskSum() }
  }

  /// Checks that the samples fit the model, and calls `body` while their columns stay where they are.
  func bind<Result>(_ samples: Samples, _ body: (BoundSamples) throws -> Result) throws -> Result {
    try samples.check(against: graph)
    let columns = try inputNames.map { name, _ -> Samples.Input in
      guard let input = samples.input(named: name) else {
        throw MTLFastError(.usage, "\(samples.name): has no column for the input '\(name)'.")
      }
      return input
    }
    let bound = BoundSamples(
      count: samples.count,
      labels: graph.heads.map {
        if case .classes(let column)? = samples.target(of: $0.name) { column.values } else { nil }
      })
    func bindInput(_ index: Int) throws -> Result {
      guard index < columns.count else { return try body(bound) }
      switch columns[index].column {
      case .bytes(_, let values):
        return try values.withUnsafeBytes { bytes in
          inputs[index] = mtlf_step_input(data: bytes.baseAddress, is_bytes: 1, scale: columns[index].scale)
          return try bindInput(index + 1)
        }
      case .floats(_, let values):
        return try values.withUnsafeBytes { bytes in
          inputs[index] = mtlf_step_input(data: bytes.baseAddress, is_bytes: 0, scale: columns[index].scale)
          return try bindInput(index + 1)
        }
      }
    }
    return try bindInput(0)
  }

  /// Runs the plan on the samples at `indices`.
  func run(
    _ samples: BoundSamples, indices: UnsafePointer<Int32>, count: Int, epoch: Int, optimizerStep: Int
  ) throws {
    step.pointee.sample_count = Int32(count)
    step.pointee.indices = indices
    step.pointee.epoch = UInt64(epoch)
    step.pointee.optimizer_step = Int64(optimizerStep)
    for head in labels.indices {
      let target = labels[head]
      var present = 0
      if let column = samples.labels[head] {
        for row in 0..<count {
          let label = column[Int(indices[row])]
          target[row] = label
          if label >= 0 { present += 1 }
        }
      } else {
        for row in 0..<count { target[row] = -1 }
      }
      heads[head].scale = present == 0 ? 0 : graph.heads[head].weight / Float(present)
    }
    try check(TeamThread.shared.run(plan.pointer, step, context.pointer), in: "training step")
    for head in labels.indices {
      lastSums[head] = TaskSum(
        loss: heads[head].loss_sum, present: Int(heads[head].present), correct: Int(heads[head].correct))
      sums[head] += lastSums[head]
    }
  }

  /// The head whose loss in the last minibatch is not a number.
  var nonFiniteHead: String? {
    for head in lastSums.indices where !lastSums[head].loss.isFinite { return graph.heads[head].name }
    return nil
  }

  func scores(_ sums: [TaskSum]) -> Scores {
    var total = 0.0
    let tasks = zip(graph.heads, sums).map { head, sum -> (name: String, score: TaskScore) in
      guard sum.present > 0 else { return (head.name, TaskScore(loss: nil, accuracy: nil, present: 0)) }
      let loss = sum.loss / Double(sum.present)
      total += Double(head.weight) * loss
      return (
        head.name,
        TaskScore(loss: loss, accuracy: Double(sum.correct) / Double(sum.present), present: sum.present)
      )
    }
    return Scores(loss: total, tasks: tasks)
  }
}

/// Samples whose input columns are bound to a step; labels by head.
struct BoundSamples {
  let count: Int
  let labels: [[Int32]?]
}

extension Samples {
  /// - Throws: `MTLFastError` where an input or label column is missing, misnamed, of another shape or count, or a label
  ///   lies outside its head's classes. A head may have no labels as long as one has.
  public func check(against graph: ModelGraph) throws {
    let inputs = streams.first?.inputs ?? [:]
    var labels: [String: LabelColumn] = [:]
    for case (let head, .classes(let column)) in streams.first?.targets ?? [:] { labels[head] = column }
    guard count > 0, count <= Int32.max else {
      throw MTLFastError(.badData, "\(name): has \(count) samples. Training and evaluation need 1 or more.")
    }
    for node in graph.nodes {
      guard case .input = node.operation, let input = inputs[node.name] else { continue }
      guard input.column.shape == node.shape else {
        throw MTLFastError(
          .badData, "\(name): input '\(node.name)' is \(input.column.shape) but the model expects \(node.shape).")
      }
      guard input.column.count == count else {
        throw MTLFastError(.badData, "\(name): input '\(node.name)' has \(input.column.count) samples of \(count).")
      }
    }
    let heads = graph.heads.map(\.name)
    // A twin leaves columns over, and a head may lack its own; both at once is a name gone wrong.
    if heads.contains(where: { labels[$0] == nil }),
      let unknown = labels.keys.sorted().first(where: { !heads.contains($0) })
    {
      throw MTLFastError(
        .usage, "\(name): labels are given for '\(unknown)' but the heads are \(heads.joined(separator: ", ")).")
    }
    guard !labels.isEmpty else {
      throw MTLFastError(.usage, "\(name): has no labels for any of the heads \(heads.joined(separator: ", ")).")
    }
    for head in graph.heads {
      guard case .classification(let classNames) = head.task, let column = labels[head.name] else { continue }
      guard column.values.count == count else {
        throw MTLFastError(
          .badData, "\(name): head '\(head.name)' has \(column.values.count) labels for \(count) samples.")
      }
      if let row = column.values.firstIndex(where: { $0 < -1 || $0 >= classNames.count }) {
        throw MTLFastError(
          .badData,
          "Head '\(head.name)': labels contain \(column.values[row]) at row \(row) of \(name) but the head has \(classNames.count) classes (0...\(classNames.count - 1)). Check the label column or set classes: \(column.values[row] + 1)."
        )
      }
    }
  }
}
