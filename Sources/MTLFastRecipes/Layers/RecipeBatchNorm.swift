// SPDX-License-Identifier: Apache-2.0
// Batch normalisation in recipes.

import MTLFast

extension BatchNorm: RecipeLayer {
  static var variant: Variant<GraphLayer> {
    let momentum = Key<Self, Float>.standard(
      "momentum", .number(.belowOne), BatchNorm().momentum, "How much of the running statistics stays in a step",
      get: \.momentum)
    let epsilon = Key<Self, Float>.standard(
      "epsilon", .number(.positive), BatchNorm().epsilon, "Added to the variance", get: \.epsilon)
    return variant(
      "Each channel gets mean 0 and deviation 1 over the minibatch, then a learnt scale and shift",
      MappingSchema([AnyKey(momentum), AnyKey(epsilon)]) { values throws(RecipeMistake) in
        BatchNorm(momentum: values[momentum], epsilon: values[epsilon])
      }, plain: BatchNorm())
  }
}
