// SPDX-License-Identifier: Apache-2.0
// From the model graph to a program: the layers' forward passes, the heads, the layers' backward passes, the updates.

import Kernels
import MTLFast

/// What a step is for.
package enum StepPurpose {
  /// Forward, losses, backward, update.
  case training(seed: UInt64)
  /// Forward and losses.
  case evaluation
  /// Forward, and softmax or sigmoid.
  case prediction

  package var isTraining: Bool { if case .training = self { true } else { false } }
}

/// What a training step is asked for beside the plain one.
package struct StepSettings {
  /// Nodes whose weights stay as they are; a batch normalisation then uses its running statistics.
  package var frozen: Set<Int> = []
  /// Whether gradients are clipped by their global norm.
  package var clips = false
  /// Where the host stands between programs.
  package var boundaries: Set<StepBoundary> = []
  /// Of activations and their gradients between dense layers that run in blocks.
  package var precision = ElementType.float32

  package init() {}

  /// Whether gradients are complete before the first update.
  var keepsGradients: Bool { clips || boundaries.contains(.gradientsReady) }
}

/// How a weight's gradient is kept.
package enum GradientKeeping: Hashable {
  /// In the registers of the pass that makes it, which updates the weight as well.
  case fused
  /// By group of the minibatch.
  case byGroup
  /// One, of the whole minibatch.
  case whole
}

/// Writes the program of one step.
package struct Lowering {
  package let graph: ModelGraph
  package let purpose: StepPurpose
  package let settings: StepSettings
  package var program = Program()
  /// Each head's result of a prediction: probabilities, or the values of a regression.
  package var results: [Int] = []

  /// The value that holds a node's output.
  package var value: [Int?]
  /// The max-pool node that a convolution runs with.
  package var fusedPool: [Int: Int] = [:]
  /// What a node's forward pass leaves for its backward pass beside its output: which elements were the largest, statistics.
  var saved: [Int: Int] = [:]

  let consumers: [[Int]]
  /// Nodes that run, those that some head needs.
  let isNeeded: [Bool]
  let needsGradient: [Bool]
  private let belongsToHead: [Bool]
  /// The first input that each node depends on, as its place among the inputs.
  let source: [Int]

  /// What a layer wrote before its activation, by node.
  var beforeActivation: [Int: Int] = [:]
  /// Values that were converted to another element type.
  private var conversions: [Int: Int] = [:]
  /// Gradients of a node's output from its readers.
  var incoming: [IncomingGradients]
  /// Updates stand last in the program, behind every reader of a weight.
  var updates: [WeightUpdate] = []

  package init(graph: ModelGraph, purpose: StepPurpose, settings: StepSettings = StepSettings()) throws {
    self.graph = graph
    self.purpose = purpose
    self.settings = settings
    let count = graph.nodes.count
    var needed = [Bool](repeating: false, count: count)
    for head in graph.heads { needed[head.logits] = true }
    for index in graph.nodes.indices.reversed() where needed[index] {
      for input in graph.nodes[index].inputs { needed[input] = true }
    }
    var consumers = [[Int]](repeating: [], count: count)
    for index in graph.nodes.indices where needed[index] {
      for input in graph.nodes[index].inputs { consumers[input].append(index) }
    }
    var gradient = [Bool](repeating: false, count: count)
    let parameterNodes = Set(graph.parameterSpecifications.map(\.node))
    for index in graph.nodes.indices {
      gradient[index] =
        (parameterNodes.contains(index) && !settings.frozen.contains(index))
        || graph.nodes[index].inputs.contains { gradient[$0] }
    }
    var source = [Int](repeating: 0, count: count)
    var inputs = 0
    for index in graph.nodes.indices {
      if case .input = graph.nodes[index].operation {
        source[index] = inputs
        inputs += 1
      } else {
        source[index] = graph.nodes[index].inputs.map { source[$0] }.min() ?? 0
      }
    }
    self.source = source
    belongsToHead = graph.nodes.map { node in graph.heads.contains { node.name.hasPrefix("\($0.name).") } }
    self.consumers = consumers
    isNeeded = needed
    needsGradient = gradient
    value = [Int?](repeating: nil, count: count)
    incoming = [IncomingGradients](repeating: IncomingGradients(), count: count)
    findFusedPools()
    for index in graph.nodes.indices where isNeeded[index] { try lowerForward(index) }
    try lowerHeads()
    if purpose.isTraining {
      for index in graph.nodes.indices.reversed() where isNeeded[index] && needsGradient[index] {
        try lowerBackward(index)
      }
      lowerUpdates()
    }
    if let missing = settings.boundaries.first(where: { asked in !program.boundaries.contains { $0.boundary == asked } }
    ) {
      throw MTLFastError(.usage, "The step has no boundary '\(missing)': nothing is trained there.")
    }
    guard !settings.boundaries.isEmpty else { return }
    var plain = settings
    plain.boundaries = []
    let whole = try Lowering(graph: graph, purpose: purpose, settings: plain).program
    program.shardElements = ShardSize.sampleElements(whole, Schedule(whole))
  }

  private mutating func lowerForward(_ index: Int) throws {
    switch graph.nodes[index].operation {
    case .input: lowerInput(index)
    case .layer(let layer):
      // A pool that its convolution runs has its value already.
      if value[index] == nil { value[index] = try layer.lowered.lowerForward(index, in: &self) }
    }
  }

  private mutating func lowerBackward(_ index: Int) throws {
    guard case .layer(let layer) = graph.nodes[index].operation else { return }
    if fusedPool.values.contains(index) { return }  // with its convolution
    let target = fusedPool[index] ?? index
    guard let sum = try gatherGradient(of: target, mayMask: target == index && layer.lowered.endsInReLU) else { return }
    try layer.lowered.lowerBackward(index, gradient: sum, in: &self)
  }

  // MARK: What layers ask for

  var seed: UInt64? { if case .training(let seed) = purpose { seed } else { nil } }

  func isFrozen(_ node: Int) -> Bool { settings.frozen.contains(node) }

  func name(_ node: Int) -> String { graph.nodes[node].name }

  func shape(_ node: Int) -> Shape { graph.nodes[node].shape }

  /// The node's only or first input.
  func input(of node: Int) throws -> Int {
    guard let input = graph.nodes[node].inputs.first else {
      throw MTLFastError(.system, "Node '\(name(node))' reads nothing.")
    }
    return input
  }

  /// The value that a node reads: of its first input, or of the one that is named.
  func inputValue(of node: Int, _ input: Int? = nil) throws -> Int {
    guard let found = value[try input ?? self.input(of: node)] else {
      throw MTLFastError(.system, "Node '\(name(node))' reads a node that is not written yet.")
    }
    return found
  }

  func account(_ node: Int) -> StepAccount {
    if belongsToHead[node] { return .heads }
    switch graph.nodes[node].operation {
    case .input: return .loader
    case .layer(let layer): return type(of: layer.lowered).account
    }
  }

  /// Adds an operation of a node.
  mutating func add(_ kind: Operation.Kind, _ node: Int, account: StepAccount? = nil, flops: Int = 0) {
    program.operations.append(Operation(kind, node: node, account: account ?? self.account(node), flops: flops))
  }

  /// A value for the node's output, in the halo that its readers want.
  mutating func addOutput(of node: Int, named name: String? = nil) -> Int {
    program.addValue(name ?? self.name(node), shape(node), halo: haloWanted(around: node))
  }

  /// The zeros that readers want around a node's output. The readers of a view of it are its readers too.
  func haloWanted(around node: Int) -> Halo {
    consumers[node].reduce(into: Halo.none) { halo, reader in
      guard case .layer(let layer) = graph.nodes[reader].operation else { return }
      halo = halo.union(
        layer.lowered.passesInputOn(for: purpose)
          ? haloWanted(around: reader) : layer.lowered.haloWanted(around: shape(node)))
    }
  }

  /// A value without a halo with the same elements, copied if need be.
  mutating func withoutHalo(_ source: Int, node: Int) -> Int {
    guard !program.values[source].halo.isNone else { return source }
    let copy = program.addValue("\(program.values[source].name).dense", program.values[source].shape)
    add(.copy(CopyOperation(from: source, to: copy)), node)
    return copy
  }

  /// The same elements in the halo that a node's readers want, copied if need be.
  mutating func withHaloWanted(_ source: Int, around node: Int) -> Int {
    let halo = haloWanted(around: node)
    guard !halo.isNone else { return source }
    let padded = program.addValue("\(program.values[source].name).padded", program.values[source].shape, halo: halo)
    add(.copy(CopyOperation(from: source, to: padded)), node)
    return padded
  }

  /// The same elements of another type, converted if need be.
  mutating func converted(_ source: Int, to element: ElementType, node: Int) -> Int {
    guard program.values[source].element != element else { return source }
    if let known = conversions[source] { return known }
    let copy = program.addValue(
      "\(program.values[source].name).\(element)", program.values[source].shape, element: element,
      isInWorkingSet: false)
    add(.copy(CopyOperation(from: source, to: copy)), node)
    conversions[source] = copy
    return copy
  }
}
