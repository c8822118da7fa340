// SPDX-License-Identifier: Apache-2.0
// Dense layers: by block over the whole minibatch, or, small ones, in shards.

import Kernels
import MTLFast

extension Dense: LoweredLayer {
  static var account: StepAccount { .dense }

  /// Layers of fewer weights run in shards, like 1x1 convolutions: a barrier would cost more than it saves.
  static let smallestBlockWeights = 16384

  func runsInBlocks(inputs: Int) -> Bool { inputs * units >= Self.smallestBlockWeights }

  var endsInReLU: Bool { activation == .relu }

  func readsPackedGradient(_ node: Int, in lowering: Lowering) -> Bool {
    guard let input = lowering.graph.nodes[node].inputs.first else { return false }
    return lowering.settings.precision == .float32 && lowering.needsGradient[input]
      && runsInBlocks(inputs: lowering.shape(input).elementCount)
  }

  func lowerForward(_ node: Int, in lowering: inout Lowering) throws -> Int {
    var input = try lowering.inputValue(of: node)
    let shape = lowering.program.values[input].shape
    let appliesReLU = activation == .relu
    let output: Int
    if runsInBlocks(inputs: shape.elementCount) {
      input = lowering.converted(input, to: lowering.settings.precision, node: node)
      if lowering.settings.precision != .float32 {
        lowering.declareForm(of: node, WeightForm(.packed, lowering.settings.precision))
      }
      output = lowering.program.addValue(
        lowering.name(node), lowering.shape(node), element: elementOfOutput(node, in: lowering))
      lowering.add(
        .dense(DenseOperation(pass: .forward(input: input, output: output, weight: node, appliesReLU: appliesReLU))),
        node, flops: forwardFlops(for: shape))
    } else {
      output = lowering.program.addValue(lowering.name(node), lowering.shape(node))
      let forward = Conv2DOperation(
        pass: .forward(input: input, output: output, appliesReLU: appliesReLU), weight: node,
        window: try Self.pointWindow(shape), channels: (shape.elementCount, units), gate: nil)
      lowering.add(.conv2D(forward), node, flops: forwardFlops(for: shape))
    }
    return activation == .none || appliesReLU ? output : lowering.lowerActivation(activation, of: output, node: node)
  }

  /// Values of a lower precision stay between dense layers that run in blocks; whatever else reads one reads fp32.
  private func elementOfOutput(_ node: Int, in lowering: Lowering) -> ElementType {
    guard activation == .none || activation == .relu, !lowering.graph.heads.contains(where: { $0.logits == node }),
      !lowering.settings.boundaries.contains(.taskGradientsReady(node: node))
    else { return .float32 }
    let areDense = lowering.consumers[node].allSatisfy { reader in
      guard case .layer(.dense(let dense)) = lowering.graph.nodes[reader].operation else { return false }
      return dense.runsInBlocks(inputs: units)
    }
    return areDense ? lowering.settings.precision : .float32
  }

  func lowerBackward(_ node: Int, gradient: GatheredGradient, in lowering: inout Lowering) throws {
    var dOutput = gradient.value
    if activation != .none && !gradient.isMasked {
      dOutput = lowering.lowerActivationBackward(activation, node, gradient: dOutput)
    }
    let input = try lowering.input(of: node)
    let shape = lowering.shape(input)
    guard runsInBlocks(inputs: shape.elementCount) else {
      try lowering.addConvolutionGradients(
        node, window: Self.pointWindow(shape), channels: (shape.elementCount, units), dOutput: dOutput,
        flops: forwardFlops(for: shape))
      return
    }
    dOutput = lowering.converted(dOutput, to: lowering.settings.precision, node: node)
    if lowering.needsGradient[input] {
      let term =
        lowering.settings.precision == .float32
        ? (gradient.isMasked ? gradient.packed : nil) ?? addPacked(dOutput, node, in: &lowering) : dOutput
      lowering.incoming[input].terms.append(DenseOperation.Term(node: node, dOutput: term))
    }
    guard !lowering.isFrozen(node) else { return }
    lowering.declareGradient(of: node, lowering.settings.keepsGradients ? .whole : .fused)
    let source = lowering.converted(
      try lowering.inputValue(of: node), to: lowering.settings.precision, node: node)
    lowering.updates.append(
      .dense(
        node: node, .kernelGradient(input: source, dOutput: dOutput, weight: node), account: lowering.account(node),
        flops: forwardFlops(for: shape)))
  }

  private func addPacked(_ dOutput: Int, _ node: Int, in lowering: inout Lowering) -> Int {
    let packed = lowering.program.addValue(
      "d_\(lowering.name(node)).packed", lowering.shape(node), storage: .packedSamples)
    lowering.add(.packSamples(PackSamplesOperation(rows: dOutput, packed: packed)), node)
    return packed
  }

  /// A dense layer is a 1x1 convolution of a 1x1 image.
  private static func pointWindow(_ shape: Shape) throws -> WindowGeometry {
    try WindowGeometry(
      input: .image(height: 1, width: 1, channels: shape.elementCount), kernelSize: (1, 1), stride: (1, 1),
      padding: .valid, of: kind)
  }
}

/// A pass of dense layers by block of the output.
package struct DenseOperation: OperationKind {
  /// A layer that reads a vector, and the gradient of its output: packed samples, or bf16 rows.
  struct Term {
    let node: Int
    let dOutput: Int
  }
  enum Pass {
    case forward(input: Int, output: Int, weight: Int, appliesReLU: Bool)
    /// The sum over the layers that read a vector, where `mask`, the vector, is positive; and packed samples of it.
    case inputGradient([Term], dInput: Int, mask: Int?, packed: Int?)
    case kernelGradient(input: Int, dOutput: Int, weight: Int)
  }
  let pass: Pass
  /// Whether the pass that makes a gradient updates the weight too.
  var isFused = true

  package var operands: [Operand] {
    switch pass {
    case .forward(let input, let output, _, _): [.reads(input), .writes(output)]
    case .inputGradient(let terms, let dInput, let mask, let packed):
      terms.map { .reads($0.dOutput) } + [.writes(dInput)] + (mask.map { [.reads($0)] } ?? [])
        + (packed.map { [.writes($0)] } ?? [])
    case .kernelGradient(let input, let dOutput, _): [.reads(input), .reads(dOutput)]
    }
  }

  package var parameters: [ParameterUse] {
    switch pass {
    case .forward(_, _, let weight, _): [.readsValues(of: weight)]
    case .inputGradient(let terms, _, _, _): terms.map { .readsValues(of: $0.node) }
    case .kernelGradient(_, _, let weight): [isFused ? .updatesValues(of: weight) : .makesGradient(of: weight)]
    }
  }

  package var workspace: ConvolutionWorkspace? { nil }
  package var unit: UnitOfWork { .block }

  package var verb: String {
    switch pass {
    case .forward: "forward"
    case .inputGradient: "d_input"
    case .kernelGradient: isFused ? "d_kernel + update" : "d_kernel"
    }
  }

  package var takesSamplesApart: Bool { true }

  package func payload(in memory: StepMemory) throws -> any KernelPayload {
    switch pass {
    case .forward(let input, let output, let weight, let appliesReLU):
      return DensePayload(
        weight: try memory.weight(of: weight), appliesReLU: appliesReLU, input: memory.tensor(input),
        output: memory.tensor(output))
    case .inputGradient(let terms, let dInput, let mask, let packed):
      return DenseInputGradientPayload(
        terms: try terms.map {
          DenseInputGradientPayload.Term(weight: try memory.weight(of: $0.node), dOutput: memory.tensor($0.dOutput))
        }, dInput: memory.tensor(dInput), mask: mask.map(memory.tensor), packed: packed.map(memory.tensor))
    case .kernelGradient(let input, let dOutput, let weight):
      return DenseKernelGradientPayload(
        weight: try memory.weight(of: weight), input: memory.tensor(input), dOutput: memory.tensor(dOutput))
    }
  }
}

/// Writes gradients of a minibatch as columns of panels.
package struct PackSamplesOperation: OperationKind {
  let rows: Int
  let packed: Int

  package var operands: [Operand] { [.reads(rows), .writes(packed)] }
  package var parameters: [ParameterUse] { [] }
  package var workspace: ConvolutionWorkspace? { nil }
  package var unit: UnitOfWork { .shard }
  package var verb: String { "pack" }
  package var takesSamplesApart: Bool { true }
  package func payload(in memory: StepMemory) -> any KernelPayload {
    PackSamplesPayload(rows: memory.tensor(rows), packed: memory.tensor(packed))
  }
}
