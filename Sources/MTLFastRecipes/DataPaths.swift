// SPDX-License-Identifier: Apache-2.0
// Where the paths of a recipe are looked for.

import MTLFast
import MTLFastData

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

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
    if let found = candidates.first(where: { access($0, F_OK) == 0 }) { return found }
    let remedy =
      search.folder == nil
      ? "Name the folder that holds it with --data DIR, or run in the folder of the recipe." : "Check --data."
    throw MTLFastError(
      .missingInput,
      "\(path): no such file or folder. Looked for \(candidates.joined(separator: ", ")). \(remedy)")
  }

  func candidates(for path: String) -> [String] {
    guard !path.hasPrefix("/") else { return [path] }
    func inside(_ folder: String) -> [String] {
      let rest = path.split(separator: "/", maxSplits: 1)
      return [joined(folder, path)] + (rest.count == 2 ? [joined(folder, String(rest[1]))] : [])
    }
    if let folder = search.folder { return inside(folder) }
    var candidates: [String] = []
    if let named = search.environment("MTLF_DATA"), !named.isEmpty { candidates += inside(named) }
    if let recipeFolder, !recipeFolder.isEmpty, recipeFolder != "." { candidates.append(joined(recipeFolder, path)) }
    return candidates + [path]
  }

  private func joined(_ folder: String, _ path: String) -> String {
    folder.hasSuffix("/") ? folder + path : "\(folder)/\(path)"
  }
}

/// The folder of a file's path; empty for the current one.
func folder(ofFile path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "" }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}
