// SPDX-License-Identifier: Apache-2.0
// Layers that read several nodes: concatenation and sum.

import Kernels
import MTLFast

extension Concatenate: LoweredLayer {
  static var account: StepAccount { .other }

  func lowerForward(_ node: Int, in lowering: inout Lowering) throws -> Int {
    let output = lowering.addOutput(of: node)
    var offset = 0
    for input in lowering.graph.nodes[node].inputs {
      let part = try lowering.inputValue(of: node, input)
      lowering.add(
        .channels(ChannelsOperation(direction: .concatenate, part: part, whole: output, offset: offset)), node)
      offset += lowering.shape(input).channels
    }
    return output
  }

  func lowerBackward(_ node: Int, gradient: GatheredGradient, in lowering: inout Lowering) throws {
    var offset = 0
    for input in lowering.graph.nodes[node].inputs {
      defer { offset += lowering.shape(input).channels }
      guard lowering.needsGradient[input] else { continue }
      let part = lowering.addGradientValue(of: input, by: node)
      lowering.add(
        .channels(ChannelsOperation(direction: .slice, part: part, whole: gradient.value, offset: offset)), node)
      lowering.send(part, to: input, from: node)
    }
  }
}

extension Add: LoweredLayer {
  static var account: StepAccount { .other }

  func lowerForward(_ node: Int, in lowering: inout Lowering) throws -> Int {
    let output = lowering.addOutput(of: node)
    for (place, input) in lowering.graph.nodes[node].inputs.enumerated() {
      let part = try lowering.inputValue(of: node, input)
      lowering.add(.copy(CopyOperation(from: part, to: output, adds: place > 0)), node)
    }
    return output
  }

  /// The sum's gradient is that of every input; each but the last to use it needs its own, since others add to it.
  func lowerBackward(_ node: Int, gradient: GatheredGradient, in lowering: inout Lowering) throws {
    let inputs = lowering.graph.nodes[node].inputs.sorted().filter { lowering.needsGradient[$0] }
    for input in inputs.dropFirst() {
      let own = lowering.addGradientValue(of: input, by: node)
      lowering.add(.copy(CopyOperation(from: gradient.value, to: own)), node)
      lowering.send(own, to: input, from: node)
    }
    if let first = inputs.first { lowering.send(gradient.value, to: first, from: node) }
  }
}

/// Copies a tensor into the channels of a wider one, or out of them.
package struct ChannelsOperation: OperationKind {
  let direction: ChannelsPayload.Direction
  let part: Int, whole: Int
  /// The first channel.
  let offset: Int

  package var operands: [Operand] {
    switch direction {
    case .concatenate: [.reads(part), .writes(whole)]
    case .slice: [.reads(whole), .writes(part)]
    }
  }
  package var parameters: [ParameterUse] { [] }
  package var workspace: ConvolutionWorkspace? { nil }
  package var unit: UnitOfWork { .shard }
  package var verb: String {
    switch direction {
    case .concatenate: "forward"
    case .slice: "slice"
    }
  }
  package func payload(in memory: StepMemory) -> any KernelPayload {
    ChannelsPayload(direction, part: memory.tensor(part), whole: memory.tensor(whole), offset: offset)
  }
}
