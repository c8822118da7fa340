// SPDX-License-Identifier: Apache-2.0
// Who stands at the boundaries of training steps.

import MTLFastStep

/// A step that stands still at a boundary.
package struct StepPlace {
  package let boundary: StepBoundary
  /// The step, whose values and gradients may be read and changed in place.
  package let step: CompiledStep
  /// Each head's loss of this minibatch, without its weight; nil where no sample has a label.
  package let losses: [Double?]
  /// Samples of the minibatch.
  package let sampleCount: Int
}

/// Acts between the programs of training steps. A step is cut at the boundaries that the host names, nowhere else.
package protocol StepHost: AnyObject {
  var boundaries: Set<StepBoundary> { get }

  /// - Returns: where losses are complete, the weights of the heads in this step; nil to leave them. Records go on to show
  ///   the loss by the heads' own weights, so that steps can be compared.
  func act(_ place: StepPlace) throws -> [Float]?
}
