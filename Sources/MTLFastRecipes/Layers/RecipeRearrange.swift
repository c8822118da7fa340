// SPDX-License-Identifier: Apache-2.0
// Layers that move elements, in recipes.

import MTLFast

extension Reshape: RecipeLayer {
  static var example: String { "[8, 8, 64]" }

  init(settings: YAMLNode) throws {
    let sizes = try settings.items(Self.kind).map { try $0.integer(Self.kind, in: 1...RecipeLayerLimits.units) }
    guard sizes.count == 1 || sizes.count == 3 else {
      throw settings.location.error("reshape must be [height, width, channels] or [count]. Received: \(sizes).")
    }
    self.init(Shape(sizes))
  }

  var recipeText: String { "reshape: \(yamlList(shape.dimensions))" }
}

extension Upsample2D: RecipeLayer {
  static var example: String { "2" }

  init(settings: YAMLNode) throws {
    let value =
      settings.isMapping ? try MappingReader(settings, Self.kind, known: ["scale"]).required("scale") : settings
    self.init(scale: try value.size("scale", in: 1...RecipeLayerLimits.window))
  }

  var recipeText: String { "upsample2d: {scale: \(sizeText(scaleHeight, scaleWidth))}" }
}
