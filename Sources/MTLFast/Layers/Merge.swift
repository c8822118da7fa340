// SPDX-License-Identifier: Apache-2.0
// Layers that read several nodes: concatenation and sum.

import Files

/// A layer with any number of inputs, two or more.
public protocol MergeLayer: Layer {
  /// The shape of one output sample.
  ///
  /// - Throws: `MTLFastError` of kind `usage` that names the shapes that don't fit together.
  func outputShape(merging inputs: [Shape]) throws -> Shape
}

extension MergeLayer {
  public func outputShape(for input: Shape) throws -> Shape {
    throw MTLFastError(.usage, "\(Self.kind): reads two or more nodes but was given one. Name them all in 'from'.")
  }
  public var settings: String { "" }
}

/// Vectors `[K_i]` to `[sum of K_i]`; images `[H, W, C_i]` of one size to `[H, W, sum of C_i]`, in the order of the inputs.
public struct Concatenate: MergeLayer, Hashable {
  public static let kind = "concatenate"
  public var graphLayer: GraphLayer { .concatenate(self) }
  public init() {}

  public func outputShape(merging inputs: [Shape]) throws -> Shape {
    guard let first = inputs.first, inputs.count >= 2 else { return try outputShape(for: inputs.first ?? .vector(1)) }
    var channels = 0
    for shape in inputs {
      guard shape.isImage == first.isImage, shape.height == first.height, shape.width == first.width else {
        throw MTLFastError(
          .usage,
          "concatenate: \(first) and \(shape) don't fit together. Its inputs are vectors, or images of the same height and width."
        )
      }
      channels += shape.channels
    }
    return first.isImage
      ? .image(height: first.height, width: first.width, channels: channels) : .vector(channels)
  }
}

/// The sum of tensors of one shape: a residual connection
/// (He et al., Deep Residual Learning for Image Recognition, 2016).
public struct Add: MergeLayer, Hashable {
  public static let kind = "add"
  public var graphLayer: GraphLayer { .add(self) }
  public init() {}

  public func outputShape(merging inputs: [Shape]) throws -> Shape {
    guard let first = inputs.first, inputs.count >= 2 else { return try outputShape(for: inputs.first ?? .vector(1)) }
    if let other = inputs.first(where: { $0 != first }) {
      throw MTLFastError(.usage, "add: \(first) and \(other) can't be added. Its inputs have one shape.")
    }
    return first
  }
}
