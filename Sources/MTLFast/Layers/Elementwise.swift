// SPDX-License-Identifier: Apache-2.0
// Layers that work on each element: ReLU, sigmoid, dropout.

import Files

/// max(0, x). Its derivative at 0 is 0; NaN propagates.
public struct ReLU: Layer, Hashable {
  public static let kind = "relu"
  public var graphLayer: GraphLayer { .relu(self) }
  public init() {}
  public func outputShape(for input: Shape) throws -> Shape { input }
  public var settings: String { "" }
}

/// 1 / (1 + exp(-x)).
public struct Sigmoid: Layer, Hashable {
  public static let kind = "sigmoid"
  public var graphLayer: GraphLayer { .sigmoid(self) }
  public init() {}
  public func outputShape(for input: Shape) throws -> Shape { input }
  public var settings: String { "" }
}

/// In training, zeroes each element with probability `rate` and scales the others by 1 / (1 - rate); otherwise the identity.
///
/// The draw is keyed by (seed, node, epoch, sample, element), so that it depends on neither thread count nor batch size
/// (Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting, 2014).
public struct Dropout: Layer, Hashable {
  public static let kind = "dropout"
  public var graphLayer: GraphLayer { .dropout(self) }
  public let rate: Float

  public init(rate: Float) { self.rate = rate }

  public func outputShape(for input: Shape) throws -> Shape {
    guard rate >= 0, rate < 1 else {
      throw MTLFastError(.usage, "dropout: rate is \(rate). Use 0 or more and less than 1.")
    }
    return input
  }
  public var settings: String { "\(rate)" }
}
