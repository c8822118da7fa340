// SPDX-License-Identifier: Apache-2.0
// From the model graph to a program: the forward pass, and then each node's backward pass in reverse.

import Kernels
import MTLFast

/// What a plan is for.
enum PlanPurpose {
  /// Forward, losses, backward, update.
  case training(seed: UInt64)
  /// Forward and losses.
  case evaluation
  /// Forward and softmax.
  case prediction
}

/// Writes the program of one step.
struct PlanLowering {
  let graph: ModelGraph
  let purpose: PlanPurpose
  private(set) var program = PlanProgram()
  /// Each head's logits and softmax.
  private(set) var logits: [Int] = []
  private(set) var probabilities: [Int] = []

  private let consumers: [[Int]]
  /// Nodes that run, those that some head needs.
  private let isNeeded: [Bool]
  private let needsGradient: [Bool]
  private let belongsToHead: [Bool]

  /// The value that holds a node's output.
  private var value: [Int?]
  /// The max-pool node that a convolution runs with, and the convolution that a pool is run by.
  private var fusedPool: [Int: Int] = [:]
  private var gates: [Int: Int] = [:]

  /// Gradients of a node's output from its readers.
  private struct Incoming {
    var values: [Int] = []
    var terms: [(node: Int, packed: Int)] = []
  }
  private var incoming: [Incoming]
  /// Updates of weights stand last in the program, behind every reader of the weight.
  private var updates: [PlanProgram.Operation] = []

  init(graph: ModelGraph, purpose: PlanPurpose) throws {
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
      gradient[index] = parameterNodes.contains(index) || graph.nodes[index].inputs.contains { gradient[$0] }
    }
    // A node belongs to a head when only one head is reached from it.
    var reached = [Set<String>](repeating: [], count: count)
    for head in graph.heads { reached[head.logits].insert(head.name) }
    for index in graph.nodes.indices.reversed() {
      for input in graph.nodes[index].inputs { reached[input].formUnion(reached[index]) }
    }
    belongsToHead = reached.map { $0.count == 1 && graph.heads.count > 1 }
    self.consumers = consumers
    isNeeded = needed
    needsGradient = gradient
    value = [Int?](repeating: nil, count: count)
    incoming = [Incoming](repeating: Incoming(), count: count)
    findFusedPools(isHead: feedsHeads.map { $0 > 0 })
    for index in graph.nodes.indices where isNeeded[index] { try lowerForward(index) }
    try lowerHeads()
    if case .training = purpose {
      for index in graph.nodes.indices.reversed() where isNeeded[index] && needsGradient[index] {
        try lowerBackward(index)
      }
      program.operations += updates
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

  private func isIdentity(_ dropout: Dropout) -> Bool {
    if case .training = purpose { return dropout.rate == 0 }
    return true
  }

  private func account(_ node: Int) -> mtlf_account {
    if belongsToHead[node] { return MTLF_ACCOUNT_HEADS }
    guard case .layer(let layer) = graph.nodes[node].operation else { return MTLF_ACCOUNT_LOADER }
    if layer is Dense { return MTLF_ACCOUNT_DENSE }
    if layer is Conv2D || layer is any Pool2D { return MTLF_ACCOUNT_CONV }
    return MTLF_ACCOUNT_OTHER
  }

  private func operation(_ kind: mtlf_op_kind, _ node: Int) -> PlanProgram.Operation {
    PlanProgram.Operation(kind, account(node), node: node)
  }

  private func inputValue(of node: Int) throws -> Int {
    guard let input = graph.nodes[node].inputs.first, let found = value[input] else {
      throw MTLFastError(.system, "Node '\(graph.nodes[node].name)' is read before it is written.")
    }
    return found
  }

  /// A value without a halo with the same elements, copied if need be.
  private mutating func withoutHalo(_ source: Int, node: Int) -> Int {
    guard !program.values[source].halo.isNone else { return source }
    var copy = operation(MTLF_OP_COPY, node)
    copy.input = source
    copy.output = program.addValue("\(program.values[source].name).dense", program.values[source].shape)
    program.operations.append(copy)
    return copy.output ?? source
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
    case is Flatten:
      let dense = withoutHalo(source, node: index)
      value[index] = program.addValue(node.name, node.shape, alias: dense)
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
      let output = program.addValue(node.name, node.shape)
      forward.output = output
      program.operations.append(forward)
      value[index] = output
      let halo = haloWanted(around: index)
      if !halo.isNone {
        var copy = operation(MTLF_OP_COPY, index)
        copy.input = output
        copy.output = program.addValue("\(node.name).padded", node.shape, halo: halo)
        program.operations.append(copy)
        value[index] = copy.output
      }
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
  private func pointWindow(_ shape: Shape) throws -> WindowGeometry {
    try WindowGeometry(
      input: .image(height: 1, width: 1, channels: shape.elementCount), kernelSize: (1, 1), stride: (1, 1),
      padding: .valid, of: "dense")
  }

  private mutating func lowerHeads() throws {
    for (slot, head) in graph.heads.enumerated() {
      guard let found = value[head.logits] else {
        throw MTLFastError(.system, "Head '\(head.name)' is read before it is written.")
      }
      let shape = graph.nodes[head.logits].shape
      var loss = PlanProgram.Operation(MTLF_OP_SOFTMAX_CROSS_ENTROPY, MTLF_ACCOUNT_HEADS, node: head.logits)
      if case .prediction = purpose { loss.kind = MTLF_OP_SOFTMAX }
      let isPrediction = loss.kind == MTLF_OP_SOFTMAX
      loss.slot = slot
      loss.input = found
      loss.output = program.addValue("\(head.name).probabilities", shape)
      logits.append(found)
      if let output = loss.output {
        probabilities.append(output)
        if isPrediction { program.kept.insert(output) }
      }
      if case .training = purpose, needsGradient[head.logits] {
        let gradient = addZeroed("\(head.name).d_logits", shape, node: head.logits, account: MTLF_ACCOUNT_HEADS)
        loss.dInput = gradient
        incoming[head.logits].values.append(gradient)
      }
      program.operations.append(loss)
    }
  }

  // MARK: Backward

  private mutating func addZeroed(
    _ name: String, _ shape: Shape, halo: Halo = .none, node: Int, account: mtlf_account
  ) -> Int {
    var zero = PlanProgram.Operation(MTLF_OP_ZERO, account, node: node)
    let gradient = program.addValue(name, shape, halo: halo)
    zero.dInput = gradient
    program.operations.append(zero)
    return gradient
  }

  /// The sum of all gradients of a node's output. `masked` where it has already passed the node's ReLU.
  private mutating func gatherGradient(of index: Int, allowsMask: Bool) -> (gradient: Int, packed: Int?, masked: Bool)?
  {
    var found = incoming[index]
    let node = graph.nodes[index]
    guard !found.terms.isEmpty else {
      guard let first = found.values.first else { return nil }
      for other in found.values.dropFirst() { addGradient(other, to: first, node: index) }
      return (first, nil, false)
    }
    var backward = operation(MTLF_OP_DENSE_D_INPUT, index)
    backward.account = MTLF_ACCOUNT_DENSE
    backward.terms = found.terms
    let gradient = program.addValue("d_\(node.name)", node.shape)
    backward.dInput = gradient
    for term in found.terms {
      backward.flops += graph.nodes[term.node].shape.elementCount * node.shape.elementCount * 2
    }
    let masks = allowsMask && found.values.isEmpty
    if masks {
      backward.mask = true
      backward.output = value[index]
      if needsPacked(index) {
        backward.packed = program.addValue("d_\(node.name).packed", node.shape, storage: .packedSamples)
      }
    }
    program.operations.append(backward)
    found.values.sort()
    for other in found.values { addGradient(other, to: gradient, node: index) }
    return (gradient, backward.packed, masks)
  }

  private mutating func addGradient(_ gradient: Int, to sum: Int, node: Int) {
    var add = operation(MTLF_OP_ADD, node)
    add.dOutput = gradient
    add.dInput = sum
    program.operations.append(add)
  }

  /// Whether a dense node's d_output is read as packed samples: it runs in blocks and its input wants a gradient.
  private func needsPacked(_ index: Int) -> Bool {
    guard case .layer(let layer) = graph.nodes[index].operation, let dense = layer as? Dense,
      let input = graph.nodes[index].inputs.first
    else { return false }
    return needsGradient[input] && Self.runsInBlocks(dense, inputs: graph.nodes[input].shape.elementCount)
  }

  /// Whether a dense node ends in a ReLU, whose backward pass can be a mask on its gradient.
  private func isReLU(_ index: Int) -> Bool {
    guard case .layer(let layer) = graph.nodes[index].operation else { return false }
    return (layer as? Dense)?.activation == .relu
  }

  private mutating func lowerBackward(_ index: Int) throws {
    let node = graph.nodes[index]
    guard case .layer(let layer) = node.operation, let input = node.inputs.first else { return }
    if fusedPool.values.contains(index) { return }  // with its convolution
    let target = fusedPool[index] ?? index
    guard let sum = gatherGradient(of: target, allowsMask: target == index && isReLU(index)) else { return }
    switch layer {
    case let convolution as Conv2D:
      try lowerConvolutionBackward(index, convolution, gradient: sum.gradient, input: input)
    case let dense as Dense:
      try lowerDenseBackward(index, dense, sum: sum, input: input)
    case let pool as any Pool2D:
      guard needsGradient[input], let source = value[input] else { return }
      let gradient = addZeroed(
        "d_\(graph.nodes[input].name).by_\(node.name)", graph.nodes[input].shape, halo: program.values[source].halo,
        node: index, account: account(index))
      var backward = operation(pool is MaxPool2D ? MTLF_OP_MAX_POOL2D_BACKWARD : MTLF_OP_AVG_POOL2D_BACKWARD, index)
      backward.window = try pool.geometry(for: graph.nodes[input].shape)
      backward.dOutput = sum.gradient
      backward.dInput = gradient
      backward.gate = gates[index]
      program.operations.append(backward)
      incoming[input].values.append(gradient)
    case is Flatten:
      guard needsGradient[input] else { return }
      let dense = withoutHalo(sum.gradient, node: index)
      incoming[input].values.append(
        program.addValue("d_\(graph.nodes[input].name).by_\(node.name)", graph.nodes[input].shape, alias: dense))
    case is ReLU, is Sigmoid:
      guard needsGradient[input] else { return }
      incoming[input].values.append(
        addActivationBackward(
          layer is ReLU ? MTLF_OP_RELU_BACKWARD : MTLF_OP_SIGMOID_BACKWARD, index, output: value[index],
          gradient: sum.gradient))
    case let dropout as Dropout:
      guard needsGradient[input] else { return }
      guard case .training(let seed) = purpose, !isIdentity(dropout) else {
        incoming[input].values.append(sum.gradient)
        return
      }
      var backward = operation(MTLF_OP_DROPOUT_BACKWARD, index)
      backward.dOutput = withoutHalo(sum.gradient, node: index)
      backward.rate = dropout.rate
      backward.key = RandomStream(seed: seed, purpose: "dropout \(node.name)").key
      let gradient = program.addValue("d_\(graph.nodes[input].name).by_\(node.name)", graph.nodes[input].shape)
      backward.dInput = gradient
      program.operations.append(backward)
      incoming[input].values.append(gradient)
    default: break
    }
  }

  /// The gradient before an activation, without a halo.
  private mutating func addActivationBackward(
    _ kind: mtlf_op_kind, _ node: Int, output: Int?, gradient: Int
  ) -> Int {
    var backward = operation(kind, node)
    backward.output = output
    backward.dOutput = gradient
    let result = program.addValue("d_\(graph.nodes[node].name).before_activation", program.values[gradient].shape)
    backward.dInput = result
    program.operations.append(backward)
    return result
  }

  private mutating func lowerConvolutionBackward(
    _ index: Int, _ convolution: Conv2D, gradient: Int, input: Int
  ) throws {
    var dOutput = gradient
    if fusedPool[index] != nil {
      // The gate stands for the activation and the pool.
    } else if convolution.activation == .none {
      dOutput = withoutHalo(gradient, node: index)
    } else {
      dOutput = addActivationBackward(
        convolution.activation == .relu ? MTLF_OP_RELU_BACKWARD : MTLF_OP_SIGMOID_BACKWARD, index,
        output: value[index], gradient: gradient)
    }
    try addConvolutionGradients(
      index, window: convolution.geometry(for: graph.nodes[input].shape), dOutput: dOutput, input: input,
      flops: convolution.forwardFlops(for: graph.nodes[input].shape))
  }

  private mutating func addConvolutionGradients(
    _ index: Int, window: WindowGeometry, dOutput: Int, input: Int, flops: Int
  ) throws {
    guard let source = value[input] else { return }
    var filter = operation(MTLF_OP_CONV2D_D_FILTER, index)
    filter.window = window
    filter.flops = flops
    filter.input = source
    filter.dOutput = dOutput
    filter.gate = gates[index]
    filter.weight = index
    program.operations.append(filter)
    if needsGradient[input] {
      let gradient = addZeroed(
        "d_\(graph.nodes[input].name).by_\(graph.nodes[index].name)", graph.nodes[input].shape,
        halo: program.values[source].halo, node: index, account: account(index))
      var backward = operation(MTLF_OP_CONV2D_D_INPUT, index)
      backward.window = window
      backward.flops = flops
      backward.dOutput = dOutput
      backward.dInput = gradient
      backward.gate = gates[index]
      backward.weight = index
      program.operations.append(backward)
      incoming[input].values.append(gradient)
    }
    var update = PlanProgram.Operation(MTLF_OP_UPDATE, MTLF_ACCOUNT_OPTIMIZER, node: index)
    update.weight = index
    updates.append(update)
  }

  private mutating func lowerDenseBackward(
    _ index: Int, _ dense: Dense, sum: (gradient: Int, packed: Int?, masked: Bool), input: Int
  ) throws {
    var dOutput = sum.gradient
    if dense.activation != .none && !sum.masked {
      dOutput = addActivationBackward(
        dense.activation == .relu ? MTLF_OP_RELU_BACKWARD : MTLF_OP_SIGMOID_BACKWARD, index, output: value[index],
        gradient: dOutput)
    }
    let shape = graph.nodes[input].shape
    guard Self.runsInBlocks(dense, inputs: shape.elementCount) else {
      try addConvolutionGradients(
        index, window: pointWindow(shape), dOutput: dOutput, input: input, flops: dense.forwardFlops(for: shape))
      return
    }
    if needsGradient[input] {
      var packed = sum.masked ? sum.packed : nil
      if packed == nil {
        var pack = operation(MTLF_OP_PACK_SAMPLES, index)
        pack.dOutput = dOutput
        packed = program.addValue(
          "d_\(graph.nodes[index].name).packed", graph.nodes[index].shape, storage: .packedSamples)
        pack.packed = packed
        program.operations.append(pack)
      }
      if let packed { incoming[input].terms.append((index, packed)) }
    }
    var kernel = operation(MTLF_OP_DENSE_D_KERNEL, index)
    kernel.flops = dense.forwardFlops(for: shape)
    kernel.input = value[input]
    kernel.dOutput = dOutput
    kernel.weight = index
    updates.append(kernel)
  }
}
