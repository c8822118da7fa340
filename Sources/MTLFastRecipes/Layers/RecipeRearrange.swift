// SPDX-License-Identifier: Apache-2.0
// Layers that move elements, in recipes.

import MTLFast

extension Flatten: PlainRecipeLayer {
  static var sentence: String { "An image becomes a vector: [H, W, C] to [H*W*C]" }
}
extension Concatenate: PlainRecipeLayer {
  static var sentence: String { "Nodes side by side: vectors, or images of one size by their channels" }
}
extension Add: PlainRecipeLayer { static var sentence: String { "The sum of nodes of one shape" } }

extension Reshape: RecipeLayer {
  static var variant: Variant<GraphLayer> {
    let type = ValueType<Reshape>(
      .any([
        .list(.integer(RecipeLayerLimits.units), count: 1...1), .list(.integer(RecipeLayerLimits.units), count: 3...3),
      ]),
      parse: { node, name throws(RecipeMistake) in
        let sizes = try node.integers(name, name, in: RecipeLayerLimits.units)
        guard sizes.count == 1 || sizes.count == 3 else {
          throw node.location.error("reshape must be [height, width, channels] or [count]. Received: \(sizes).")
        }
        return Reshape(Shape(sizes))
      }, write: { .list($0.shape.dimensions.map { .plain($0) }) })
    return Variant(
      kind, "The same elements in another shape: [height, width, channels] or [count]", type, example: "[8, 8, 64]",
      make: \.graphLayer
    ) { $0.layer as? Reshape }
  }
}

extension Upsample2D: RecipeLayer {
  static var variant: Variant<GraphLayer> {
    let scale = Key<Self, Size>.required(
      "scale", .size(RecipeLayerLimits.window), "How often each pixel is repeated",
      get: { Size($0.scaleHeight, $0.scaleWidth) })
    let schema = MappingSchema([AnyKey(scale)], shorthand: "scale") { values throws(RecipeMistake) in
      Upsample2D(scale: values[scale].pair)
    }
    return variant(
      "Each pixel becomes a block of equal ones: [H, W, C] to [scale * H, scale * W, C]", schema, example: "2")
  }
}
