// SPDX-License-Identifier: Apache-2.0
// The folder of one training run and the names of what is in it.

import Files
import MTLFast

/// The folder that holds everything of one run: the recipe, the logs, the checkpoints.
public struct RunFolder: Sendable, Hashable {
  public let path: String
  /// The link that names this run once it has a checkpoint: `runs/latest`; nil for a folder of one's own choice.
  private var latestLink: (parent: String, name: String)?

  private init(path: String, latestLink: (parent: String, name: String)? = nil) {
    self.path = path
    self.latestLink = latestLink
  }

  public static func == (a: RunFolder, b: RunFolder) -> Bool { a.path == b.path }
  public func hash(into hasher: inout Hasher) { hasher.combine(path) }

  public var recipePath: String { "\(path)/recipe.yaml" }
  public var stepsPath: String { "\(path)/steps.jsonl" }
  public var historyPath: String { "\(path)/history.jsonl" }
  public var checkpointsPath: String { "\(path)/checkpoints" }
  /// The best model on the validation data, of all tasks together or of one.
  public func bestPath(of task: String? = nil) -> String {
    "\(path)/best\(task.map { "-\($0)" } ?? "").safetensors"
  }
  public var confusionPath: String { "\(path)/confusion.json" }
  public var plotsPath: String { "\(path)/plots" }
  public var reportPath: String { "\(path)/report.html" }

  /// Creates the next free `<parent>/<recipe>-NNN`; `<parent>/latest` points to it from `becomeLatest` on.
  ///
  ///     try RunFolder.create(for: "fashion-mnist").path  // runs/fashion-mnist-001
  ///
  /// Two programs that do this at the same time get two folders.
  ///
  /// - Parameter prepare: makes what the run needs from its first moment on; only then the folder is a run.
  /// - Throws: `MTLFastError` of kind `writeFailed`.
  public static func create(
    for recipe: String, in parent: String = "runs", recipeText: String,
    beforeRecipe prepare: (RunFolder) throws -> Void = { _ in }
  ) throws -> RunFolder {
    let name = try makeNumbered(recipe, in: parent)
    let run = RunFolder(path: "\(parent)/\(name)", latestLink: (parent, name))
    try run.fill(recipeText, prepare)
    return run
  }

  /// Makes the next free `<parent>/<name>-NNN` and returns its last part.
  static func makeNumbered(_ name: String, in parent: String) throws -> String {
    try Folder.make(parent)
    var number = 1
    while true {
      let digits = String(number)
      let numbered = "\(name)-\(String(repeating: "0", count: max(0, 3 - digits.count)))\(digits)"
      if try Folder.makeNew("\(parent)/\(numbered)") { return numbered }
      number += 1
    }
  }

  /// Creates a run in a folder of one's own choice, which must be new or empty.
  ///
  /// - Throws: `MTLFastError` of kind `usage` where the folder holds something, `writeFailed` where it can't be made.
  public static func create(
    at path: String, recipeText: String, beforeRecipe prepare: (RunFolder) throws -> Void = { _ in }
  ) throws -> RunFolder {
    let run = RunFolder(path: try makeEmpty(path, for: "a run"))
    try run.fill(recipeText, prepare)
    return run
  }

  /// Makes a folder, which must be new or empty, and returns its path.
  static func makeEmpty(_ path: String, for what: String) throws -> String {
    let path = FilePath.withoutTrailingSlash(path)
    try Folder.make(path)
    guard try Folder.names(in: path)?.isEmpty ?? true else {
      throw MTLFastError(
        .usage, "\(path): is not empty, and \(what) is never overwritten. Name a new folder.", remedy: .resuming)
    }
    return path
  }

  /// Creates a run at a path, or opens the one that was begun there, however far it came.
  ///
  /// - Throws: `MTLFastError` of kind `writeFailed`.
  static func createOrOpen(at path: String, recipeText: String) throws -> RunFolder {
    let run = RunFolder(path: path)
    try Folder.make(run.checkpointsPath)
    try run.replaceRecipe(with: recipeText)
    return run
  }

  /// A run that is there.
  ///
  /// - Throws: `MTLFastError` of kind `missingInput`; `usage` for the folder of a comparison, which has a recipe too.
  public static func open(_ path: String) throws -> RunFolder {
    let run = RunFolder(path: FilePath.withoutTrailingSlash(path))
    guard FilePath.exists(path) else { throw MTLFastError(.missingInput, "\(path): no such run.") }
    guard FilePath.isReadable(run.recipePath) else {
      throw MTLFastError(.missingInput, "\(path): has no recipe.yaml, so it is no run.")
    }
    guard !FilePath.exists("\(run.path)/\(ComparisonFolder.settingsName)") else {
      throw MTLFastError(
        .usage,
        "\(path): is a comparison, not a run. Name one of the run folders inside it, or go on with all of it.",
        remedy: .resumingComparison(run.path))
    }
    return run
  }

  private func fill(_ recipeText: String, _ prepare: (RunFolder) throws -> Void) throws {
    try Folder.make(checkpointsPath)
    try prepare(self)
    try replaceRecipe(with: recipeText)
  }

  /// Writes the recipe as the run is trained from now on.
  ///
  /// - Throws: `MTLFastError` of kind `writeFailed`; the recipe before is then still there.
  public func replaceRecipe(with text: String) throws {
    try DurableFile.replace(recipePath, with: text)
  }

  /// Points `latest` to this run; a run that has nothing to show yet doesn't take the place of one that has.
  ///
  /// - Throws: `MTLFastError` of kind `writeFailed`.
  public func becomeLatest() throws {
    if let latestLink { try FileLink.point("\(latestLink.parent)/latest", to: latestLink.name) }
  }
}
