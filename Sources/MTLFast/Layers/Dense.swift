// SPDX-License-Identifier: Apache-2.0
// A fully connected layer.

import Files

/// A fully connected layer: vectors `[K]` to `[units]`.
///
///     output[n] = act(bias[n] + sum over k of input[k] * kernel[k, n])
///
/// Parameters: kernel `[K, units]`, bias `[units]`.
public struct Dense: Layer, Hashable {
  public static let kind = "dense"
  public var graphLayer: GraphLayer { .dense(self) }
  public let units: Int
  public let activation: Activation
  public let initializer: Initializer

  public init(units: Int, activation: Activation = .none, initializer: Initializer = .glorotUniform) {
    self.units = units
    self.activation = activation
    self.initializer = initializer
  }

  public func outputShape(for input: Shape) throws -> Shape {
    guard (1...1 << 24).contains(units) else {
      throw MTLFastError(.usage, "dense: units is \(units). Use 1...\(1 << 24).")
    }
    guard input.isVector else {
      throw MTLFastError(.usage, "dense: needs a vector [K] but its input is \(input). Put 'flatten' before it.")
    }
    return .vector(units)
  }

  public func parameters(for input: Shape) -> [ParameterSpecification] {
    [
      ParameterSpecification(
        role: .kernel, dimensions: [input.channels, units], fanIn: input.channels, fanOut: units,
        initializer: initializer),
      ParameterSpecification(
        role: .bias, dimensions: [units], fanIn: input.channels, fanOut: units, initializer: .zeros),
    ]
  }

  public func forwardFlops(for input: Shape) -> Int { 2 * input.channels * units }

  public var settings: String { activation == .none ? "\(units)" : "\(units), \(activation.rawValue)" }
}
