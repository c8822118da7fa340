// SPDX-License-Identifier: Apache-2.0
// The product of two nodes.

import Files

/// The product of two tensors of one shape, element by element: a gate, where one of them ends in a sigmoid
/// (Dauphin et al., Language Modeling with Gated Convolutional Networks, 2017).
public struct Multiply: MergeLayer, Hashable {
  public static let kind = "multiply"
  public var graphLayer: GraphLayer { .multiply(self) }
  public init() {}

  public func outputShape(merging inputs: [Shape]) throws -> Shape {
    guard let first = inputs.first, inputs.count >= 2 else { return try outputShape(for: inputs.first ?? .vector(1)) }
    guard inputs.count == 2 else {
      throw MTLFastError(.usage, "multiply: reads two nodes but was given \(inputs.count). Multiply them in turn.")
    }
    guard inputs[1] == first else {
      throw MTLFastError(
        .usage, "multiply: \(first) and \(inputs[1]) can't be multiplied. Its inputs have one shape.")
    }
    return first
  }
}
