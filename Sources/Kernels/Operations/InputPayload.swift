// SPDX-License-Identifier: Apache-2.0
// What comes in from the samples: rows of inputs, and masks that move with their images.

internal import CKernels

/// Rows of an input, scaled or normalised, and augmented where the step says so.
package struct InputPayload: KernelPayload {
  let slot: Int
  let output: KernelTensor

  package init(slot: Int, output: KernelTensor) { (self.slot, self.output) = (slot, output) }

  package func encode() -> EncodedOperation {
    EncodedOperation(mtlf_input_op(slot: Int32(slot), output: output.kernel), shard: mtlf_input_shard)
  }
}

/// A head's masks as their images were moved.
package struct MoveMasksPayload: KernelPayload {
  let head: Int
  /// The input whose draws they move by.
  let source: Int
  let masks: KernelTensor

  package init(head: Int, source: Int, masks: KernelTensor) {
    (self.head, self.source, self.masks) = (head, source, masks)
  }

  package func encode() -> EncodedOperation {
    EncodedOperation(
      mtlf_move_masks_op(
        slot: Int32(head), source: Int32(source), height: Int32(masks.height), width: Int32(masks.width),
        channels: Int32(masks.channels), masks: masks.base.assumingMemoryBound(to: UInt8.self)),
      shard: mtlf_move_masks_shard)
  }
}
