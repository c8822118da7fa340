// SPDX-License-Identifier: Apache-2.0
// 2-D convolution of each channel by itself.

/// 2-D convolution of each channel with a filter of its own, with bias and an activation: images `[H, W, C]` to
/// `[OH, OW, C]` (Howard et al., MobileNets, 2017).
///
///     output[oh, ow, c] = act(bias[c] + sum over (r, s) of input[oh*stride + r - pad, ow*stride + s - pad, c] * kernel[r, s, c])
///
/// Parameters: kernel `[KH, KW, C]`, bias `[C]`.
public struct DepthwiseConv2D: Layer, Hashable {
  public static let kind = "depthwise_conv2d"
  public var graphLayer: GraphLayer { .depthwiseConv2D(self) }
  public let kernelHeight: Int, kernelWidth: Int
  public let strideHeight: Int, strideWidth: Int
  public let padding: Padding
  public let activation: Activation
  public let initializer: Initializer

  public init(
    kernelSize: (height: Int, width: Int), stride: (height: Int, width: Int) = (1, 1), padding: Padding = .valid,
    activation: Activation = .none, initializer: Initializer = .glorotUniform
  ) {
    (kernelHeight, kernelWidth) = kernelSize
    (strideHeight, strideWidth) = stride
    self.padding = padding
    self.activation = activation
    self.initializer = initializer
  }

  public init(
    kernelSize: Int, stride: Int = 1, padding: Padding = .valid, activation: Activation = .none,
    initializer: Initializer = .glorotUniform
  ) {
    self.init(
      kernelSize: (kernelSize, kernelSize), stride: (stride, stride), padding: padding, activation: activation,
      initializer: initializer)
  }

  public func geometry(for input: Shape) throws -> WindowGeometry {
    try WindowGeometry(
      input: input, kernelSize: (kernelHeight, kernelWidth), stride: (strideHeight, strideWidth), padding: padding,
      of: Self.kind)
  }

  public func outputShape(for input: Shape) throws -> Shape {
    let geometry = try geometry(for: input)
    return .image(height: geometry.outputHeight, width: geometry.outputWidth, channels: input.channels)
  }

  /// The fans are those of one channel.
  public func parameters(for input: Shape) -> [ParameterSpecification] {
    let fan = kernelHeight * kernelWidth
    return [
      ParameterSpecification(
        role: .kernel, dimensions: [kernelHeight, kernelWidth, input.channels], fanIn: fan, fanOut: fan,
        initializer: initializer),
      ParameterSpecification(
        role: .bias, dimensions: [input.channels], fanIn: fan, fanOut: fan, initializer: .zeros),
    ]
  }

  public func forwardFlops(for input: Shape) -> Int {
    guard let geometry = try? geometry(for: input) else { return 0 }
    return 2 * geometry.validTaps * input.channels
  }

  public var settings: String {
    var words = ["\(kernelHeight)x\(kernelWidth)"]
    if (strideHeight, strideWidth) != (1, 1) { words.append("stride \(strideHeight)x\(strideWidth)") }
    words.append("\(padding)")
    if activation != .none { words.append(activation.rawValue) }
    return words.joined(separator: ", ")
  }
}
