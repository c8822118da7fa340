// SPDX-License-Identifier: Apache-2.0
// From the model graph to a program: the forward pass and the losses; PlanBackward.swift goes on from there.

import Kernels
import MTLFast

/// What a plan is for.
enum PlanPurpose {
  /// Forward, losses, backward, update.
  case training(seed: UInt64)
  /// Forward and losses.
  case evaluation
  /// Forward, and softmax or sigmoid.
  case prediction
}

/// Writes the program of one step.
struct PlanLowering {
  let graph: ModelGraph
  let purpose: PlanPurpose
  var program = PlanProgram()
  /// Each head's result of a prediction: probabilities, or the values of a regression.
  private(set) var results: [Int] = []

  private let consumers: [[Int]]
  /// Nodes that run, those that some head needs.
  private let isNeeded: [Bool]
  let needsGradient: [Bool]
  /// Nodes whose weights stay as they are.
  let isFrozen: [Bool]
  /// Whether gradients are clipped by their global norm.
  let clips: Bool
  private let belongsToHead: [Bool]
  /// The first input that each node depends on, as its place among the inputs.
  let source: [Int]

  /// The value that holds a node's output.
  var value: [Int?]
  /// The max-pool node that a convolution runs with, and the convolution that a pool is run by.
  var fusedPool: [Int: Int] = [:]
  var gates: [Int: Int] = [:]

  /// Gradients of a node's output from its readers.
  struct Incoming {
    var values: [Int] = []
    var terms: [(node: Int, packed: Int)] = []
  }
  var incoming: [Incoming]
  /// Updates of weights stand last in the program, behind every reader of the weight.
  var updates: [PlanProgram.Operation] = []

  /// - Parameters:
  ///   - frozen: nodes whose weights stay as they are; a batch normalisation then uses its running statistics.
  ///   - clips: whether gradients are clipped by their global norm.
  init(graph: ModelGraph, purpose: PlanPurpose, frozen: Set<Int> = [], clips: Bool = false) throws {
    self.graph = graph
    self.purpose = purpose
    let count = graph.nodes.count
    var needed = [Bool](repeating: false, count: count)
    for head in graph.heads { needed[head.logits] = true }
    var feedsHeads = [Int](repeating: 0, count: count)
    for head in graph.heads { feedsHeads[head.logits] += 1 }
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
        (parameterNodes.contains(index) && !frozen.contains(index))
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
    isFrozen = graph.nodes.indices.map(frozen.contains)
    self.clips = clips
    value = [Int?](repeating: nil, count: count)
    incoming = [Incoming](repeating: Incoming(), count: count)
    findFusedPools(isHead: feedsHeads.map { $0 > 0 })
    for index in graph.nodes.indices where isNeeded[index] { try lowerForward(index) }
    try lowerHeads()
    if case .training = purpose {
      for index in graph.nodes.indices.reversed() where isNeeded[index] && needsGradient[index] {
        try lowerBackward(index)
      }
      addUpdates()
    }
  }

  /// Dense layers of fewer weights run in shards, like 1x1 convolutions: a barrier would cost more than it saves.
  static let smallestBlockWeights = 16384

  static func runsInBlocks(_ layer: Dense, inputs: Int) -> Bool { inputs * layer.units >= smallestBlockWeights }

  // MARK: Forward

  private mutating func findFusedPools(isHead: [Bool]) {
    for index in graph.nodes.indices where isNeeded[index] && !isHead[index] {
      guard case .layer(let layer) = graph.nodes[index].operation, let convolution = layer as? Conv2D,
        convolution.activation != .sigmoid, consumers[index].count == 1, let reader = consumers[index].first,
        case .layer(let next) = graph.nodes[reader].operation, let pool = next as? MaxPool2D,
        (pool.poolHeight, pool.poolWidth, pool.strideHeight, pool.strideWidth) == (2, 2, 2, 2), pool.padding == .valid
      else { continue }
      fusedPool[index] = reader
    }
  }

  /// The zeros that readers want around a node's output. A dropout that drops nothing is a view of its input, so its
  /// readers read that.
  private func haloWanted(around node: Int) -> Halo {
    consumers[node].reduce(into: Halo.none) { halo, reader in
      guard case .layer(let layer) = graph.nodes[reader].operation else { return }
      if let dropout = layer as? Dropout, isIdentity(dropout) {
        halo = halo.union(haloWanted(around: reader))
      } else if let convolution = layer as? Conv2D,
        let window = try? convolution.geometry(for: graph.nodes[node].shape)
      {
        halo = halo.union(
          Halo(top: window.padTop, bottom: window.padBottom, left: window.padLeft, right: window.padRight))
      }
    }
  }

  func isIdentity(_ dropout: Dropout) -> Bool {
    if case .training = purpose { return dropout.rate == 0 }
    return true
  }

  func account(_ node: Int) -> mtlf_account {
    if belongsToHead[node] { return MTLF_ACCOUNT_HEADS }
    guard case .layer(let layer) = graph.nodes[node].operation else { return MTLF_ACCOUNT_LOADER }
    if layer is Dense { return MTLF_ACCOUNT_DENSE }
    if layer is Conv2D || layer is any Pool2D || layer is GlobalAveragePool2D || layer is BatchNorm
      || layer is Upsample2D
    {
      return MTLF_ACCOUNT_CONV
    }
    return MTLF_ACCOUNT_OTHER
  }

  func operation(_ kind: mtlf_op_kind, _ node: Int) -> PlanProgram.Operation {
    PlanProgram.Operation(kind, account(node), node: node)
  }

  private func inputValue(_ input: Int? = nil, of node: Int) throws -> Int {
    guard let input = input ?? graph.nodes[node].inputs.first, let found = value[input] else {
      throw MTLFastError(.system, "Node '\(graph.nodes[node].name)' reads a node that is not written yet.")
    }
    return found
  }

  /// A value without a halo with the same elements, copied if need be.
  mutating func withoutHalo(_ source: Int, node: Int) -> Int {
    guard !program.values[source].halo.isNone else { return source }
    var copy = operation(MTLF_OP_COPY, node)
    copy.input = source
    copy.output = program.addValue("\(program.values[source].name).dense", program.values[source].shape)
    program.operations.append(copy)
    return copy.output ?? source
  }

  /// The same elements in the halo that a node's readers want, copied if need be.
  private mutating func withHaloWanted(_ source: Int, around index: Int) -> Int {
    let halo = haloWanted(around: index)
    guard !halo.isNone else { return source }
    var copy = operation(MTLF_OP_COPY, index)
    copy.input = source
    let padded = program.addValue("\(program.values[source].name).padded", program.values[source].shape, halo: halo)
    copy.output = padded
    program.operations.append(copy)
    return padded
  }

  private mutating func lowerForward(_ index: Int) throws {
    let node = graph.nodes[index]
    guard case .layer(let layer) = node.operation else {
      var input = operation(MTLF_OP_INPUT, index)
      input.slot = graph.nodes[..<index].count { if case .input = $0.operation { true } else { false } }
      input.output = program.addValue(node.name, node.shape, halo: haloWanted(around: index))
      value[index] = input.output
      program.operations.append(input)
      return
    }
    if value[index] != nil { return }  // a pool that its convolution ran
    let source = try inputValue(of: index)
    switch layer {
    case let convolution as Conv2D:
      var forward = operation(MTLF_OP_CONV2D, index)
      forward.window = try convolution.geometry(for: program.values[source].shape)
      forward.flops = convolution.forwardFlops(for: program.values[source].shape)
      forward.input = source
      forward.weight = index
      forward.relu = convolution.activation == .relu
      let target = fusedPool[index] ?? index
      if target != index {
        forward.gate = program.addValue(
          "\(node.name).gate", graph.nodes[target].shape, storage: .bytes)
        gates[index] = forward.gate
      }
      let activated = convolution.activation == .sigmoid
      forward.output = program.addValue(
        graph.nodes[target].name, graph.nodes[target].shape, halo: activated ? .none : haloWanted(around: target))
      program.operations.append(forward)
      value[target] = activated ? addSigmoid(forward.output, target) : forward.output
    case let dense as Dense:
      let shape = program.values[source].shape
      let inBlocks = Self.runsInBlocks(dense, inputs: shape.elementCount)
      var forward = operation(inBlocks ? MTLF_OP_DENSE : MTLF_OP_CONV2D, index)
      forward.flops = dense.forwardFlops(for: shape)
      forward.input = source
      forward.weight = index
      forward.relu = dense.activation == .relu
      forward.window = inBlocks ? nil : try pointWindow(shape)
      forward.output = program.addValue(node.name, node.shape)
      program.operations.append(forward)
      value[index] = dense.activation == .sigmoid ? addSigmoid(forward.output, index) : forward.output
    case let pool as any Pool2D:
      var forward = operation(pool is MaxPool2D ? MTLF_OP_MAX_POOL2D : MTLF_OP_AVG_POOL2D, index)
      forward.window = try pool.geometry(for: program.values[source].shape)
      forward.input = source
      forward.output = program.addValue(node.name, node.shape, halo: haloWanted(around: index))
      if pool is MaxPool2D, case .training = purpose {
        forward.gate = program.addValue("\(node.name).argmax", node.shape, storage: .indices)
        gates[index] = forward.gate
      }
      program.operations.append(forward)
      value[index] = forward.output
    case let pool as GlobalAveragePool2D:
      var forward = operation(MTLF_OP_AVG_POOL2D, index)
      forward.window = try pool.geometry(for: program.values[source].shape)
      forward.input = source
      forward.output = program.addValue(node.name, node.shape)
      program.operations.append(forward)
      value[index] = forward.output
    case is Flatten, is Reshape:
      let dense = withoutHalo(source, node: index)
      value[index] = withHaloWanted(program.addValue(node.name, node.shape, alias: dense), around: index)
    case let upsampling as Upsample2D:
      var forward = operation(MTLF_OP_UPSAMPLE2D, index)
      forward.scale = (upsampling.scaleHeight, upsampling.scaleWidth)
      forward.input = source
      forward.output = program.addValue(node.name, node.shape, halo: haloWanted(around: index))
      program.operations.append(forward)
      value[index] = forward.output
    case is Concatenate:
      let output = program.addValue(node.name, node.shape, halo: haloWanted(around: index))
      var offset = 0
      for input in node.inputs {
        var forward = operation(MTLF_OP_CONCATENATE, index)
        forward.input = try inputValue(input, of: index)
        forward.output = output
        forward.offset = offset
        program.operations.append(forward)
        offset += graph.nodes[input].shape.channels
      }
      value[index] = output
    case is Add:
      let output = program.addValue(node.name, node.shape, halo: haloWanted(around: index))
      var copy = operation(MTLF_OP_COPY, index)
      copy.input = source
      copy.output = output
      program.operations.append(copy)
      for input in node.inputs.dropFirst() { addGradient(try inputValue(input, of: index), to: output, node: index) }
      value[index] = output
    case is BatchNorm: value[index] = lowerBatchNorm(index, source)
    case is ReLU, is Sigmoid:
      var forward = operation(layer is ReLU ? MTLF_OP_RELU : MTLF_OP_SIGMOID, index)
      forward.input = source
      forward.output = program.addValue(node.name, node.shape, halo: haloWanted(around: index))
      program.operations.append(forward)
      value[index] = forward.output
    case let dropout as Dropout:
      guard case .training(let seed) = purpose, !isIdentity(dropout) else {
        value[index] = program.addValue(node.name, node.shape, halo: program.values[source].halo, alias: source)
        return
      }
      var forward = operation(MTLF_OP_DROPOUT, index)
      forward.input = withoutHalo(source, node: index)
      forward.rate = dropout.rate
      forward.key = RandomStream(seed: seed, purpose: "dropout \(node.name)").key
      forward.source = self.source[index]
      let output = program.addValue(node.name, node.shape)
      forward.output = output
      program.operations.append(forward)
      value[index] = withHaloWanted(output, around: index)
    default:
      throw MTLFastError(.usage, "Node '\(node.name)': layer \(type(of: layer).kind) can't be run.")
    }
  }

  private mutating func addSigmoid(_ input: Int?, _ node: Int) -> Int? {
    var forward = operation(MTLF_OP_SIGMOID, node)
    forward.input = input
    forward.output = program.addValue(
      "\(graph.nodes[node].name).activated", graph.nodes[node].shape, halo: haloWanted(around: node))
    program.operations.append(forward)
    return forward.output
  }

  /// A dense layer is a 1x1 convolution of a 1x1 image.
  func pointWindow(_ shape: Shape) throws -> WindowGeometry {
    try WindowGeometry(
      input: .image(height: 1, width: 1, channels: shape.elementCount), kernelSize: (1, 1), stride: (1, 1),
      padding: .valid, of: "dense")
  }

  private mutating func lowerBatchNorm(_ index: Int, _ source: Int) -> Int? {
    let name = graph.nodes[index].name
    let isTraining = if case .training = purpose { !isFrozen[index] } else { false }
    var finish = operation(MTLF_OP_BATCH_NORM_FINISH, index)
    finish.weight = index
    finish.usesRunningStatistics = !isTraining
    if isTraining {
      // The running statistics need no activations, so nothing waits for them.
      finish.input = source
      var sums = operation(MTLF_OP_BATCH_NORM_SUMS, index)
      sums.input = source
      sums.signals = program.addValue("\(name).sums", .vector(1), storage: .token)
      finish.waitsFor = [sums.signals].compactMap { $0 }
      program.operations.append(sums)
    }
    finish.signals = program.addValue("\(name).statistics", .vector(1), storage: .token)
    program.operations.append(finish)
    var forward = operation(MTLF_OP_BATCH_NORM, index)
    forward.input = source
    forward.waitsFor = [finish.signals].compactMap { $0 }
    forward.output = program.addValue(name, graph.nodes[index].shape, halo: haloWanted(around: index))
    program.operations.append(forward)
    return forward.output
  }

  private mutating func lowerHeads() throws {
    for (slot, head) in graph.heads.enumerated() {
      guard let found = value[head.logits] else {
        throw MTLFastError(.system, "Head '\(head.name)' is read before it is written.")
      }
      let shape = graph.nodes[head.logits].shape
      let raw = withoutHalo(found, node: head.logits)
      if case .prediction = purpose {
        lowerPrediction(head, raw, shape)
        continue
      }
      var loss = PlanProgram.Operation(MTLF_OP_LOSS, MTLF_ACCOUNT_HEADS, node: head.logits)
      loss.slot = slot
      loss.input = raw
      if case .classification = head.task {
        loss.output = program.addValue("\(head.name).probabilities", shape)
      }
      if case .training = purpose {
        if head.isMask { loss.gate = lowerMask(head, slot: slot, shape) }
        if needsGradient[head.logits] {
          let gradient = addZeroed("\(head.name).d_logits", shape, node: head.logits, account: MTLF_ACCOUNT_HEADS)
          loss.dInput = gradient
          incoming[head.logits].values.append(gradient)
        }
      }
      program.operations.append(loss)
    }
  }

  /// The head's masks as their images were moved.
  private mutating func lowerMask(_ head: Head, slot: Int, _ shape: Shape) -> Int {
    var mask = PlanProgram.Operation(MTLF_OP_MASK, MTLF_ACCOUNT_LOADER, node: head.logits)
    mask.slot = slot
    mask.source = firstImage(of: head.logits) ?? source[head.logits]
    let channels = if case .segmentation = head.task { 1 } else { shape.channels }
    let moved = program.addValue(
      "\(head.name).mask", .image(height: shape.height, width: shape.width, channels: channels), storage: .bytes)
    mask.gate = moved
    program.operations.append(mask)
    return moved
  }

  /// The first image among the inputs that a node depends on, as its place among all inputs. Images that a mask moves
  /// with are augmented alike, which was checked when the samples were bound.
  private func firstImage(of node: Int) -> Int? {
    let names = graph.inputs(of: node)
    let inputs = graph.nodes.filter { if case .input = $0.operation { true } else { false } }
    return inputs.firstIndex { $0.shape.isImage && names.contains($0.name) }
  }

  private mutating func lowerPrediction(_ head: Head, _ raw: Int, _ shape: Shape) {
    var result = raw
    if head.loss == .softmaxCrossEntropy || head.loss.isSigmoid {
      let kind = head.loss == .softmaxCrossEntropy ? MTLF_OP_SOFTMAX : MTLF_OP_SIGMOID
      var activation = PlanProgram.Operation(kind, MTLF_ACCOUNT_HEADS, node: head.logits)
      activation.input = raw
      result = program.addValue("\(head.name).probabilities", shape)
      activation.output = result
      program.operations.append(activation)
    }
    results.append(result)
    program.kept.insert(program.storage(of: result))
  }
}
