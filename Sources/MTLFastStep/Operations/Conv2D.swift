// SPDX-License-Identifier: Apache-2.0
// Convolution in shards of the minibatch, alone or with the 2x2 max-pool that follows.

import Kernels
import MTLFast

extension Conv2D: LoweredLayer {
  static var account: StepAccount { .conv }

  func haloWanted(around input: Shape) -> Halo {
    (try? geometry(for: input))?.halo ?? .none
  }

  func lowerForward(_ node: Int, in lowering: inout Lowering) throws -> Int {
    let input = try lowering.inputValue(of: node)
    let shape = lowering.program.values[input].shape
    let target = lowering.fusedPool[node] ?? node
    if target != node {
      lowering.saved[node] = lowering.program.addValue(
        "\(lowering.name(node)).gate", lowering.shape(target), storage: .bytes)
    }
    let hasOwnActivation = activation != .none && activation != .relu
    let output =
      hasOwnActivation
      ? lowering.program.addValue(lowering.name(target), lowering.shape(target)) : lowering.addOutput(of: target)
    let forward = Conv2DOperation(
      pass: .forward(input: input, output: output, appliesReLU: activation == .relu), weight: node,
      window: try geometry(for: shape), channels: (shape.channels, filters), gate: lowering.saved[node])
    lowering.add(.conv2D(forward), node, flops: forwardFlops(for: shape))
    let result = hasOwnActivation ? lowering.lowerActivation(activation, of: output, node: target) : output
    lowering.value[target] = result
    return result
  }

  func lowerBackward(_ node: Int, gradient: GatheredGradient, in lowering: inout Lowering) throws {
    var dOutput = gradient.value
    // Of a fused pool the gate stands for the activation too.
    if lowering.fusedPool[node] == nil {
      dOutput =
        activation == .none
        ? lowering.withoutHalo(dOutput, node: node)
        : lowering.lowerActivationBackward(activation, node, gradient: dOutput)
    }
    let shape = lowering.shape(try lowering.input(of: node))
    try lowering.addConvolutionGradients(
      node, window: geometry(for: shape), channels: (shape.channels, filters), dOutput: dOutput,
      flops: forwardFlops(for: shape))
  }
}

extension Lowering {
  /// Convolutions that run with the max-pool behind them: nobody else sees what they give.
  mutating func findFusedPools() {
    for index in graph.nodes.indices where isNeeded[index] {
      guard case .layer(.conv2D(let convolution)) = graph.nodes[index].operation,
        convolution.activation == .none || convolution.activation == .relu,
        !graph.heads.contains(where: { $0.logits == index }),
        !settings.boundaries.contains(.taskGradientsReady(node: index)), consumers[index].count == 1,
        let reader = consumers[index].first, case .layer(.maxPool2D(let pool)) = graph.nodes[reader].operation,
        (pool.poolHeight, pool.poolWidth, pool.strideHeight, pool.strideWidth) == (2, 2, 2, 2), pool.padding == .valid
      else { continue }
      fusedPool[index] = reader
    }
  }

  /// The gradients of a convolution, or of a dense layer that runs as one.
  mutating func addConvolutionGradients(
    _ node: Int, window: WindowGeometry, channels: (input: Int, output: Int), dOutput: Int, flops: Int
  ) throws {
    let input = try input(of: node)
    let source = try inputValue(of: node)
    func operation(_ pass: Conv2DOperation.Pass) -> Operation.Kind {
      .conv2D(Conv2DOperation(pass: pass, weight: node, window: window, channels: channels, gate: saved[node]))
    }
    if !isFrozen(node) {
      declareGradient(of: node, .byGroup)
      add(operation(.filterGradient(input: source, dOutput: dOutput)), node, flops: flops)
    }
    if needsGradient[input] {
      declareForm(of: node, WeightForm(.transposed, .float32))
      let gradient = addZeroedGradient(of: input, by: node, halo: program.values[source].halo)
      add(operation(.inputGradient(dOutput: dOutput, dInput: gradient)), node, flops: flops)
      send(gradient, to: input, from: node)
    }
    if !isFrozen(node) { updates.append(.fromGradient(node: node)) }
  }
}

/// A pass of a convolution. Small dense layers run as 1x1 convolutions of 1x1 images.
package struct Conv2DOperation: OperationKind {
  enum Pass {
    case forward(input: Int, output: Int, appliesReLU: Bool)
    /// Adds to dInput.
    case inputGradient(dOutput: Int, dInput: Int)
    case filterGradient(input: Int, dOutput: Int)
  }
  let pass: Pass
  /// The node of the weight.
  let weight: Int
  let window: WindowGeometry
  let channels: (input: Int, output: Int)
  /// Of the fused pool: the forward pass writes it.
  let gate: Int?

  package var operands: [Operand] {
    let gate = gate.map { [$0] } ?? []
    switch pass {
    case .forward(let input, let output, _): return [.reads(input), .writes(output)] + gate.map { .writes($0) }
    case .inputGradient(let dOutput, let dInput): return [.reads(dOutput), .adds(dInput)] + gate.map { .reads($0) }
    case .filterGradient(let input, let dOutput): return [.reads(input), .reads(dOutput)] + gate.map { .reads($0) }
    }
  }

  package var parameters: [ParameterUse] {
    switch pass {
    case .forward, .inputGradient: [.readsValues(of: weight)]
    case .filterGradient: [.makesGradient(of: weight)]
    }
  }

  package var unit: UnitOfWork { .shard }

  package var verb: String {
    switch pass {
    case .forward: gate == nil ? "forward" : "forward + pool"
    case .inputGradient: "d_input"
    case .filterGradient: "d_filter"
    }
  }

  package var workspace: ConvolutionWorkspace? {
    ConvolutionWorkspace(
      units: channels.output, windowFloats: window.kernelHeight * window.kernelWidth * channels.input)
  }

  package func payload(in memory: StepMemory) throws -> any KernelPayload {
    let weight = try memory.weight(of: weight)
    let gate = gate.map(memory.tensor)
    switch pass {
    case .forward(let input, let output, let appliesReLU):
      return Conv2DPayload(
        window: window.kernel, weight: weight, appliesReLU: appliesReLU, input: memory.tensor(input),
        output: memory.tensor(output), gate: gate)
    case .inputGradient(let dOutput, let dInput):
      return Conv2DInputGradientPayload(
        window: window.kernel, weight: weight, dOutput: memory.tensor(dOutput), dInput: memory.tensor(dInput),
        gate: gate)
    case .filterGradient(let input, let dOutput):
      return Conv2DFilterGradientPayload(
        window: window.kernel, weight: weight, input: memory.tensor(input), dOutput: memory.tensor(dOutput),
        gate: gate)
    }
  }
}

extension WindowGeometry {
  /// The zeros that the window wants around its input.
  var halo: Halo { Halo(top: padTop, bottom: padBottom, left: padLeft, right: padRight) }

  var kernel: KernelWindow {
    KernelWindow(
      kernelHeight: kernelHeight, kernelWidth: kernelWidth, strideHeight: strideHeight, strideWidth: strideWidth,
      padTop: padTop, padLeft: padLeft)
  }
}
