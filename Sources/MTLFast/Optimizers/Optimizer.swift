// SPDX-License-Identifier: Apache-2.0
// The rule that turns gradients into new weights.

import Files

/// An optimizer with its settings.
public enum Optimizer: Sendable, Hashable {
  /// Adam: m and v bias-corrected by the step number, epsilon added after the square root of the corrected v
  /// (Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015). With weight decay AdamW: kernels, not biases, also
  /// lose learningRate * weightDecay of themselves (Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019).
  case adam(
    learningRate: Float = 1e-3, beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-7, weightDecay: Float = 0)
  /// v = momentum * v + gradient; w -= learningRate * v (Sutskever et al., On the importance of initialization and
  /// momentum, 2013). Weight decay is L2: weightDecay * w is added to the gradient of kernels.
  case sgd(learningRate: Float = 0.01, momentum: Float = 0, weightDecay: Float = 0)

  /// Before a schedule's factor.
  public var learningRate: Float {
    switch self {
    case .adam(let learningRate, _, _, _, _), .sgd(let learningRate, _, _): learningRate
    }
  }

  /// - Throws: `MTLFastError` of kind `usage` for a setting outside its range.
  public func validate() throws {
    func check(_ name: String, _ value: Float, _ isValid: Bool, _ range: String) throws {
      guard isValid && value.isFinite else {
        throw MTLFastError(.usage, "optimizer: \(name) is \(value). Use \(range).")
      }
    }
    switch self {
    case .adam(let learningRate, let beta1, let beta2, let epsilon, let weightDecay):
      try check("learning_rate", learningRate, learningRate > 0, "a number above 0")
      try check("beta1", beta1, beta1 >= 0 && beta1 < 1, "0 or more and less than 1")
      try check("beta2", beta2, beta2 >= 0 && beta2 < 1, "0 or more and less than 1")
      try check("epsilon", epsilon, epsilon > 0, "a number above 0")
      try check("weight_decay", weightDecay, weightDecay >= 0, "a number of 0 or more")
    case .sgd(let learningRate, let momentum, let weightDecay):
      try check("learning_rate", learningRate, learningRate > 0, "a number above 0")
      try check("momentum", momentum, momentum >= 0 && momentum < 1, "0 or more and less than 1")
      try check("weight_decay", weightDecay, weightDecay >= 0, "a number of 0 or more")
    }
  }
}
