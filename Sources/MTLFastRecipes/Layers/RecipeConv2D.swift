// SPDX-License-Identifier: Apache-2.0
// Convolutions in recipes.

import MTLFast

extension Conv2D: RecipeLayer {
  static var example: String { "{filters: 32, kernel: 3}" }

  init(settings: YAMLNode) throws {
    let reader = try MappingReader(
      settings, Self.kind, known: ["filters", "kernel", "stride", "padding", "activation", "initializer"],
      later: [(key: "dilation", instead: "Use a larger kernel.")])
    self.init(
      filters: try reader.required("filters").integer("filters", in: 1...RecipeLayerLimits.units),
      kernelSize: try reader.required("kernel").size("kernel", in: 1...RecipeLayerLimits.window),
      stride: try reader.optional("stride")?.size("stride", in: 1...RecipeLayerLimits.window) ?? (1, 1),
      padding: try reader.optional("padding")?.padding() ?? .valid,
      activation: try reader.optional("activation")?.choice("activation") ?? .none,
      initializer: try reader.optional("initializer")?.choice("initializer") ?? .glorotUniform)
  }

  var recipeText: String {
    "conv2d: {filters: \(filters), kernel: \(sizeText(kernelHeight, kernelWidth)), stride: \(sizeText(strideHeight, strideWidth)), padding: \(padding), activation: \(activation.rawValue), initializer: \(initializer.rawValue)}"
  }
}
