// SPDX-License-Identifier: Apache-2.0
// Layers that move elements: flatten and reshape, which are views, and nearest-neighbour upsampling.

import Kernels
import MTLFast

extension Flatten: LoweredLayer {
  static var account: StepAccount { .other }
  func lowerForward(_ node: Int, in lowering: inout Lowering) throws -> Int { try lowering.lowerView(node) }
  func lowerBackward(_ node: Int, gradient: GatheredGradient, in lowering: inout Lowering) throws {
    try lowering.lowerViewBackward(node, gradient: gradient.value)
  }
}

extension Reshape: LoweredLayer {
  static var account: StepAccount { .other }
  func lowerForward(_ node: Int, in lowering: inout Lowering) throws -> Int { try lowering.lowerView(node) }
  func lowerBackward(_ node: Int, gradient: GatheredGradient, in lowering: inout Lowering) throws {
    try lowering.lowerViewBackward(node, gradient: gradient.value)
  }
}

extension Lowering {
  fileprivate mutating func lowerView(_ node: Int) throws -> Int {
    let dense = withoutHalo(try inputValue(of: node), node: node)
    return withHaloWanted(program.addValue(name(node), shape(node), alias: dense), around: node)
  }

  fileprivate mutating func lowerViewBackward(_ node: Int, gradient: Int) throws {
    let input = try input(of: node)
    guard needsGradient[input] else { return }
    let dense = withoutHalo(gradient, node: node)
    send(addGradientValue(of: input, by: node, alias: dense), to: input, from: node)
  }
}

extension Upsample2D: LoweredLayer {
  static var account: StepAccount { .conv }

  func lowerForward(_ node: Int, in lowering: inout Lowering) throws -> Int {
    let input = try lowering.inputValue(of: node)
    let output = lowering.addOutput(of: node)
    lowering.add(.upsample2D(operation(isBackward: false, small: input, large: output)), node)
    return output
  }

  func lowerBackward(_ node: Int, gradient: GatheredGradient, in lowering: inout Lowering) throws {
    let input = try lowering.input(of: node)
    guard lowering.needsGradient[input] else { return }
    let result = lowering.addZeroedGradient(of: input, by: node)
    lowering.add(.upsample2D(operation(isBackward: true, small: result, large: gradient.value)), node)
    lowering.send(result, to: input, from: node)
  }

  private func operation(isBackward: Bool, small: Int, large: Int) -> Upsample2DOperation {
    Upsample2DOperation(scale: (scaleHeight, scaleWidth), isBackward: isBackward, small: small, large: large)
  }
}

/// Repeats pixels, or sums up the gradients of repeated ones.
package struct Upsample2DOperation: OperationKind {
  let scale: (height: Int, width: Int)
  let isBackward: Bool
  let small: Int, large: Int

  package var operands: [Operand] {
    isBackward ? [.reads(large), .adds(small)] : [.reads(small), .writes(large)]
  }
  package var parameters: [ParameterUse] { [] }
  package var workspace: ConvolutionWorkspace? { nil }
  package var unit: UnitOfWork { .shard }
  package var verb: String { isBackward ? "backward" : "forward" }
  package func payload(in memory: StepMemory) -> any KernelPayload {
    Upsample2DPayload(
      scale: scale, small: memory.tensor(small), large: memory.tensor(large), isBackward: isBackward)
  }
}
