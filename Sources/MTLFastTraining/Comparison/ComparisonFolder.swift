// SPDX-License-Identifier: Apache-2.0
// The folder of a comparison and the names of what is in it.

import Files
import MTLFast

/// Holds a comparison: its recipe and settings, a run folder for each net, and at the end the result.
///
///     recipe.yaml  settings.json  seed-0/multi-task/  seed-0/item/  ...  comparison.csv  comparison.json
public struct ComparisonFolder: Sendable, Hashable {
  public let path: String

  public var recipePath: String { "\(path)/recipe.yaml" }
  private var settingsPath: String { "\(path)/\(Self.settingsName)" }
  /// What tells a comparison's folder from a run's.
  static let settingsName = "settings.json"

  /// Creates the next free `<parent>/compare-<recipe>-NNN`, or a folder of one's own choice, new or empty.
  ///
  /// - Throws: `MTLFastError` of kind `usage` where the folder holds something, `writeFailed` where it can't be made.
  public static func create(
    at path: String? = nil, for recipe: String, in parent: String = "runs", recipeText: String,
    settings: ComparisonSettings
  ) throws -> ComparisonFolder {
    if let path, let begun = try? open(path), begun.settings == settings, begun.folder.recipeText == recipeText {
      throw MTLFastError(
        .usage, "\(path): this comparison has begun there. Go on with it.", remedy: .resumingComparison(path))
    }
    let made =
      try path.map { try RunFolder.makeEmpty($0, for: "a comparison") }
      ?? "\(parent)/\(RunFolder.makeNumbered("compare-\(recipe)", in: parent))"
    let folder = ComparisonFolder(path: made)
    try folder.write(recipeText, to: "recipe.yaml")
    try folder.write(settings.json.text, to: settingsName)
    return folder
  }

  /// A comparison that was begun.
  ///
  /// - Throws: `MTLFastError` of kind `missingInput` where there is none, `badData` where its settings were changed.
  public static func open(_ path: String) throws -> (folder: ComparisonFolder, settings: ComparisonSettings) {
    let folder = ComparisonFolder(path: FilePath.withoutTrailingSlash(path))
    guard FilePath.exists(path) else { throw MTLFastError(.missingInput, "\(path): no such comparison.") }
    for file in [folder.settingsPath, folder.recipePath] where !FilePath.isReadable(file) {
      let name = file.dropFirst(folder.path.count + 1)
      throw MTLFastError(.missingInput, "\(path): has no \(name), so it is no comparison.")
    }
    return (folder, try ComparisonSettings(contentsOf: folder.settingsPath))
  }

  /// The folder of one net, new or as far as it came.
  ///
  /// - Parameter name: `seed-0/item`.
  public func run(_ name: String, recipeText: String) throws -> RunFolder {
    try RunFolder.createOrOpen(at: "\(path)/\(name)", recipeText: recipeText)
  }

  /// The folder of a net that was trained, as it is.
  ///
  /// - Throws: `MTLFastError` of kind `missingInput`.
  public func trainedRun(_ name: String) throws -> RunFolder { try RunFolder.open("\(path)/\(name)") }

  /// Replaces a file in one step, with a line end after the text.
  ///
  /// - Throws: `MTLFastError` of kind `writeFailed`.
  public func write(_ text: String, to name: String) throws {
    try DurableFile.replace("\(path)/\(name)", with: text)
  }

  /// The result of a net; nil while it isn't finished.
  public func result(of name: String) -> NetResult? { NetResult(contentsOf: "\(path)/\(name)/\(NetResult.fileName)") }

  private var recipeText: String? { try? WholeFile.text(of: recipePath) }
}
