// SPDX-License-Identifier: Apache-2.0
// What becomes of gradients: their sum, their norm, and the update of weights.

internal import CKernels

/// Sums the groups' gradients of a weight into one, and their squares by unit.
package struct SumGradientPayload: KernelPayload {
  let weight: KernelWeight
  /// Whether the groups' gradients are one already.
  let isSummed: Bool
  /// Where the clip's squares of this weight begin.
  let squares: (clip: GradientClip, first: Int)?

  package init(weight: KernelWeight, isSummed: Bool, squares: (clip: GradientClip, first: Int)?) {
    (self.weight, self.isSummed, self.squares) = (weight, isSummed, squares)
  }

  package func encode() -> EncodedOperation {
    EncodedOperation(
      mtlf_sum_gradient_op(
        weight: UnsafePointer(weight.pointer), is_summed: isSummed ? 1 : 0,
        squares: squares.map { $0.clip.squares(from: $0.first) }),
      block: mtlf_sum_gradient_block, units: mtlf_sum_gradient_units)
  }
}

/// The norm of all gradients, and the factor that keeps it to its limit.
package struct ClipPayload: KernelPayload {
  let clip: GradientClip

  package init(_ clip: GradientClip) { self.clip = clip }

  package func encode() -> EncodedOperation {
    EncodedOperation(mtlf_clip_op(clip: clip.pointer), block: mtlf_clip_block)
  }
}

/// A weight's update from its gradient; refreshes the weight's forms.
package struct UpdatePayload: KernelPayload {
  let weight: KernelWeight
  /// Whether the groups' gradients have been summed already.
  let isSummed: Bool
  let clip: GradientClip?

  package init(weight: KernelWeight, isSummed: Bool, clip: GradientClip?) {
    (self.weight, self.isSummed, self.clip) = (weight, isSummed, clip)
  }

  package func encode() -> EncodedOperation {
    EncodedOperation(
      mtlf_update_op(
        weight: UnsafePointer(weight.pointer), is_summed: isSummed ? 1 : 0,
        clip: clip.map { UnsafePointer($0.pointer) }), block: mtlf_update_block, units: mtlf_update_units)
  }
}
