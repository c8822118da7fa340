// SPDX-License-Identifier: Apache-2.0
// Max and average pooling, over windows and over the whole image.

import Kernels
import MTLFast

extension MaxPool2D: LoweredLayer {
  static var account: StepAccount { .conv }

  func lowerForward(_ node: Int, in lowering: inout Lowering) throws -> Int {
    let image = try lowering.inputValue(of: node)
    let pooled = lowering.addOutput(of: node)
    if lowering.purpose.isTraining {
      lowering.saved[node] = lowering.program.addValue(
        "\(lowering.name(node)).argmax", lowering.shape(node), storage: .indices)
    }
    try lowering.addPool(.maximum, node, window: geometry(for: lowering.shape(lowering.input(of: node))), image, pooled)
    return pooled
  }

  func lowerBackward(_ node: Int, gradient: GatheredGradient, in lowering: inout Lowering) throws {
    try lowering.addPoolBackward(
      .maximum, node, window: geometry(for: lowering.shape(lowering.input(of: node))), dPooled: gradient.value)
  }
}

extension AvgPool2D: LoweredLayer {
  static var account: StepAccount { .conv }

  func lowerForward(_ node: Int, in lowering: inout Lowering) throws -> Int {
    let image = try lowering.inputValue(of: node)
    let pooled = lowering.addOutput(of: node)
    try lowering.addPool(.average, node, window: geometry(for: lowering.shape(lowering.input(of: node))), image, pooled)
    return pooled
  }

  func lowerBackward(_ node: Int, gradient: GatheredGradient, in lowering: inout Lowering) throws {
    try lowering.addPoolBackward(
      .average, node, window: geometry(for: lowering.shape(lowering.input(of: node))), dPooled: gradient.value)
  }
}

extension GlobalAveragePool2D: LoweredLayer {
  static var account: StepAccount { .conv }

  func lowerForward(_ node: Int, in lowering: inout Lowering) throws -> Int {
    let image = try lowering.inputValue(of: node)
    let pooled = lowering.program.addValue(lowering.name(node), lowering.shape(node))
    try lowering.addPool(.average, node, window: geometry(for: lowering.shape(lowering.input(of: node))), image, pooled)
    return pooled
  }

  func lowerBackward(_ node: Int, gradient: GatheredGradient, in lowering: inout Lowering) throws {
    try lowering.addPoolBackward(
      .average, node, window: geometry(for: lowering.shape(lowering.input(of: node))), dPooled: gradient.value)
  }
}

extension Lowering {
  fileprivate mutating func addPool(
    _ function: Pool2DPayload.Kind, _ node: Int, window: WindowGeometry, _ image: Int, _ pooled: Int
  ) throws {
    let forward = Pool2DOperation(
      function: function, window: window, isBackward: false, image: image, pooled: pooled, argmax: saved[node])
    add(.pool2D(forward), node)
  }

  fileprivate mutating func addPoolBackward(
    _ function: Pool2DPayload.Kind, _ node: Int, window: WindowGeometry, dPooled: Int
  ) throws {
    let input = try input(of: node)
    guard needsGradient[input], let source = value[input] else { return }
    let gradient = addZeroedGradient(of: input, by: node, halo: program.values[source].halo)
    let backward = Pool2DOperation(
      function: function, window: window, isBackward: true, image: gradient, pooled: dPooled, argmax: saved[node])
    add(.pool2D(backward), node)
    send(gradient, to: input, from: node)
  }
}

/// A pool of an image, or the gradient of the image from that of the pool.
package struct Pool2DOperation: OperationKind {
  let function: Pool2DPayload.Kind
  let window: WindowGeometry
  let isBackward: Bool
  /// Or their gradients, in the backward pass.
  let image: Int, pooled: Int
  /// The places of maxima: the forward pass writes them.
  let argmax: Int?

  package var operands: [Operand] {
    let places = argmax.map { [isBackward ? Operand.reads($0) : .writes($0)] } ?? []
    return (isBackward ? [.reads(pooled), .adds(image)] : [.reads(image), .writes(pooled)]) + places
  }

  package var parameters: [ParameterUse] { [] }
  package var workspace: ConvolutionWorkspace? { nil }
  package var unit: UnitOfWork { .shard }
  package var verb: String { isBackward ? "backward" : "forward" }
  package func payload(in memory: StepMemory) -> any KernelPayload {
    Pool2DPayload(
      function, isBackward: isBackward, window: window.kernel, image: memory.tensor(image),
      pooled: memory.tensor(pooled), argmax: argmax.map(memory.tensor))
  }
}
