// SPDX-License-Identifier: Apache-2.0
// The statistics of a batch normalisation, running and of the step.

internal import CKernels

/// What one batch normalisation keeps beside gamma and beta.
package final class BatchNormStatistics {
  let pointer: UnsafeMutablePointer<mtlf_batch_norm>
  private let channels: Int
  private let vectors: AlignedBuffer
  private let sums: UnsafeMutablePointer<Double>

  package init(channels: Int, momentum: Float, epsilon: Float) throws {
    self.channels = channels
    let stride = (channels + 15) / 16 * 16
    vectors = try AlignedBuffer(bytes: 8 * stride * MemoryLayout<Float>.stride, for: "batch normalisation")
    let sumCount = 2 * channels * KernelPlan.maximumGroups
    sums = .allocate(capacity: 2 * sumCount)
    sums.initialize(repeating: 0, count: 2 * sumCount)
    pointer = .allocate(capacity: 1)
    let base = vectors.floats
    pointer.initialize(
      to: mtlf_batch_norm(
        channels: Int32(channels), momentum: momentum, epsilon: epsilon, running_mean: base,
        running_variance: base + stride, mean: base + 2 * stride, inverse_deviation: base + 3 * stride,
        scale: base + 4 * stride, shift: base + 5 * stride, d_mean: base + 6 * stride,
        d_projection: base + 7 * stride, sums: sums, d_sums: sums + sumCount))
  }

  deinit {
    pointer.deallocate()
    sums.deallocate()
  }

  package func load(mean: [Float], variance: [Float]) {
    pointer.pointee.running_mean.update(from: mean, count: channels)
    pointer.pointee.running_variance.update(from: variance, count: channels)
  }

  /// Running mean and variance.
  package var running: [[Float]] {
    let statistics = pointer.pointee
    return [statistics.running_mean, statistics.running_variance].map { (values: UnsafeMutablePointer<Float>?) in
      Array(UnsafeBufferPointer(start: values, count: channels))
    }
  }
}
