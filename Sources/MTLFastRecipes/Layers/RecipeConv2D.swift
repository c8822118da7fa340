// SPDX-License-Identifier: Apache-2.0
// Convolutions in recipes.

import MTLFast

extension Conv2D: RecipeLayer {
  static var variant: Variant<GraphLayer> {
    let filters = Key<Self, Int>.required(
      "filters", .integer(RecipeLayerLimits.units), "How many channels come out", get: \.filters)
    let kernel = Key<Self, Size>.required(
      "kernel", .size(RecipeLayerLimits.window), "Height and width of the window",
      get: { Size($0.kernelHeight, $0.kernelWidth) })
    let stride = Key<Self, Size>.standard(
      "stride", .size(RecipeLayerLimits.window), Size(1, 1), "How far the window moves",
      get: { Size($0.strideHeight, $0.strideWidth) })
    let padding = Key<Self, Padding>.padding(get: \.padding)
    let activation = Key<Self, Activation>.activation(get: \.activation)
    let initializer = Key<Self, Initializer>.initializer(get: \.initializer)
    let schema = MappingSchema(
      [
        AnyKey(filters), AnyKey(kernel), AnyKey(stride), AnyKey(padding), AnyKey(activation), AnyKey(initializer),
      ], later: [(key: "dilation", instead: "Use a larger kernel.")]
    ) { values throws(RecipeMistake) in
      Conv2D(
        filters: values[filters], kernelSize: values[kernel].pair, stride: values[stride].pair,
        padding: values[padding], activation: values[activation], initializer: values[initializer])
    }
    return variant(
      "A convolution with bias, each filter over all channels: [H, W, C] to [H', W', filters]", schema,
      example: "{filters: 32, kernel: 3}")
  }
}
