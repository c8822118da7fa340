// SPDX-License-Identifier: Apache-2.0
// Pools in recipes.

import MTLFast

extension MaxPool2D: RecipePool2D {}
extension AvgPool2D: RecipePool2D {}

/// A pool over windows.
protocol RecipePool2D: RecipeLayer, Pool2D {}

extension RecipePool2D {
  static var example: String { "2" }

  init(settings: YAMLNode) throws {
    if !settings.isMapping {
      self.init(
        poolSize: try settings.size(Self.kind, in: 1...RecipeLayerLimits.window), stride: nil, padding: .valid)
      return
    }
    let reader = try MappingReader(settings, Self.kind, known: ["size", "stride", "padding"])
    self.init(
      poolSize: try reader.required("size").size("size", in: 1...RecipeLayerLimits.window),
      stride: try reader.optional("stride")?.size("stride", in: 1...RecipeLayerLimits.window),
      padding: try reader.optional("padding")?.padding() ?? .valid)
  }

  var recipeText: String {
    "\(Self.kind): {size: \(sizeText(poolHeight, poolWidth)), stride: \(sizeText(strideHeight, strideWidth)), padding: \(padding)}"
  }
}
