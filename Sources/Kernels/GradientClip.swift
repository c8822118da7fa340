// SPDX-License-Identifier: Apache-2.0
// The norm of all gradients of a step together.

internal import CKernels

/// Scales gradients so that the 2-norm of all of them together keeps to a limit.
package final class GradientClip {
  let pointer: UnsafeMutablePointer<mtlf_clip>

  /// - Parameter units: of the sums of squares of all weights.
  package init(limit: Float, units: Int) {
    pointer = .allocate(capacity: 1)
    pointer.initialize(to: mtlf_clip())
    pointer.pointee.limit = limit
    pointer.pointee.factor = 1
    pointer.pointee.count = Int64(units)
    pointer.pointee.squares = .allocate(capacity: max(1, units))
    pointer.pointee.squares.initialize(repeating: 0, count: max(1, units))
  }

  deinit {
    pointer.pointee.squares.deallocate()
    pointer.deallocate()
  }

  /// Of the last step.
  package var norm: Double { pointer.pointee.norm }

  /// Where the squares of a weight begin.
  func squares(from unit: Int) -> UnsafeMutablePointer<Double> { pointer.pointee.squares + unit }
}
