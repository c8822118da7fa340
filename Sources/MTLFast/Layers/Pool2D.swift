// SPDX-License-Identifier: Apache-2.0
// Max and average pooling, over windows and over the whole image.

/// Max pooling: `[H, W, C]` to `[OH, OW, C]`. Ties go to the first element in row-major order; NaN propagates.
public struct MaxPool2D: Pool2D, Hashable {
  public static let kind = "max_pool2d"
  public var graphLayer: GraphLayer { .maxPool2D(self) }
  public let poolHeight: Int, poolWidth: Int
  public let strideHeight: Int, strideWidth: Int
  public let padding: Padding

  public init(poolSize: (height: Int, width: Int), stride: (height: Int, width: Int)? = nil, padding: Padding = .valid)
  {
    (poolHeight, poolWidth) = poolSize
    (strideHeight, strideWidth) = stride ?? poolSize
    self.padding = padding
  }
}

/// Average pooling: `[H, W, C]` to `[OH, OW, C]`. Padding is left out of the count.
public struct AvgPool2D: Pool2D, Hashable {
  public static let kind = "avg_pool2d"
  public var graphLayer: GraphLayer { .avgPool2D(self) }
  public let poolHeight: Int, poolWidth: Int
  public let strideHeight: Int, strideWidth: Int
  public let padding: Padding

  public init(poolSize: (height: Int, width: Int), stride: (height: Int, width: Int)? = nil, padding: Padding = .valid)
  {
    (poolHeight, poolWidth) = poolSize
    (strideHeight, strideWidth) = stride ?? poolSize
    self.padding = padding
  }
}

/// What max and average pooling share.
public protocol Pool2D: Layer {
  var poolHeight: Int { get }
  var poolWidth: Int { get }
  var strideHeight: Int { get }
  var strideWidth: Int { get }
  var padding: Padding { get }
  init(poolSize: (height: Int, width: Int), stride: (height: Int, width: Int)?, padding: Padding)
}

extension Pool2D {
  /// A square window; the stride is the window unless given.
  public init(poolSize: Int, stride: Int? = nil, padding: Padding = .valid) {
    self.init(poolSize: (poolSize, poolSize), stride: stride.map { ($0, $0) }, padding: padding)
  }

  public func geometry(for input: Shape) throws -> WindowGeometry {
    try WindowGeometry(
      input: input, kernelSize: (poolHeight, poolWidth), stride: (strideHeight, strideWidth), padding: padding,
      of: Self.kind)
  }

  public func outputShape(for input: Shape) throws -> Shape {
    let geometry = try geometry(for: input)
    return .image(height: geometry.outputHeight, width: geometry.outputWidth, channels: input.channels)
  }

  public var settings: String {
    var words = ["\(poolHeight)x\(poolWidth)"]
    if (strideHeight, strideWidth) != (poolHeight, poolWidth) { words.append("stride \(strideHeight)x\(strideWidth)") }
    if padding != .valid { words.append("\(padding)") }
    return words.joined(separator: ", ")
  }
}

/// The mean of each channel over the whole image: `[H, W, C]` to `[C]`.
public struct GlobalAveragePool2D: Layer, Hashable {
  public static let kind = "global_average_pool2d"
  public var graphLayer: GraphLayer { .globalAveragePool2D(self) }
  public init() {}

  public func outputShape(for input: Shape) throws -> Shape {
    _ = try geometry(for: input)
    return .vector(input.channels)
  }

  /// A window that covers the image.
  public func geometry(for input: Shape) throws -> WindowGeometry {
    try WindowGeometry(
      input: input, kernelSize: (input.height, input.width), stride: (1, 1), padding: .valid, of: Self.kind)
  }
  public var settings: String { "" }
}
