// SPDX-License-Identifier: Apache-2.0
// Normalisation over the channels of each place, in shards of the minibatch.

import Kernels
import MTLFast

extension LayerNorm: LoweredLayer {
  static var account: StepAccount { .conv }

  func lowerForward(_ node: Int, in lowering: inout Lowering) throws -> Int {
    let input = try lowering.inputValue(of: node)
    let output = lowering.addOutput(of: node)
    if lowering.purpose.isTraining {
      let shape = lowering.program.values[input].shape
      lowering.saved[node] = lowering.program.addValue(
        "\(lowering.name(node)).statistics", .image(height: 2, width: shape.height * shape.width, channels: 1))
    }
    let forward = LayerNormOperation(
      pass: .forward(input: input, output: output, epsilon: epsilon), weight: node,
      statistics: lowering.saved[node])
    lowering.add(.layerNorm(forward), node)
    return output
  }

  func lowerBackward(_ node: Int, gradient: GatheredGradient, in lowering: inout Lowering) throws {
    let input = try lowering.input(of: node)
    let source = try lowering.inputValue(of: node)
    let isFrozen = lowering.isFrozen(node)
    let result = lowering.needsGradient[input] ? lowering.addGradientValue(of: input, by: node) : nil
    let backward = LayerNormOperation(
      pass: .backward(input: source, dOutput: gradient.value, dInput: result, keepsWeight: isFrozen), weight: node,
      statistics: lowering.saved[node])
    lowering.add(.layerNorm(backward), node)
    if let result { lowering.send(result, to: input, from: node) }
    guard !isFrozen else { return }
    lowering.declareGradient(of: node, .byGroup)
    lowering.updates.append(.fromGradient(node: node))
  }
}

/// A pass of a layer normalisation.
package struct LayerNormOperation: OperationKind {
  enum Pass {
    case forward(input: Int, output: Int, epsilon: Float)
    case backward(input: Int, dOutput: Int, dInput: Int?, keepsWeight: Bool)
  }
  let pass: Pass
  /// The node of gamma and beta.
  let weight: Int
  /// Of each place: the forward pass writes them for the backward pass.
  let statistics: Int?

  package var operands: [Operand] {
    switch pass {
    case .forward(let input, let output, _):
      [.reads(input), .writes(output)] + (statistics.map { [.writes($0)] } ?? [])
    case .backward(let input, let dOutput, let dInput, _):
      [.reads(input), .reads(dOutput)] + (statistics.map { [.reads($0)] } ?? []) + (dInput.map { [.writes($0)] } ?? [])
    }
  }

  package var parameters: [ParameterUse] {
    switch pass {
    case .forward: [.readsValues(of: weight)]
    case .backward(_, _, _, let keepsWeight):
      [.readsValues(of: weight)] + (keepsWeight ? [] : [.makesGradient(of: weight)])
    }
  }

  package var workspace: ConvolutionWorkspace? { nil }
  package var unit: UnitOfWork { .shard }

  package var verb: String {
    switch pass {
    case .forward: "forward"
    case .backward: "backward"
    }
  }

  package func payload(in memory: StepMemory) throws -> any KernelPayload {
    let pass: LayerNormPayload.Pass =
      switch pass {
      case .forward(let input, let output, let epsilon):
        .forward(input: memory.tensor(input), output: memory.tensor(output), epsilon: epsilon)
      case .backward(let input, let dOutput, let dInput, let keepsWeight):
        .backward(
          input: memory.tensor(input), dOutput: memory.tensor(dOutput), dInput: dInput.map(memory.tensor),
          keepsWeight: keepsWeight)
      }
    return LayerNormPayload(pass, weight: try memory.weight(of: weight), statistics: statistics.map(memory.tensor))
  }
}
