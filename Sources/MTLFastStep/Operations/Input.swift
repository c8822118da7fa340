// SPDX-License-Identifier: Apache-2.0
// What comes in from the samples: rows of inputs, and masks that move with their images.

import Kernels
import MTLFast

extension Lowering {
  mutating func lowerInput(_ node: Int) {
    let slot = graph.nodes[..<node].count { if case .input = $0.operation { true } else { false } }
    let output = addOutput(of: node)
    value[node] = output
    add(.input(InputOperation(slot: slot, output: output)), node)
  }

  /// A head's masks as their images were moved.
  mutating func lowerMasks(of head: Head, slot: Int) -> Int {
    let shape = shape(head.logits)
    let channels = if case .segmentation = head.task { 1 } else { shape.channels }
    let moved = program.addValue(
      "\(head.name).mask", .image(height: shape.height, width: shape.width, channels: channels), storage: .bytes)
    add(
      .moveMasks(
        MoveMasksOperation(head: slot, source: firstImage(of: head.logits) ?? source[head.logits], masks: moved)),
      head.logits, account: .loader)
    return moved
  }

  /// The first image among the inputs that a node depends on, as its place among all inputs. Images that a mask moves
  /// with are augmented alike, which was checked when the samples were bound.
  private func firstImage(of node: Int) -> Int? {
    let names = graph.inputs(of: node)
    let inputs = graph.nodes.filter { if case .input = $0.operation { true } else { false } }
    return inputs.firstIndex { $0.shape.isImage && names.contains($0.name) }
  }
}

/// Loads rows of the samples, scaled and augmented.
package struct InputOperation: OperationKind {
  let slot: Int
  let output: Int

  package var operands: [Operand] { [.writes(output)] }
  package var parameters: [ParameterUse] { [] }
  package var workspace: ConvolutionWorkspace? { nil }
  package var unit: UnitOfWork { .shard }
  package var verb: String { "load" }
  package func payload(in memory: StepMemory) -> any KernelPayload {
    InputPayload(slot: slot, output: memory.tensor(output))
  }
}

/// Moves a head's masks as the images of one input are moved.
package struct MoveMasksOperation: OperationKind {
  let head: Int
  let source: Int
  let masks: Int

  package var operands: [Operand] { [.writes(masks)] }
  package var parameters: [ParameterUse] { [] }
  package var workspace: ConvolutionWorkspace? { nil }
  package var unit: UnitOfWork { .shard }
  package var verb: String { "move masks" }
  package func payload(in memory: StepMemory) -> any KernelPayload {
    MoveMasksPayload(head: head, source: source, masks: memory.tensor(masks))
  }
}
