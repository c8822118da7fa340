// SPDX-License-Identifier: Apache-2.0
// Activations beside ReLU and sigmoid, as layers of their own: `Activation` says what they are.

/// x / 2 * (1 + erf(x / sqrt 2)).
public struct GELU: Layer, Hashable {
  public static let kind = "gelu"
  public var graphLayer: GraphLayer { .gelu(self) }
  public init() {}
  public func outputShape(for input: Shape) throws -> Shape { input }
  public var settings: String { "" }
}

/// x / (1 + exp(-x)).
public struct SiLU: Layer, Hashable {
  public static let kind = "silu"
  public var graphLayer: GraphLayer { .silu(self) }
  public init() {}
  public func outputShape(for input: Shape) throws -> Shape { input }
  public var settings: String { "" }
}

/// The hyperbolic tangent.
public struct Tanh: Layer, Hashable {
  public static let kind = "tanh"
  public var graphLayer: GraphLayer { .tanh(self) }
  public init() {}
  public func outputShape(for input: Shape) throws -> Shape { input }
  public var settings: String { "" }
}

/// x where it is positive, 0.01 x otherwise.
public struct LeakyReLU: Layer, Hashable {
  public static let kind = "leaky_relu"
  public var graphLayer: GraphLayer { .leakyReLU(self) }
  public init() {}
  public func outputShape(for input: Shape) throws -> Shape { input }
  public var settings: String { "" }
}
