// SPDX-License-Identifier: Apache-2.0
// Normalisation over the minibatch.

import Files

/// Batch normalisation of each channel, over the minibatch and the pixels:
///
///     output = gamma * (input - mean) / sqrt(variance + epsilon) + beta
///
/// In training mean and (biased) variance are those of the minibatch, and running = momentum * running + (1 - momentum) *
/// batch; otherwise they are the running ones (Ioffe and Szegedy, Batch Normalization, 2015).
///
/// Parameters: gamma `[C]`, beta `[C]`; running_mean `[C]` and running_variance `[C]` are kept, not trained.
public struct BatchNorm: Layer, Hashable {
  public static let kind = "batch_norm"
  public var graphLayer: GraphLayer { .batchNorm(self) }
  public let momentum: Float
  public let epsilon: Float

  public init(momentum: Float = 0.99, epsilon: Float = 0.001) {
    self.momentum = momentum
    self.epsilon = epsilon
  }

  public func outputShape(for input: Shape) throws -> Shape {
    guard momentum >= 0, momentum < 1 else {
      throw MTLFastError(.usage, "batch_norm: momentum is \(momentum). Use 0 or more and less than 1.")
    }
    guard epsilon > 0, epsilon.isFinite else {
      throw MTLFastError(.usage, "batch_norm: epsilon is \(epsilon). Use a number above 0.")
    }
    return input
  }

  public func parameters(for input: Shape) -> [ParameterSpecification] {
    func specification(_ role: ParameterSpecification.Role, _ initializer: Initializer) -> ParameterSpecification {
      ParameterSpecification(
        role: role, dimensions: [input.channels], fanIn: 1, fanOut: 1, initializer: initializer)
    }
    return [
      specification(.gamma, .ones), specification(.beta, .zeros), specification(.runningMean, .zeros),
      specification(.runningVariance, .ones),
    ]
  }

  public var settings: String { "momentum \(momentum), epsilon \(epsilon)" }
}
