// SPDX-License-Identifier: Apache-2.0
// Layer normalisation in recipes.

import MTLFast

extension LayerNorm: RecipeLayer {
  static var variant: Variant<GraphLayer> {
    let epsilon = Key<Self, Float>.standard(
      "epsilon", .number(.positive), LayerNorm().epsilon, "Added to the variance", get: \.epsilon)
    return variant(
      "The channels of each place get mean 0 and deviation 1, then a learnt scale and shift",
      MappingSchema([AnyKey(epsilon)]) { values throws(RecipeMistake) in LayerNorm(epsilon: values[epsilon]) },
      plain: LayerNorm())
  }
}
