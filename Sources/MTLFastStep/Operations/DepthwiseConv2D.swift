// SPDX-License-Identifier: Apache-2.0
// Convolution of each channel by itself, in shards of the minibatch.

import Kernels
import MTLFast

extension DepthwiseConv2D: LoweredLayer {
  static var account: StepAccount { .conv }

  func haloWanted(around input: Shape) -> Halo {
    (try? geometry(for: input))?.halo ?? .none
  }

  func lowerForward(_ node: Int, in lowering: inout Lowering) throws -> Int {
    let input = try lowering.inputValue(of: node)
    let shape = lowering.program.values[input].shape
    let hasOwnActivation = activation != .none && activation != .relu
    let output =
      hasOwnActivation
      ? lowering.program.addValue(lowering.name(node), lowering.shape(node)) : lowering.addOutput(of: node)
    let forward = DepthwiseConv2DOperation(
      pass: .forward(input: input, output: output, appliesReLU: activation == .relu), weight: node,
      window: try geometry(for: shape))
    lowering.add(.depthwiseConv2D(forward), node, flops: forwardFlops(for: shape))
    return hasOwnActivation ? lowering.lowerActivation(activation, of: output, node: node) : output
  }

  func lowerBackward(_ node: Int, gradient: GatheredGradient, in lowering: inout Lowering) throws {
    let dOutput =
      activation == .none
      ? lowering.withoutHalo(gradient.value, node: node)
      : lowering.lowerActivationBackward(activation, node, gradient: gradient.value)
    let input = try lowering.input(of: node)
    let source = try lowering.inputValue(of: node)
    let (window, flops) = (try geometry(for: lowering.shape(input)), forwardFlops(for: lowering.shape(input)))
    func add(_ pass: DepthwiseConv2DOperation.Pass) {
      lowering.add(
        .depthwiseConv2D(DepthwiseConv2DOperation(pass: pass, weight: node, window: window)), node, flops: flops)
    }
    if !lowering.isFrozen(node) {
      lowering.declareGradient(of: node, .byGroup)
      add(.filterGradient(input: source, dOutput: dOutput))
    }
    if lowering.needsGradient[input] {
      let result = lowering.addZeroedGradient(of: input, by: node, halo: lowering.program.values[source].halo)
      add(.inputGradient(dOutput: dOutput, dInput: result))
      lowering.send(result, to: input, from: node)
    }
    if !lowering.isFrozen(node) { lowering.updates.append(.fromGradient(node: node)) }
  }
}

/// A pass of a convolution of each channel by itself.
package struct DepthwiseConv2DOperation: OperationKind {
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

  package var operands: [Operand] {
    switch pass {
    case .forward(let input, let output, _): [.reads(input), .writes(output)]
    case .inputGradient(let dOutput, let dInput): [.reads(dOutput), .adds(dInput)]
    case .filterGradient(let input, let dOutput): [.reads(input), .reads(dOutput)]
    }
  }

  package var parameters: [ParameterUse] {
    switch pass {
    case .forward, .inputGradient: [.readsValues(of: weight)]
    case .filterGradient: [.makesGradient(of: weight)]
    }
  }

  package var workspace: ConvolutionWorkspace? { nil }
  package var unit: UnitOfWork { .shard }

  package var verb: String {
    switch pass {
    case .forward: "forward"
    case .inputGradient: "d_input"
    case .filterGradient: "d_filter"
    }
  }

  package func payload(in memory: StepMemory) throws -> any KernelPayload {
    let pass: DepthwiseConv2DPayload.Pass =
      switch pass {
      case .forward(let input, let output, let appliesReLU):
        .forward(input: memory.tensor(input), output: memory.tensor(output), appliesReLU: appliesReLU)
      case .inputGradient(let dOutput, let dInput):
        .inputGradient(dOutput: memory.tensor(dOutput), dInput: memory.tensor(dInput))
      case .filterGradient(let input, let dOutput):
        .filterGradient(input: memory.tensor(input), dOutput: memory.tensor(dOutput))
      }
    return DepthwiseConv2DPayload(pass, window: window.kernel, weight: try memory.weight(of: weight))
  }
}
