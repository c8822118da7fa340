// SPDX-License-Identifier: Apache-2.0
// What operations that move elements work on.

internal import CKernels

/// Copies a tensor into the channels of a wider one, or out of them.
package struct ChannelsPayload: KernelPayload {
  package enum Direction {
    case concatenate, slice
  }
  let direction: Direction
  let part: KernelTensor, whole: KernelTensor
  /// The first channel.
  let offset: Int

  package init(_ direction: Direction, part: KernelTensor, whole: KernelTensor, offset: Int) {
    (self.direction, self.part, self.whole, self.offset) = (direction, part, whole, offset)
  }

  package func encode() -> EncodedOperation {
    let payload = mtlf_channels_op(part: part.kernel, whole: whole.kernel, offset: Int32(offset))
    switch direction {
    case .concatenate: return EncodedOperation(payload, shard: mtlf_concatenate_shard)
    case .slice: return EncodedOperation(payload, shard: mtlf_slice_shard)
    }
  }
}

/// Nearest-neighbour upsampling of `small` to `large`, or backward, where the small gradient is added to.
package struct Upsample2DPayload: KernelPayload {
  let scaleHeight: Int, scaleWidth: Int
  let small: KernelTensor, large: KernelTensor
  let isBackward: Bool

  package init(scale: (height: Int, width: Int), small: KernelTensor, large: KernelTensor, isBackward: Bool) {
    (scaleHeight, scaleWidth) = scale
    (self.small, self.large, self.isBackward) = (small, large, isBackward)
  }

  package func encode() -> EncodedOperation {
    EncodedOperation(
      mtlf_upsample2d_op(
        scale_h: Int32(scaleHeight), scale_w: Int32(scaleWidth), small: small.kernel, large: large.kernel),
      shard: isBackward ? mtlf_upsample2d_backward_shard : mtlf_upsample2d_shard)
  }
}
