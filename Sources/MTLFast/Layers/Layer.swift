// SPDX-License-Identifier: Apache-2.0
// What every layer can say about itself.

import Files

/// A layer: a value that describes one operation of the model graph.
///
/// A layer holds settings only. Weights live in the model, buffers in the plan.
public protocol Layer: Sendable {
  /// The name of the layer in recipes, summaries and node names: `conv2d`.
  static var kind: String { get }

  /// The layer as a model graph holds it.
  var graphLayer: GraphLayer { get }

  /// The shape of one output sample.
  ///
  /// - Throws: `MTLFastError` of kind `usage` that names the shape and the setting that don't fit.
  func outputShape(for input: Shape) throws -> Shape

  /// The layer's parameter tensors for this input shape, in the order in which checkpoints list them.
  func parameters(for input: Shape) -> [ParameterSpecification]

  /// Multiply-accumulates x 2 of one sample's forward pass, over valid taps only.
  func forwardFlops(for input: Shape) -> Int

  /// The settings in the words of a recipe, for `summary`: `32, kernel 3x3, valid, relu`.
  var settings: String { get }
}

extension Layer {
  public func parameters(for input: Shape) -> [ParameterSpecification] { [] }
  public func forwardFlops(for input: Shape) -> Int { 0 }
}

/// One parameter tensor of a layer.
public struct ParameterSpecification: Hashable, Sendable {
  public enum Role: String, Sendable {
    case kernel, bias, gamma, beta
    case runningMean = "running_mean"
    case runningVariance = "running_variance"

    /// Whether the optimizer changes it. What isn't trained has no optimizer slots.
    public var isTrained: Bool { self != .runningMean && self != .runningVariance }
  }
  public let role: Role
  /// Plain layout: `[KH, KW, C_in, C_out]`, `[K, N]` or `[N]`.
  public let dimensions: [Int]
  public let fanIn: Int
  public let fanOut: Int
  public let initializer: Initializer

  public var elementCount: Int { dimensions.reduce(1, *) }
}

/// The activation that a layer applies to its result.
///
/// All of them are defined for every number; NaN propagates.
public enum Activation: String, CaseIterable, Sendable {
  case none
  /// max(0, x)
  case relu
  /// 1 / (1 + exp(-x))
  case sigmoid
  /// x / 2 * (1 + erf(x / sqrt 2)) (Hendrycks and Gimpel, Gaussian Error Linear Units, 2016), not its approximation by tanh.
  case gelu
  /// x / (1 + exp(-x)) (Elfwing et al., Sigmoid-Weighted Linear Units, 2018).
  case silu
  case tanh
  /// x where it is positive, 0.01 x otherwise (Maas et al., Rectifier Nonlinearities Improve Neural Network Acoustic
  /// Models, 2013).
  case leakyReLU = "leaky_relu"
}
