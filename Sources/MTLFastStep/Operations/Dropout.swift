// SPDX-License-Identifier: Apache-2.0
// Dropout: drawn in the forward pass, and again in the backward pass.

import Kernels
import MTLFast

extension Dropout: LoweredLayer {
  static var account: StepAccount { .other }

  /// One that drops nothing is a view of its input, so its readers read that.
  func passesInputOn(for purpose: StepPurpose) -> Bool { !purpose.isTraining || rate == 0 }

  func lowerForward(_ node: Int, in lowering: inout Lowering) throws -> Int {
    let source = try lowering.inputValue(of: node)
    guard !passesInputOn(for: lowering.purpose) else {
      return lowering.program.addValue(
        lowering.name(node), lowering.shape(node), halo: lowering.program.values[source].halo, alias: source)
    }
    let input = lowering.withoutHalo(source, node: node)
    let output = lowering.program.addValue(lowering.name(node), lowering.shape(node))
    lowering.add(.dropout(operation(node, isBackward: false, from: input, to: output, in: lowering)), node)
    return lowering.withHaloWanted(output, around: node)
  }

  func lowerBackward(_ node: Int, gradient: GatheredGradient, in lowering: inout Lowering) throws {
    let input = try lowering.input(of: node)
    guard lowering.needsGradient[input] else { return }
    guard !passesInputOn(for: lowering.purpose) else {
      lowering.send(gradient.value, to: input, from: node)
      return
    }
    let dOutput = lowering.withoutHalo(gradient.value, node: node)
    let result = lowering.addGradientValue(of: input, by: node)
    lowering.add(.dropout(operation(node, isBackward: true, from: dOutput, to: result, in: lowering)), node)
    lowering.send(result, to: input, from: node)
  }

  private func operation(
    _ node: Int, isBackward: Bool, from: Int, to: Int, in lowering: Lowering
  ) -> DropoutOperation {
    DropoutOperation(
      rate: rate, key: RandomStream(seed: lowering.seed ?? 0, purpose: "dropout \(lowering.name(node))").key,
      source: lowering.source[node], isBackward: isBackward, from: from, to: to)
  }
}

/// Drops elements, or their gradients.
package struct DropoutOperation: OperationKind {
  let rate: Float
  let key: UInt64
  /// The input whose rows the draws are keyed by.
  let source: Int
  let isBackward: Bool
  let from: Int, to: Int

  package var operands: [Operand] { [.reads(from), .writes(to)] }
  package var parameters: [ParameterUse] { [] }
  package var workspace: ConvolutionWorkspace? { nil }
  package var unit: UnitOfWork { .shard }
  package var verb: String { isBackward ? "backward" : "forward" }
  package func payload(in memory: StepMemory) -> any KernelPayload {
    DropoutPayload(rate: rate, key: key, source: source, from: memory.tensor(from), to: memory.tensor(to))
  }
}
