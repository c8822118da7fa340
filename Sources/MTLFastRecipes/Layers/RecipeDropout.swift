// SPDX-License-Identifier: Apache-2.0
// Dropout in recipes.

import MTLFast

extension Dropout: RecipeLayer {
  static var example: String { "0.5" }

  init(settings: YAMLNode) throws {
    let value =
      settings.isMapping ? try MappingReader(settings, Self.kind, known: ["rate"]).required("rate") : settings
    self.init(rate: try value.number("rate", "a number from 0 to less than 1") { $0 >= 0 && $0 < 1 })
  }

  var recipeText: String { "dropout: {rate: \(shortText(rate))}" }
}
