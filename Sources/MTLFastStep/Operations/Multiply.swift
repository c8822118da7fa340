// SPDX-License-Identifier: Apache-2.0
// The product of two nodes, element by element.

import Kernels
import MTLFast

extension Multiply: LoweredLayer {
  static var account: StepAccount { .other }

  func lowerForward(_ node: Int, in lowering: inout Lowering) throws -> Int {
    let factors = try lowering.graph.nodes[node].inputs.map { try lowering.inputValue(of: node, $0) }
    let output = lowering.addOutput(of: node)
    lowering.add(.multiply(MultiplyOperation(a: factors[0], b: factors[1], to: output)), node)
    return output
  }

  /// The gradient of a factor is that of the product times the other factor.
  func lowerBackward(_ node: Int, gradient: GatheredGradient, in lowering: inout Lowering) throws {
    let inputs = lowering.graph.nodes[node].inputs
    for (input, other) in zip(inputs, inputs.reversed()) where lowering.needsGradient[input] {
      let factor = try lowering.inputValue(of: node, other)
      let result = lowering.addGradientValue(of: input, by: node)
      lowering.add(
        .multiply(MultiplyOperation(a: gradient.value, b: factor, to: result, isBackward: true)), node)
      lowering.send(result, to: input, from: node)
    }
  }
}

/// A product, or the gradient of a factor.
package struct MultiplyOperation: OperationKind {
  let a: Int, b: Int, to: Int
  var isBackward = false

  package var operands: [Operand] { [.reads(a), .reads(b), .writes(to)] }
  package var parameters: [ParameterUse] { [] }
  package var workspace: ConvolutionWorkspace? { nil }
  package var unit: UnitOfWork { .shard }
  package var verb: String { isBackward ? "backward" : "forward" }
  package func payload(in memory: StepMemory) -> any KernelPayload {
    MultiplyPayload(memory.tensor(a), memory.tensor(b), to: memory.tensor(to))
  }
}
