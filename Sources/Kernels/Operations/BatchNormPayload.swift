// SPDX-License-Identifier: Apache-2.0
// What the passes of a batch normalisation work on.

internal import CKernels

/// The group's sums: of the input, or of the gradient of the output.
package struct BatchNormSumsPayload: KernelPayload {
  let statistics: BatchNormStatistics
  let input: KernelTensor
  let dOutput: KernelTensor?

  package init(statistics: BatchNormStatistics, input: KernelTensor, dOutput: KernelTensor?) {
    (self.statistics, self.input, self.dOutput) = (statistics, input, dOutput)
  }

  package func encode() -> EncodedOperation {
    EncodedOperation(
      mtlf_batch_norm_sums_op(
        norm: UnsafePointer(statistics.pointer), input: input.kernel, d_output: dOutput.kernel),
      shard: dOutput == nil ? mtlf_batch_norm_sums_shard : mtlf_batch_norm_d_sums_shard)
  }
}

/// What follows from the sums of all groups: the step's statistics, or those of the gradients with the weight's gradient.
package struct BatchNormFinishPayload: KernelPayload {
  package enum Kind {
    /// From the minibatch's sums; the running statistics move on.
    case ofMinibatch
    /// The running statistics as they are.
    case running
    case gradients
  }
  let kind: Kind
  let statistics: BatchNormStatistics
  let weight: KernelWeight
  /// Of each sample.
  let pixels: Int

  package init(_ kind: Kind, statistics: BatchNormStatistics, weight: KernelWeight, pixels: Int) {
    (self.kind, self.statistics, self.weight, self.pixels) = (kind, statistics, weight, pixels)
  }

  package func encode() -> EncodedOperation {
    let payload = mtlf_batch_norm_finish_op(
      norm: UnsafePointer(statistics.pointer), weight: UnsafePointer(weight.pointer), pixels: Int64(pixels),
      uses_running: kind == .running ? 1 : 0)
    switch kind {
    case .ofMinibatch, .running: return EncodedOperation(payload, block: mtlf_batch_norm_finish_block)
    case .gradients: return EncodedOperation(payload, block: mtlf_batch_norm_d_finish_block)
    }
  }
}

/// Normalises, or gives the gradient of the input from that of the output.
package struct BatchNormPayload: KernelPayload {
  let statistics: BatchNormStatistics
  let input: KernelTensor
  let dOutput: KernelTensor?
  let output: KernelTensor

  /// - Parameter dOutput: nil for the forward pass.
  package init(statistics: BatchNormStatistics, input: KernelTensor, dOutput: KernelTensor?, output: KernelTensor) {
    (self.statistics, self.input, self.dOutput, self.output) = (statistics, input, dOutput, output)
  }

  package func encode() -> EncodedOperation {
    EncodedOperation(
      mtlf_batch_norm_op(
        norm: UnsafePointer(statistics.pointer), input: input.kernel, d_output: dOutput.kernel,
        output: output.kernel), shard: dOutput == nil ? mtlf_batch_norm_shard : mtlf_batch_norm_d_input_shard)
  }
}
