// SPDX-License-Identifier: Apache-2.0
// What the passes of a pool work on.

internal import CKernels

/// Max-pool with the places of its maxima, or average pool; forward from `image` to `pooled`, backward the other way, where
/// the image's gradient is added to.
package struct Pool2DPayload: KernelPayload {
  package enum Kind {
    case maximum, average
  }
  let kind: Kind
  let isBackward: Bool
  let window: KernelWindow
  let image: KernelTensor, pooled: KernelTensor
  /// int32 h * width + w, `[minibatch, OH, OW, C]`.
  let argmax: KernelTensor?

  package init(
    _ kind: Kind, isBackward: Bool, window: KernelWindow, image: KernelTensor, pooled: KernelTensor,
    argmax: KernelTensor?
  ) {
    (self.kind, self.isBackward, self.window) = (kind, isBackward, window)
    (self.image, self.pooled, self.argmax) = (image, pooled, argmax)
  }

  package func encode() -> EncodedOperation {
    let payload = mtlf_pool2d_op(
      window: window.kernel, image: image.kernel, pooled: pooled.kernel,
      argmax: argmax?.base.assumingMemoryBound(to: Int32.self))
    switch (kind, isBackward) {
    case (.maximum, false): return EncodedOperation(payload, shard: mtlf_max_pool2d_shard)
    case (.maximum, true): return EncodedOperation(payload, shard: mtlf_max_pool2d_backward_shard)
    case (.average, false): return EncodedOperation(payload, shard: mtlf_avg_pool2d_shard)
    case (.average, true): return EncodedOperation(payload, shard: mtlf_avg_pool2d_backward_shard)
    }
  }
}
