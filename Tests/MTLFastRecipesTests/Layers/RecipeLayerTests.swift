// SPDX-License-Identifier: Apache-2.0
// Every layer that there is can be named in a recipe, and written back.

import Foundation
import MTLFast
import TestSupport
import Testing

@testable import MTLFastRecipes

@Suite struct RecipeLayerTests {
  /// A forgotten entry of `recipeLayers` would leave a layer to Swift alone.
  @Test func everyLayerIsKnownToRecipesAndTold() throws {
    let folder = packageFolder.appendingPathComponent("Sources/MTLFast/Layers")
    var kinds: Set<String> = []
    for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil) {
      let text = try String(contentsOf: file, encoding: .utf8)
      for match in text.matches(of: /static let kind = "([a-z0-9_]+)"/) { kinds.insert(String(match.1)) }
    }
    #expect(kinds.count >= 14)
    #expect(Set(GraphLayer.recipeLayers.map { $0.kind }) == kinds)
    let docs = try String(contentsOf: packageFolder.appendingPathComponent("docs/recipes.md"), encoding: .utf8)
    for kind in kinds.sorted() { #expect(docs.contains("`\(kind)`"), "docs/recipes.md has no `\(kind)`") }
  }

  @Test(arguments: GraphLayer.recipeLayers.map { $0.kind }) func aLayerIsReadAsItWasWritten(kind: String) throws {
    let type = try #require(GraphLayer.recipeLayers.first { $0.kind == kind })
    func read(_ text: String) throws -> [GraphLayer] {
      let mistakes = Mistakes()
      let node = try YAMLNode.parse(text, from: .file("layers.yaml", line: 1, column: 1))
      let layers = ValueType<[GraphLayer]>.layers(of: "the test").read(node, "layers", mistakes)
      try mistakes.check()
      return try #require(layers)
    }
    let variant = type.variant
    let entries = (variant.plain == nil ? [] : [kind]) + ["\(kind): \(variant.example)"]
    for entry in entries {
      let found = try read("- \(entry)")
      let layer = try #require(found.first)
      #expect(Swift.type(of: layer.layer).kind == kind)
      #expect(try read(YAMLValue.list([GraphLayer.variants.write(layer)]).yaml()) == found)
    }
  }
}
