// SPDX-License-Identifier: Apache-2.0
// Pools in recipes.

import MTLFast

extension MaxPool2D: RecipePool2D {
  static var sentence: String { "The largest value of each window: [H, W, C] to [H', W', C]" }
}
extension AvgPool2D: RecipePool2D {
  static var sentence: String { "The mean of each window, without what padding adds: [H, W, C] to [H', W', C]" }
}
extension GlobalAveragePool2D: PlainRecipeLayer {
  static var sentence: String { "The mean of each channel: [H, W, C] to [C]" }
}

/// A pool over windows.
protocol RecipePool2D: RecipeLayer, Pool2D {
  /// What it does, in a sentence without a full stop.
  static var sentence: String { get }
}

extension RecipePool2D {
  static var variant: Variant<GraphLayer> {
    let size = Key<Self, Size>.required(
      "size", .size(RecipeLayerLimits.window), "Height and width of the window",
      get: { Size($0.poolHeight, $0.poolWidth) })
    let stride = Key<Self, Size>.optional(
      "stride", .size(RecipeLayerLimits.window), "How far the window moves; without it by its own size",
      get: { Size($0.strideHeight, $0.strideWidth) })
    let padding = Key<Self, Padding>.padding(get: \.padding)
    let schema = MappingSchema([AnyKey(size), AnyKey(stride), AnyKey(padding)], shorthand: "size") {
      values throws(RecipeMistake) in
      Self(poolSize: values[size].pair, stride: values.given(stride)?.pair, padding: values[padding])
    }
    return variant(sentence, schema, example: "2")
  }
}
