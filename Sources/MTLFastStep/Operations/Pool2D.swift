// SPDX-License-Identifier: Apache-2.0
// Max and average pooling, over windows and over the whole image.

import Kernels
import MTLFast

/// A layer that takes the largest or the mean of windows.
protocol LoweredPool: LoweredLayer {
  static var function: Pool2DPayload.Kind { get }
  func geometry(for input: Shape) throws -> WindowGeometry
}

extension MaxPool2D: LoweredPool {
  static var function: Pool2DPayload.Kind { .maximum }
}

extension AvgPool2D: LoweredPool {
  static var function: Pool2DPayload.Kind { .average }
}

extension GlobalAveragePool2D: LoweredPool {
  static var function: Pool2DPayload.Kind { .average }
}

extension LoweredPool {
  static var account: StepAccount { .conv }

  func lowerForward(_ node: Int, in lowering: inout Lowering) throws -> Int {
    let image = try lowering.inputValue(of: node)
    let pooled = lowering.addOutput(of: node)
    if Self.function == .maximum, lowering.purpose.isTraining {
      lowering.saved[node] = lowering.program.addValue(
        "\(lowering.name(node)).argmax", lowering.shape(node), storage: .indices)
    }
    try add(node, isBackward: false, image: image, pooled: pooled, in: &lowering)
    return pooled
  }

  func lowerBackward(_ node: Int, gradient: GatheredGradient, in lowering: inout Lowering) throws {
    let input = try lowering.input(of: node)
    guard lowering.needsGradient[input] else { return }
    let source = try lowering.inputValue(of: node)
    let dImage = lowering.addZeroedGradient(of: input, by: node, halo: lowering.program.values[source].halo)
    try add(node, isBackward: true, image: dImage, pooled: gradient.value, in: &lowering)
    lowering.send(dImage, to: input, from: node)
  }

  private func add(_ node: Int, isBackward: Bool, image: Int, pooled: Int, in lowering: inout Lowering) throws {
    let window = try geometry(for: lowering.shape(lowering.input(of: node)))
    let operation = Pool2DOperation(
      function: Self.function, window: window, isBackward: isBackward, image: image, pooled: pooled,
      argmax: lowering.saved[node])
    lowering.add(.pool2D(operation), node)
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
