// SPDX-License-Identifier: Apache-2.0
// Dense layers in recipes.

import MTLFast

extension Dense: RecipeLayer {
  static var variant: Variant<GraphLayer> {
    let units = Key<Self, Int>.required(
      "units", .integer(RecipeLayerLimits.units), "How many numbers come out", get: \.units)
    let activation = Key<Self, Activation>.activation(get: \.activation)
    let initializer = Key<Self, Initializer>.initializer(get: \.initializer)
    let schema = MappingSchema([AnyKey(units), AnyKey(activation), AnyKey(initializer)], shorthand: "units") {
      values throws(RecipeMistake) in
      Dense(units: values[units], activation: values[activation], initializer: values[initializer])
    }
    return variant("Every output reads every input, with bias: [K] to [units]", schema, example: "10")
  }
}
