// SPDX-License-Identifier: Apache-2.0
// What the operations of heads work on.

internal import CKernels

/// A head's loss and metrics, and the gradient of its logits.
package struct LossPayload: KernelPayload {
  let head: Int
  let logits: KernelTensor
  /// Of class labels.
  let probabilities: KernelTensor?
  /// Is added to; nil where nothing is learnt.
  let dLogits: KernelTensor?
  /// Moved with their images; nil for those of the samples.
  let masks: KernelTensor?

  package init(
    head: Int, logits: KernelTensor, probabilities: KernelTensor?, dLogits: KernelTensor?, masks: KernelTensor?
  ) {
    (self.head, self.logits, self.probabilities) = (head, logits, probabilities)
    (self.dLogits, self.masks) = (dLogits, masks)
  }

  package func encode() -> EncodedOperation {
    EncodedOperation(
      mtlf_loss_op(
        slot: Int32(head), logits: logits.kernel, probabilities: probabilities.kernel, d_logits: dLogits.kernel,
        masks: masks.map { UnsafePointer($0.base.assumingMemoryBound(to: UInt8.self)) }), shard: mtlf_loss_shard)
  }
}

/// Softmax over the channels.
package struct SoftmaxPayload: KernelPayload {
  let input: KernelTensor, output: KernelTensor

  package init(input: KernelTensor, output: KernelTensor) { (self.input, self.output) = (input, output) }

  package func encode() -> EncodedOperation {
    EncodedOperation(mtlf_copy_op(from: input.kernel, to: output.kernel), shard: mtlf_softmax_shard)
  }
}
