// SPDX-License-Identifier: Apache-2.0
// What the passes of a convolution work on.

internal import CKernels

/// The forward pass, with bias and perhaps ReLU and a 2x2 max-pool.
package struct Conv2DPayload: KernelPayload {
  let window: KernelWindow
  let weight: KernelWeight
  let appliesReLU: Bool
  let input: KernelTensor, output: KernelTensor
  /// Of the fused pool.
  let gate: KernelTensor?

  package init(
    window: KernelWindow, weight: KernelWeight, appliesReLU: Bool, input: KernelTensor, output: KernelTensor,
    gate: KernelTensor?
  ) {
    (self.window, self.weight, self.appliesReLU) = (window, weight, appliesReLU)
    (self.input, self.output, self.gate) = (input, output, gate)
  }

  package func encode() -> EncodedOperation {
    EncodedOperation(
      mtlf_conv2d_op(
        window: window.kernel, weight: UnsafePointer(weight.pointer), relu: appliesReLU ? 1 : 0, input: input.kernel,
        output: output.kernel, gate: gate?.base.assumingMemoryBound(to: UInt8.self)), shard: mtlf_conv2d_shard)
  }
}

/// Adds the gradient of the input, halo included.
package struct Conv2DInputGradientPayload: KernelPayload {
  let window: KernelWindow
  let weight: KernelWeight
  let dOutput: KernelTensor, dInput: KernelTensor
  let gate: KernelTensor?

  /// - Parameter weight: has a transposed form.
  package init(
    window: KernelWindow, weight: KernelWeight, dOutput: KernelTensor, dInput: KernelTensor, gate: KernelTensor?
  ) {
    (self.window, self.weight) = (window, weight)
    (self.dOutput, self.dInput, self.gate) = (dOutput, dInput, gate)
  }

  package func encode() -> EncodedOperation {
    let transposed = weight.values(WeightForm(.transposed, .float32))
    return EncodedOperation(
      mtlf_conv2d_d_input_op(
        window: window.kernel, weight: UnsafePointer(weight.pointer),
        transposed: transposed.map { UnsafePointer($0.assumingMemoryBound(to: Float.self)) },
        d_output: dOutput.kernel, d_input: dInput.kernel,
        gate: gate.map { UnsafePointer($0.base.assumingMemoryBound(to: UInt8.self)) }),
      shard: mtlf_conv2d_d_input_shard)
  }
}

/// The gradient of filters and bias, by group.
package struct Conv2DFilterGradientPayload: KernelPayload {
  let window: KernelWindow
  let weight: KernelWeight
  let input: KernelTensor, dOutput: KernelTensor
  let gate: KernelTensor?

  package init(
    window: KernelWindow, weight: KernelWeight, input: KernelTensor, dOutput: KernelTensor, gate: KernelTensor?
  ) {
    (self.window, self.weight) = (window, weight)
    (self.input, self.dOutput, self.gate) = (input, dOutput, gate)
  }

  package func encode() -> EncodedOperation {
    EncodedOperation(
      mtlf_conv2d_d_filter_op(
        window: window.kernel, weight: UnsafePointer(weight.pointer), input: input.kernel, d_output: dOutput.kernel,
        gate: gate.map { UnsafePointer($0.base.assumingMemoryBound(to: UInt8.self)) }),
      shard: mtlf_conv2d_d_filter_shard)
  }
}
