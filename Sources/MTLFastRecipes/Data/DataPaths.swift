// SPDX-License-Identifier: Apache-2.0
// Where the paths of a recipe are looked for.

import Files
import MTLFast
import MTLFastData

/// Finds the files and folders that a recipe names.
///
/// The order: the folder that was asked for (`--data`; then nothing else is looked at), `$MTLF_DATA`, the folder of the
/// recipe's file, the current folder. The first two may also be the path's own first folder: `paintings/labels.csv` is
/// found in `--data ~/paintings`.
struct DataPaths {
  let search: DatasetSearch
  /// Of the recipe's file; nil for a built-in recipe.
  let recipeFolder: String?

  /// The path under which a file or folder is there.
  ///
  /// - Throws: `MTLFastError` of kind `missingInput` that lists where it looked.
  func find(_ path: String) throws -> String {
    let candidates = candidates(for: path)
    if let found = candidates.first(where: { FilePath.exists($0) }) { return found }
    if path.hasPrefix("/") { throw MTLFastError(.missingInput, "\(path): no such file or folder. Check the path.") }
    throw MTLFastError(
      .missingInput, "\(path): no such file or folder. Looked for \(candidates.joined(separator: ", ")).",
      remedy: search.folder == nil ? .namingDataFolder : .changingDataFolder)
  }

  func candidates(for path: String) -> [String] {
    guard !path.hasPrefix("/") else { return [path] }
    func inside(_ folder: String) -> [String] {
      let rest = path.split(separator: "/", maxSplits: 1)
      return [FilePath.join(folder, path)] + (rest.count == 2 ? [FilePath.join(folder, String(rest[1]))] : [])
    }
    if let folder = search.folder { return inside(folder) }
    var candidates: [String] = []
    if let named = search.environment("MTLF_DATA"), !named.isEmpty { candidates += inside(named) }
    if let recipeFolder { candidates.append(FilePath.join(recipeFolder, path)) }
    return candidates.last == path ? candidates : candidates + [path]
  }
}
