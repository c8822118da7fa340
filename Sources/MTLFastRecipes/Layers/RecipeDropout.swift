// SPDX-License-Identifier: Apache-2.0
// Dropout in recipes.

import MTLFast

extension Dropout: RecipeLayer {
  static var variant: Variant<GraphLayer> {
    let rate = Key<Self, Float>.required(
      "rate", .number(.belowOne), "The share of elements that are set to 0 in training", get: \.rate)
    let schema = MappingSchema([AnyKey(rate)], shorthand: "rate") { values throws(RecipeMistake) in
      Dropout(rate: values[rate])
    }
    return variant("Sets elements to 0 at random in training and scales the others up", schema, example: "0.5")
  }
}
