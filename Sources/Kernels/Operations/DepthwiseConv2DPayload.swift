// SPDX-License-Identifier: Apache-2.0
// What the passes of a depthwise convolution work on.

internal import CKernels

/// A pass of a convolution of each channel by itself; the weight is the `[KH * KW, C]` matrix.
package struct DepthwiseConv2DPayload: KernelPayload {
  package enum Pass {
    case forward(input: KernelTensor, output: KernelTensor, appliesReLU: Bool)
    /// Adds to dInput, halo included.
    case inputGradient(dOutput: KernelTensor, dInput: KernelTensor)
    /// By group.
    case filterGradient(input: KernelTensor, dOutput: KernelTensor)
  }
  let pass: Pass
  let window: KernelWindow
  let weight: KernelWeight

  package init(_ pass: Pass, window: KernelWindow, weight: KernelWeight) {
    (self.pass, self.window, self.weight) = (pass, window, weight)
  }

  package func encode() -> EncodedOperation {
    let (window, weight) = (window.kernel, UnsafePointer(weight.pointer))
    switch pass {
    case .forward(let input, let output, let appliesReLU):
      return EncodedOperation(
        mtlf_depthwise_conv2d_op(
          window: window, weight: weight, relu: appliesReLU ? 1 : 0, input: input.kernel, output: output.kernel),
        shard: mtlf_depthwise_conv2d_shard)
    case .inputGradient(let dOutput, let dInput):
      return EncodedOperation(
        mtlf_depthwise_conv2d_d_input_op(
          window: window, weight: weight, d_output: dOutput.kernel, d_input: dInput.kernel),
        shard: mtlf_depthwise_conv2d_d_input_shard)
    case .filterGradient(let input, let dOutput):
      return EncodedOperation(
        mtlf_depthwise_conv2d_d_filter_op(
          window: window, weight: weight, input: input.kernel, d_output: dOutput.kernel),
        shard: mtlf_depthwise_conv2d_d_filter_shard)
    }
  }
}
