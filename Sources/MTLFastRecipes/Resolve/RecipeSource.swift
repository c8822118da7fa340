// SPDX-License-Identifier: Apache-2.0
// A recipe's text, found by its built-in name, its file or its run folder.

import Files
import MTLFast

/// The text of a recipe and the name that errors about it begin with.
public struct RecipeSource: Sendable {
  public let name: String
  public let text: String
  /// The folder of the recipe's file, in which its paths are looked for; nil for a built-in recipe.
  public let folder: String?

  public init(name: String, text: String, folder: String? = nil) {
    self.name = name
    self.text = text
    self.folder = folder
  }

  private init(file: String) throws {
    self.init(name: file, text: try Self.read(file), folder: FilePath.folder(of: file))
  }

  /// Finds a recipe by built-in name (`fashion-mnist`), file (`my.yaml`) or run folder (`runs/latest`).
  ///
  /// - Throws: `MTLFastError` of kind `missingInput` where there is none, with the built-in names and the nearest one.
  public static func find(_ name: String) throws -> RecipeSource {
    if let recipe = BuiltInRecipe.all.first(where: { $0.name == name }) {
      return RecipeSource(name: "\(name).yaml", text: recipe.text)
    }
    switch FilePath.kind(of: name) {
    case .folder?:
      let file = FilePath.join(name, "recipe.yaml")
      guard FilePath.exists(file) else {
        throw MTLFastError(.missingInput, "\(name): is a folder without recipe.yaml, so it is no run.")
      }
      return try RecipeSource(file: file)
    case _?:
      if let data = dataExample(ofFile: name) {
        throw MTLFastError(.badData, "\(name): is no recipe (YAML). A recipe names its data: data: \(data).")
      }
      return try RecipeSource(file: name)
    case nil: break
    }
    if name.contains("/") || name.hasSuffix(".yaml") || name.hasSuffix(".yml") {
      throw MTLFastError(.missingInput, "\(name): no such file.")
    }
    throw MTLFastError(
      .missingInput,
      "Recipe '\(name)' is not known. Built-in recipes: \(BuiltInRecipe.names.sorted().joined(separator: ", "))."
        + (nearest(to: name, among: BuiltInRecipe.names).map { " Did you mean '\($0)'?" } ?? "")
        + " A recipe of your own is given as its file: my.yaml.")
  }

  /// The recipe with overrides applied.
  public func recipe(overrides: [RecipeOverride] = []) throws -> Recipe {
    try Recipe.parse(text, file: name, overrides: overrides)
  }

  /// How a recipe names a data file of this ending; nil for other endings.
  private static func dataExample(ofFile name: String) -> String? {
    switch FilePath.ending(of: name) {
    case "csv": return "{format: csv, path: \(name)}"
    case "npz", "npy": return "{format: npz, training: \(name)}"
    case "png", "jpg", "jpeg": return "{format: images, path: TABLE.csv, images: COLUMN}"
    case "gz", "idx": return "{format: csv, path: \(name)}, or format: idx"
    default: return nil
    }
  }

  private static func read(_ path: String) throws -> String {
    let file = try WholeFile(path: path)
    guard let text = withExtendedLifetime(file, { String(validating: file.bytes, as: UTF8.self) }) else {
      throw MTLFastError(.badData, "\(path): is not UTF-8 text, so it is no recipe.")
    }
    return text
  }
}
