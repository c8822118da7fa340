// SPDX-License-Identifier: Apache-2.0
// What the passes of a layer normalisation work on.

internal import CKernels

/// A pass of a normalisation over the channels of each place; the weight is gamma and beta.
package struct LayerNormPayload: KernelPayload {
  package enum Pass {
    case forward(input: KernelTensor, output: KernelTensor, epsilon: Float)
    /// dInput is nil where nobody wants it; the weight's gradient, by group, is left out where it is kept.
    case backward(input: KernelTensor, dOutput: KernelTensor, dInput: KernelTensor?, keepsWeight: Bool)
  }
  let pass: Pass
  let weight: KernelWeight
  /// Mean and inverse deviation of each place, `[2, pixels]` of a sample: the forward pass writes them. nil where no
  /// backward pass follows.
  let statistics: KernelTensor?

  package init(_ pass: Pass, weight: KernelWeight, statistics: KernelTensor?) {
    (self.pass, self.weight, self.statistics) = (pass, weight, statistics)
  }

  package func encode() -> EncodedOperation {
    let weight = UnsafePointer(weight.pointer)
    switch pass {
    case .forward(let input, let output, let epsilon):
      return EncodedOperation(
        mtlf_layer_norm_op(
          weight: weight, epsilon: epsilon, input: input.kernel, output: output.kernel,
          statistics: statistics.kernel), shard: mtlf_layer_norm_shard)
    case .backward(let input, let dOutput, let dInput, let keepsWeight):
      return EncodedOperation(
        mtlf_layer_norm_backward_op(
          weight: weight, input: input.kernel, d_output: dOutput.kernel, d_input: dInput.kernel,
          statistics: statistics.kernel, keeps_weight: keepsWeight ? 1 : 0), shard: mtlf_layer_norm_backward_shard)
    }
  }
}
