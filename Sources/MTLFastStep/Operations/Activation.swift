// SPDX-License-Identifier: Apache-2.0
// Functions of each element: as layers, and behind layers that take an activation.

import Kernels
import MTLFast

extension Activation {
  /// nil for none.
  var function: KernelActivation? {
    switch self {
    case .none: nil
    case .relu: .relu
    case .sigmoid: .sigmoid
    case .gelu: .gelu
    case .silu: .silu
    case .tanh: .tanh
    case .leakyReLU: .leakyReLU
    }
  }
}

extension Lowering {
  /// The activation of what a layer has written, as a value of its own.
  mutating func lowerActivation(_ activation: Activation, of input: Int, node: Int) -> Int {
    guard let function = activation.function else { return input }
    beforeActivation[node] = input
    let output = addOutput(of: node, named: "\(name(node)).activated")
    add(.activation(ActivationOperation(function: function, pass: .forward(input: input, output: output))), node)
    return output
  }

  /// The gradient before a layer's activation, without a halo.
  mutating func lowerActivationBackward(_ activation: Activation, _ node: Int, gradient: Int) -> Int {
    guard let function = activation.function, let output = value[node] else { return gradient }
    return addActivationBackward(
      function, node, value: function.derivesFromInput ? beforeActivation[node] ?? output : output, gradient: gradient)
  }

  fileprivate mutating func addActivationBackward(
    _ function: KernelActivation, _ node: Int, value: Int, gradient: Int
  ) -> Int {
    let result = program.addValue("d_\(name(node)).before_activation", program.values[gradient].shape)
    add(
      .activation(
        ActivationOperation(function: function, pass: .backward(value: value, dOutput: gradient, dInput: result))), node
    )
    return result
  }
}

/// A layer that is nothing but a function of each element.
protocol FunctionLayer: LoweredLayer {
  static var function: KernelActivation { get }
}

extension FunctionLayer {
  static var account: StepAccount { .other }

  func lowerForward(_ node: Int, in lowering: inout Lowering) throws -> Int {
    let input = try lowering.inputValue(of: node)
    let output = lowering.addOutput(of: node)
    let forward = ActivationOperation(function: Self.function, pass: .forward(input: input, output: output))
    lowering.add(.activation(forward), node)
    return output
  }

  func lowerBackward(_ node: Int, gradient: GatheredGradient, in lowering: inout Lowering) throws {
    let input = try lowering.input(of: node)
    guard lowering.needsGradient[input], let output = lowering.value[node] else { return }
    let from = Self.function.derivesFromInput ? try lowering.inputValue(of: node) : output
    let result = lowering.addActivationBackward(Self.function, node, value: from, gradient: gradient.value)
    lowering.send(result, to: input, from: node)
  }
}

extension ReLU: FunctionLayer {
  static var function: KernelActivation { .relu }
}

extension Sigmoid: FunctionLayer {
  static var function: KernelActivation { .sigmoid }
}

/// A function of each element, or its derivative times the gradient.
package struct ActivationOperation: OperationKind {
  enum Pass {
    case forward(input: Int, output: Int)
    /// `value` is what the derivative is taken from: the output, or the input of functions that need it.
    case backward(value: Int, dOutput: Int, dInput: Int)
  }
  let function: KernelActivation
  let pass: Pass

  package var operands: [Operand] {
    switch pass {
    case .forward(let input, let output): [.reads(input), .writes(output)]
    case .backward(let value, let dOutput, let dInput): [.reads(value), .reads(dOutput), .writes(dInput)]
    }
  }

  package var parameters: [ParameterUse] { [] }
  package var workspace: ConvolutionWorkspace? { nil }
  package var unit: UnitOfWork { .shard }

  package var verb: String {
    switch pass {
    case .forward: "forward"
    case .backward: "backward"
    }
  }

  package var takesSamplesApart: Bool {
    switch pass {
    case .forward: false
    case .backward: true
    }
  }

  package func payload(in memory: StepMemory) -> any KernelPayload {
    switch pass {
    case .forward(let input, let output):
      ActivationPayload(function, input: memory.tensor(input), output: memory.tensor(output))
    case .backward(let value, let dOutput, let dInput):
      ActivationBackwardPayload(
        function, value: memory.tensor(value), dOutput: memory.tensor(dOutput), dInput: memory.tensor(dInput))
    }
  }
}
