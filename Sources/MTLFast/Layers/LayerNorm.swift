// SPDX-License-Identifier: Apache-2.0
// Normalisation over the channels of one place.

import Files

/// Layer normalisation over the channels of each pixel, or of a vector:
///
///     output = gamma * (input - mean) / sqrt(variance + epsilon) + beta
///
/// Mean and (biased) variance are those of the C values at one place of one sample, so that training, evaluation and any
/// size of minibatch do the same (Ba, Kiros and Hinton, Layer Normalization, 2016).
///
/// Parameters: gamma `[C]`, beta `[C]`.
public struct LayerNorm: Layer, Hashable {
  public static let kind = "layer_norm"
  public var graphLayer: GraphLayer { .layerNorm(self) }
  public let epsilon: Float

  public init(epsilon: Float = 0.001) { self.epsilon = epsilon }

  public func outputShape(for input: Shape) throws -> Shape {
    guard epsilon > 0, epsilon.isFinite else {
      throw MTLFastError(.usage, "layer_norm: epsilon is \(epsilon). Use a number above 0.")
    }
    return input
  }

  public func parameters(for input: Shape) -> [ParameterSpecification] {
    func specification(_ role: ParameterSpecification.Role, _ initializer: Initializer) -> ParameterSpecification {
      ParameterSpecification(
        role: role, dimensions: [input.channels], fanIn: 1, fanOut: 1, initializer: initializer)
    }
    return [specification(.gamma, .ones), specification(.beta, .zeros)]
  }

  public var settings: String { "epsilon \(epsilon)" }
}
