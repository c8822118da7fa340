// SPDX-License-Identifier: Apache-2.0
// Layers that move elements: flatten, reshape, nearest-neighbour upsampling.

import Files

/// `[H, W, C]` to `[H*W*C]`, in row-major order.
public struct Flatten: Layer, Hashable {
  public static let kind = "flatten"
  public var graphLayer: GraphLayer { .flatten(self) }
  public init() {}
  public func outputShape(for input: Shape) throws -> Shape { .vector(input.elementCount) }
  public var settings: String { "" }
}

/// The same elements in row-major order with another shape, `[K]` or `[H, W, C]`.
public struct Reshape: Layer, Hashable {
  public static let kind = "reshape"
  public var graphLayer: GraphLayer { .reshape(self) }
  public let shape: Shape

  public init(_ shape: Shape) { self.shape = shape }

  public func outputShape(for input: Shape) throws -> Shape {
    guard shape.isImage || shape.isVector, let count = shape.checkedElementCount, count == input.elementCount else {
      throw MTLFastError(
        .usage,
        "reshape: its input \(input) has \(input.elementCount) elements but \(shape) has \(shape.checkedElementCount.map(String.init) ?? "too many"). Use a shape of as many elements."
      )
    }
    return shape
  }
  public var settings: String { "\(shape)" }
}

/// Nearest-neighbour upsampling: `[H, W, C]` to `[H * scale, W * scale, C]`.
public struct Upsample2D: Layer, Hashable {
  public static let kind = "upsample2d"
  public var graphLayer: GraphLayer { .upsample2D(self) }
  public let scaleHeight: Int, scaleWidth: Int

  public init(scale: (height: Int, width: Int)) { (scaleHeight, scaleWidth) = scale }
  public init(scale: Int = 2) { self.init(scale: (scale, scale)) }

  public func outputShape(for input: Shape) throws -> Shape {
    guard input.isImage else {
      throw MTLFastError(
        .usage, "upsample2d: needs an image [H, W, C] but its input is \(input). Put 'reshape' before it.")
    }
    guard (1...1024).contains(scaleHeight), (1...1024).contains(scaleWidth) else {
      throw MTLFastError(.usage, "upsample2d: scale is \(scaleHeight)x\(scaleWidth). Use 1...1024.")
    }
    return .image(height: input.height * scaleHeight, width: input.width * scaleWidth, channels: input.channels)
  }
  public var settings: String { "\(scaleHeight)x\(scaleWidth)" }
}
