// SPDX-License-Identifier: Apache-2.0
// The rule that turns gradients into new weights.

import Files

/// An optimizer with its settings.
public enum Optimizer: Sendable, Hashable, CustomStringConvertible {
  case adam(Adam)
  case sgd(SGD)

  /// m and v bias-corrected by the step number, epsilon added after the square root of the corrected v
  /// (Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015). With weight decay AdamW: kernels, not biases, also
  /// lose learningRate * weightDecay of themselves (Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019).
  public struct Adam: Sendable, Hashable {
    public var learningRate: Float
    public var beta1: Float
    public var beta2: Float
    public var epsilon: Float
    public var weightDecay: Float

    public init(
      learningRate: Float = 1e-3, beta1: Float = 0.9, beta2: Float = 0.999, epsilon: Float = 1e-7,
      weightDecay: Float = 0
    ) {
      self.learningRate = learningRate
      self.beta1 = beta1
      self.beta2 = beta2
      self.epsilon = epsilon
      self.weightDecay = weightDecay
    }

    package static let settings: [Setting<Adam>] = [
      Setting("learning_rate", .positive, "The length of a step", \.learningRate),
      Setting("beta1", .belowOne, "How much of the mean gradient stays from step to step", \.beta1),
      Setting("beta2", .belowOne, "How much of the mean squared gradient stays", \.beta2),
      Setting("epsilon", .positive, "Added to the root of the mean squared gradient", \.epsilon),
      Setting(
        "weight_decay", .nonNegative, "The share of themselves that kernels lose in a step of length 1", \.weightDecay),
    ]
  }

  /// v = momentum * v + gradient; w -= learningRate * v (Sutskever et al., On the importance of initialization and
  /// momentum, 2013). Weight decay is L2: weightDecay * w is added to the gradient of kernels.
  public struct SGD: Sendable, Hashable {
    public var learningRate: Float
    public var momentum: Float
    public var weightDecay: Float

    public init(learningRate: Float = 0.01, momentum: Float = 0, weightDecay: Float = 0) {
      self.learningRate = learningRate
      self.momentum = momentum
      self.weightDecay = weightDecay
    }

    package static let settings: [Setting<SGD>] = [
      Setting("learning_rate", .positive, "The length of a step", \.learningRate),
      Setting("momentum", .belowOne, "How much of the last step stays in the next one", \.momentum),
      Setting("weight_decay", .nonNegative, "The factor of a kernel that is added to its gradient", \.weightDecay),
    ]
  }

  public static func adam(
    learningRate: Float = Adam().learningRate, beta1: Float = Adam().beta1, beta2: Float = Adam().beta2,
    epsilon: Float = Adam().epsilon, weightDecay: Float = Adam().weightDecay
  ) -> Optimizer {
    .adam(
      Adam(learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay))
  }

  public static func sgd(
    learningRate: Float = SGD().learningRate, momentum: Float = SGD().momentum, weightDecay: Float = SGD().weightDecay
  ) -> Optimizer {
    .sgd(SGD(learningRate: learningRate, momentum: momentum, weightDecay: weightDecay))
  }

  /// Before a schedule's factor.
  public var learningRate: Float {
    switch self {
    case .adam(let settings): settings.learningRate
    case .sgd(let settings): settings.learningRate
    }
  }

  /// `Adam, learning rate 0.001, beta1 0.9, beta2 0.999, epsilon 1e-07`; a weight decay of 0 is left out.
  public var description: String {
    func text<Owner>(_ name: String, _ owner: Owner, _ settings: [Setting<Owner>], decay: WritableKeyPath<Owner, Float>)
      -> String
    {
      let shown = settings.filter { $0.path != decay || owner[keyPath: decay] > 0 }
      return ([name] + shown.map { "\($0.title) \(owner[keyPath: $0.path])" }).joined(separator: ", ")
    }
    switch self {
    case .adam(let adam):
      return text(adam.weightDecay > 0 ? "AdamW" : "Adam", adam, Adam.settings, decay: \.weightDecay)
    case .sgd(let sgd): return text("SGD", sgd, SGD.settings, decay: \.weightDecay)
    }
  }

  /// - Throws: `MTLFastError` of kind `usage` for a setting outside its range.
  public func validate() throws {
    switch self {
    case .adam(let settings): for setting in Adam.settings { try setting.check(settings, "optimizer") }
    case .sgd(let settings): for setting in SGD.settings { try setting.check(settings, "optimizer") }
    }
  }
}
