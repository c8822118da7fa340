// SPDX-License-Identifier: Apache-2.0
// Dense layers in recipes.

import MTLFast

extension Dense: RecipeLayer {
  static var example: String { "10" }

  init(settings: YAMLNode) throws {
    if !settings.isMapping {
      self.init(units: try settings.integer(Self.kind, in: 1...RecipeLayerLimits.units))
      return
    }
    let reader = try MappingReader(settings, Self.kind, known: ["units", "activation", "initializer"])
    self.init(
      units: try reader.required("units").integer("units", in: 1...RecipeLayerLimits.units),
      activation: try reader.optional("activation")?.choice("activation") ?? .none,
      initializer: try reader.optional("initializer")?.choice("initializer") ?? .glorotUniform)
  }

  var recipeText: String {
    "dense: {units: \(units), activation: \(activation.rawValue), initializer: \(initializer.rawValue)}"
  }
}
