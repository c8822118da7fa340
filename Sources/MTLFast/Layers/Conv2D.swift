// SPDX-License-Identifier: Apache-2.0
// 2-D convolution.

import Files

/// 2-D convolution with bias and an activation: images `[H, W, C_in]` to `[OH, OW, filters]`.
///
///     output[oh, ow, k] = act(bias[k] + sum over (r, s, c) of input[oh*stride + r - pad, ow*stride + s - pad, c] * kernel[r, s, c, k])
///
/// Parameters: kernel `[KH, KW, C_in, filters]`, bias `[filters]`.
public struct Conv2D: Layer, Hashable {
  public static let kind = "conv2d"
  public var graphLayer: GraphLayer { .conv2D(self) }
  public let filters: Int
  public let kernelHeight: Int, kernelWidth: Int
  public let strideHeight: Int, strideWidth: Int
  public let padding: Padding
  public let activation: Activation
  public let initializer: Initializer

  public init(
    filters: Int, kernelSize: (height: Int, width: Int), stride: (height: Int, width: Int) = (1, 1),
    padding: Padding = .valid, activation: Activation = .none, initializer: Initializer = .glorotUniform
  ) {
    self.filters = filters
    (kernelHeight, kernelWidth) = kernelSize
    (strideHeight, strideWidth) = stride
    self.padding = padding
    self.activation = activation
    self.initializer = initializer
  }

  public init(
    filters: Int, kernelSize: Int, stride: Int = 1, padding: Padding = .valid, activation: Activation = .none,
    initializer: Initializer = .glorotUniform
  ) {
    self.init(
      filters: filters, kernelSize: (kernelSize, kernelSize), stride: (stride, stride), padding: padding,
      activation: activation, initializer: initializer)
  }

  public func geometry(for input: Shape) throws -> WindowGeometry {
    try WindowGeometry(
      input: input, kernelSize: (kernelHeight, kernelWidth), stride: (strideHeight, strideWidth), padding: padding,
      of: Self.kind)
  }

  public func outputShape(for input: Shape) throws -> Shape {
    guard (1...1 << 20).contains(filters) else {
      throw MTLFastError(.usage, "conv2d: filters is \(filters). Use 1...\(1 << 20).")
    }
    let geometry = try geometry(for: input)
    return .image(height: geometry.outputHeight, width: geometry.outputWidth, channels: filters)
  }

  public func parameters(for input: Shape) -> [ParameterSpecification] {
    let fanIn = kernelHeight * kernelWidth * input.channels
    let fanOut = kernelHeight * kernelWidth * filters
    return [
      ParameterSpecification(
        role: .kernel, dimensions: [kernelHeight, kernelWidth, input.channels, filters], fanIn: fanIn, fanOut: fanOut,
        initializer: initializer),
      ParameterSpecification(role: .bias, dimensions: [filters], fanIn: fanIn, fanOut: fanOut, initializer: .zeros),
    ]
  }

  public func forwardFlops(for input: Shape) -> Int {
    guard let geometry = try? geometry(for: input) else { return 0 }
    return 2 * geometry.validTaps * input.channels * filters
  }

  public var settings: String {
    var words = ["\(filters)@\(kernelHeight)x\(kernelWidth)"]
    if (strideHeight, strideWidth) != (1, 1) { words.append("stride \(strideHeight)x\(strideWidth)") }
    words.append("\(padding)")
    if activation != .none { words.append(activation.rawValue) }
    return words.joined(separator: ", ")
  }
}
