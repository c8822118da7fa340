// SPDX-License-Identifier: Apache-2.0
// The places in a step where its host may look and act.

/// A place between two programs of a step. Nothing of it is there, and nothing is paid, unless somebody stands at it.
package enum StepBoundary: Hashable {
  /// All losses are known and no gradient is: heads may be weighed by this minibatch's losses.
  case lossesComplete
  /// The gradients that the tasks send to a node are there, each by itself; they are summed up next.
  case taskGradientsReady(node: Int)
  /// All gradients of weights are whole, and no weight has changed.
  case gradientsReady
}
