// SPDX-License-Identifier: Apache-2.0
// Depthwise convolutions in recipes.

import MTLFast

extension DepthwiseConv2D: RecipeLayer {
  static var variant: Variant<GraphLayer> {
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
      [AnyKey(kernel), AnyKey(stride), AnyKey(padding), AnyKey(activation), AnyKey(initializer)],
      later: [(key: "dilation", instead: "Use a larger kernel."), (key: "filters", instead: "Put a conv2d behind it.")]
    ) { values throws(RecipeMistake) in
      DepthwiseConv2D(
        kernelSize: values[kernel].pair, stride: values[stride].pair, padding: values[padding],
        activation: values[activation], initializer: values[initializer])
    }
    return variant(
      "A convolution of each channel by itself, with bias: [H, W, C] to [H', W', C]", schema, example: "{kernel: 3}")
  }
}
