// SPDX-License-Identifier: Apache-2.0
// Depthwise convolutions in recipes.

import MTLFast

extension DepthwiseConv2D: RecipeLayer {
  static var example: String { "{kernel: 3}" }

  init(settings: YAMLNode) throws {
    let reader = try MappingReader(
      settings, Self.kind, known: ["kernel", "stride", "padding", "activation", "initializer"],
      later: [(key: "dilation", instead: "Use a larger kernel."), (key: "filters", instead: "Put a conv2d behind it.")])
    self.init(
      kernelSize: try reader.required("kernel").size("kernel", in: 1...RecipeLayerLimits.window),
      stride: try reader.optional("stride")?.size("stride", in: 1...RecipeLayerLimits.window) ?? (1, 1),
      padding: try reader.optional("padding")?.padding() ?? .valid,
      activation: try reader.optional("activation")?.choice("activation") ?? .none,
      initializer: try reader.optional("initializer")?.choice("initializer") ?? .glorotUniform)
  }

  var recipeText: String {
    "depthwise_conv2d: {kernel: \(sizeText(kernelHeight, kernelWidth)), stride: \(sizeText(strideHeight, strideWidth)), padding: \(padding), activation: \(activation.rawValue), initializer: \(initializer.rawValue)}"
  }
}
