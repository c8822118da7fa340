// SPDX-License-Identifier: Apache-2.0
// Where the activations or gradients of a minibatch lie.

internal import CKernels

/// A minibatch of images `[H, W, C]`, perhaps in a halo, or of vectors `[C]` with H = W = 1.
package struct KernelTensor {
  /// Element (0, 0, 0) of the first sample, inside the halo.
  package var base: UnsafeMutableRawPointer
  package var element = ElementType.float32
  package var height: Int, width: Int, channels: Int
  /// Elements between samples and between image rows.
  package var sampleStride: Int, rowStride: Int
  /// 0: holds the minibatch. Otherwise elements between the threads' copies, each of one shard.
  package var threadStride = 0
  /// Elements from a sample's start to its element (0, 0, 0).
  package var haloElements = 0

  package init(
    base: UnsafeMutableRawPointer, element: ElementType = .float32, height: Int, width: Int, channels: Int,
    sampleStride: Int, rowStride: Int, threadStride: Int = 0, haloElements: Int = 0
  ) {
    self.base = base
    self.element = element
    (self.height, self.width, self.channels) = (height, width, channels)
    (self.sampleStride, self.rowStride) = (sampleStride, rowStride)
    self.threadStride = threadStride
    self.haloElements = haloElements
  }

  /// The values of a tensor of fp32.
  package var floats: UnsafeMutablePointer<Float> { base.assumingMemoryBound(to: Float.self) }

  /// The value so many elements behind the first, whatever its type.
  package func value(at element: Int) -> Float {
    switch self.element {
    case .float32: floats[element]
    case .bfloat16: Float(bitPattern: UInt32(base.assumingMemoryBound(to: UInt16.self)[element]) << 16)
    }
  }

  var kernel: mtlf_tensor {
    mtlf_tensor(
      view: mtlf_view(
        data: base, element: element.kernel, height: Int32(height), width: Int32(width), channels: Int32(channels),
        sample_stride: sampleStride, row_stride: rowStride), thread_stride: threadStride)
  }
}

extension KernelTensor? {
  /// A tensor that isn't there has no data.
  var kernel: mtlf_tensor { self?.kernel ?? mtlf_tensor() }
}
