// SPDX-License-Identifier: Apache-2.0
// Batch normalisation in recipes.

import MTLFast

extension BatchNorm: RecipeLayer {
  static var plain: BatchNorm? { BatchNorm() }
  static var example: String { "{epsilon: 0.001}" }

  init(settings: YAMLNode) throws {
    let reader = try MappingReader(settings, Self.kind, known: ["momentum", "epsilon"])
    self.init(
      momentum: try reader.optional("momentum")?
        .number("momentum", "a number from 0 to less than 1") { $0 >= 0 && $0 < 1 } ?? BatchNorm().momentum,
      epsilon: try reader.optional("epsilon")?.number("epsilon", "a number above 0") { $0 > 0 }
        ?? BatchNorm().epsilon)
  }

  var recipeText: String { "batch_norm: {momentum: \(shortText(momentum)), epsilon: \(shortText(epsilon))}" }
}
