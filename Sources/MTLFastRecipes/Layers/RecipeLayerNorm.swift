// SPDX-License-Identifier: Apache-2.0
// Layer normalisation in recipes.

import MTLFast

extension LayerNorm: RecipeLayer {
  static var plain: LayerNorm? { LayerNorm() }
  static var example: String { "{epsilon: 0.001}" }

  init(settings: YAMLNode) throws {
    let reader = try MappingReader(settings, Self.kind, known: ["epsilon"])
    self.init(
      epsilon: try reader.optional("epsilon")?.number("epsilon", "a number above 0") { $0 > 0 } ?? LayerNorm().epsilon)
  }

  var recipeText: String { "layer_norm: {epsilon: \(shortText(epsilon))}" }
}
