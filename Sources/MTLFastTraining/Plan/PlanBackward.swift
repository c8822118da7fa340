// SPDX-License-Identifier: Apache-2.0
// The backward pass of a program: each node's gradients, from the heads to the inputs, and the updates of weights.

import Kernels
import MTLFast

extension PlanLowering {
  mutating func addZeroed(
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

  mutating func addGradient(_ gradient: Int, to sum: Int, node: Int) {
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

  private mutating func addUpdate(of index: Int) {
    guard !isFrozen[index] else { return }
    var update = PlanProgram.Operation(MTLF_OP_UPDATE, MTLF_ACCOUNT_OPTIMIZER, node: index)
    update.weight = index
    updates.append(update)
  }

  /// Updates stand last in the program, behind every reader of a weight. Where gradients are clipped, all of them are
  /// complete before the first update.
  mutating func addUpdates() {
    guard clips else {
      program.operations += updates
      return
    }
    var squares: [PlanProgram.Operation] = []
    var scaled: [PlanProgram.Operation] = []
    for index in updates.indices {
      updates[index].isClipped = true
      let node = updates[index].node
      if updates[index].kind == MTLF_OP_DENSE_D_KERNEL { program.operations.append(updates[index]) }
      var square = PlanProgram.Operation(MTLF_OP_SQUARE_SUMS, MTLF_ACCOUNT_OPTIMIZER, node: node)
      square.weight = node
      square.signals = program.addValue("\(graph.nodes[node].name).squares", .vector(1), storage: .token)
      squares.append(square)
      var update = PlanProgram.Operation(MTLF_OP_UPDATE, MTLF_ACCOUNT_OPTIMIZER, node: node)
      update.weight = node
      update.isClipped = true
      scaled.append(update)
    }
    guard let node = updates.first?.node else { return }
    var clip = PlanProgram.Operation(MTLF_OP_CLIP, MTLF_ACCOUNT_OPTIMIZER, node: node)
    clip.isClipped = true
    clip.waitsFor = squares.compactMap(\.signals)
    let done = program.addValue("clip", .vector(1), storage: .token)
    clip.signals = done
    for index in scaled.indices { scaled[index].waitsFor = [done] }
    program.operations += squares + [clip] + scaled
  }

  mutating func lowerBackward(_ index: Int) throws {
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
    case let pool as GlobalAveragePool2D:
      guard needsGradient[input], let source = value[input] else { return }
      let gradient = addZeroed(
        "d_\(graph.nodes[input].name).by_\(node.name)", graph.nodes[input].shape, halo: program.values[source].halo,
        node: index, account: account(index))
      var backward = operation(MTLF_OP_AVG_POOL2D_BACKWARD, index)
      backward.window = try pool.geometry(for: graph.nodes[input].shape)
      backward.dOutput = sum.gradient
      backward.dInput = gradient
      program.operations.append(backward)
      incoming[input].values.append(gradient)
    case let upsampling as Upsample2D:
      guard needsGradient[input] else { return }
      let gradient = addZeroed(
        "d_\(graph.nodes[input].name).by_\(node.name)", graph.nodes[input].shape, node: index, account: account(index))
      var backward = operation(MTLF_OP_UPSAMPLE2D_BACKWARD, index)
      backward.scale = (upsampling.scaleHeight, upsampling.scaleWidth)
      backward.dOutput = sum.gradient
      backward.dInput = gradient
      program.operations.append(backward)
      incoming[input].values.append(gradient)
    case is Concatenate:
      var offset = 0
      for input in node.inputs {
        defer { offset += graph.nodes[input].shape.channels }
        guard needsGradient[input] else { continue }
        var slice = operation(MTLF_OP_SLICE, index)
        slice.dOutput = sum.gradient
        slice.offset = offset
        let gradient = program.addValue("d_\(graph.nodes[input].name).by_\(node.name)", graph.nodes[input].shape)
        slice.dInput = gradient
        program.operations.append(slice)
        incoming[input].values.append(gradient)
      }
    case is Add:
      // The sum's gradient is that of every input; each but the last to use it needs its own, since others add to it.
      let inputs = node.inputs.sorted().filter { needsGradient[$0] }
      for input in inputs.dropFirst() {
        var copy = operation(MTLF_OP_COPY, index)
        copy.input = sum.gradient
        let gradient = program.addValue("d_\(graph.nodes[input].name).by_\(node.name)", graph.nodes[input].shape)
        copy.output = gradient
        program.operations.append(copy)
        incoming[input].values.append(gradient)
      }
      if let first = inputs.first { incoming[first].values.append(sum.gradient) }
    case is BatchNorm: lowerBatchNormBackward(index, gradient: sum.gradient, input: input)
    case is Flatten, is Reshape:
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
      backward.source = source[index]
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

  private mutating func lowerBatchNormBackward(_ index: Int, gradient: Int, input: Int) {
    let name = graph.nodes[index].name
    var statistics: Int?
    // Of a frozen one the statistics don't depend on the minibatch: their gradients stay zero.
    if !isFrozen[index] {
      var sums = operation(MTLF_OP_BATCH_NORM_D_SUMS, index)
      sums.input = value[input]
      sums.dOutput = gradient
      sums.signals = program.addValue("d_\(name).sums", .vector(1), storage: .token)
      program.operations.append(sums)
      var finish = operation(MTLF_OP_BATCH_NORM_D_FINISH, index)
      finish.input = value[input]
      finish.weight = index
      finish.waitsFor = [sums.signals].compactMap { $0 }
      statistics = program.addValue("d_\(name).statistics", .vector(1), storage: .token)
      finish.signals = statistics
      program.operations.append(finish)
    }
    if needsGradient[input] {
      var backward = operation(MTLF_OP_BATCH_NORM_D_INPUT, index)
      backward.input = value[input]
      backward.dOutput = gradient
      backward.waitsFor = [statistics].compactMap { $0 }
      let result = program.addValue("d_\(graph.nodes[input].name).by_\(name)", graph.nodes[input].shape)
      backward.dInput = result
      program.operations.append(backward)
      incoming[input].values.append(result)
    }
    addUpdate(of: index)
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
    if !isFrozen[index] {
      var filter = operation(MTLF_OP_CONV2D_D_FILTER, index)
      filter.window = window
      filter.flops = flops
      filter.input = source
      filter.dOutput = dOutput
      filter.gate = gates[index]
      filter.weight = index
      program.operations.append(filter)
    }
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
    addUpdate(of: index)
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
    guard !isFrozen[index] else { return }
    var kernel = operation(MTLF_OP_DENSE_D_KERNEL, index)
    kernel.flops = dense.forwardFlops(for: shape)
    kernel.input = value[input]
    kernel.dOutput = dOutput
    kernel.weight = index
    updates.append(kernel)
  }
}
