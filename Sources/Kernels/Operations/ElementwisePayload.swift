// SPDX-License-Identifier: Apache-2.0
// What operations on each element work on.

internal import CKernels

/// Copies or adds one tensor to another, whatever their halos.
package struct CopyPayload: KernelPayload {
  let from: KernelTensor, to: KernelTensor
  let adds: Bool

  package init(from: KernelTensor, to: KernelTensor, adds: Bool) {
    (self.from, self.to, self.adds) = (from, to, adds)
  }

  package func encode() -> EncodedOperation {
    EncodedOperation(
      mtlf_copy_op(from: from.kernel, to: to.kernel), shard: adds ? mtlf_add_shard : mtlf_copy_shard)
  }
}

/// Zeroes a tensor, halo included.
package struct ZeroPayload: KernelPayload {
  let values: KernelTensor

  package init(_ values: KernelTensor) { self.values = values }

  package func encode() -> EncodedOperation {
    EncodedOperation(mtlf_zero_op(values: values.kernel, halo: values.haloElements), shard: mtlf_zero_shard)
  }
}

/// A function of each element.
package enum KernelActivation: Hashable, Sendable {
  case relu, sigmoid, gelu, silu, tanh, leakyReLU

  /// Whether the derivative is taken from the input; otherwise from the output.
  package var derivesFromInput: Bool {
    switch self {
    case .relu, .sigmoid, .tanh, .leakyReLU: false
    case .gelu, .silu: true
    }
  }

  var kernel: mtlf_activation {
    switch self {
    case .relu: MTLF_ACTIVATION_RELU
    case .sigmoid: MTLF_ACTIVATION_SIGMOID
    case .gelu: MTLF_ACTIVATION_GELU
    case .silu: MTLF_ACTIVATION_SILU
    case .tanh: MTLF_ACTIVATION_TANH
    case .leakyReLU: MTLF_ACTIVATION_LEAKY_RELU
    }
  }
}

package struct ActivationPayload: KernelPayload {
  let function: KernelActivation
  let input: KernelTensor, output: KernelTensor

  package init(_ function: KernelActivation, input: KernelTensor, output: KernelTensor) {
    (self.function, self.input, self.output) = (function, input, output)
  }

  package func encode() -> EncodedOperation {
    EncodedOperation(
      mtlf_activation_op(function: function.kernel, input: input.kernel, output: output.kernel),
      shard: mtlf_activation_shard)
  }
}

package struct ActivationBackwardPayload: KernelPayload {
  let function: KernelActivation
  /// What the derivative is taken from: the output, or the input of functions that need it.
  let value: KernelTensor
  let dOutput: KernelTensor, dInput: KernelTensor

  package init(_ function: KernelActivation, value: KernelTensor, dOutput: KernelTensor, dInput: KernelTensor) {
    (self.function, self.value, self.dOutput, self.dInput) = (function, value, dOutput, dInput)
  }

  package func encode() -> EncodedOperation {
    EncodedOperation(
      mtlf_activation_backward_op(
        function: function.kernel, value: value.kernel, d_output: dOutput.kernel, d_input: dInput.kernel),
      shard: mtlf_activation_backward_shard)
  }
}

/// Dropout of values, or of their gradients by the same draws.
package struct DropoutPayload: KernelPayload {
  let rate: Float
  let key: UInt64
  /// The input whose rows the draws are keyed by.
  let source: Int
  let from: KernelTensor, to: KernelTensor

  package init(rate: Float, key: UInt64, source: Int, from: KernelTensor, to: KernelTensor) {
    (self.rate, self.key, self.source, self.from, self.to) = (rate, key, source, from, to)
  }

  package func encode() -> EncodedOperation {
    EncodedOperation(
      mtlf_dropout_op(rate: rate, key: key, source: Int32(source), from: from.kernel, to: to.kernel),
      shard: mtlf_dropout_shard)
  }
}
