// SPDX-License-Identifier: Apache-2.0
// Paths: how they are put together and taken apart, and what is there.

/// Paths as texts, with `/` between their parts.
package enum FilePath {
  package enum Kind { case file, folder, link, other }

  // MARK: Texts

  /// The folder of a file: `runs/a` for `runs/a/recipe.yaml`, `.` for `recipe.yaml`.
  package static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The last part: `recipe.yaml` for `runs/a/recipe.yaml`.
  package static func name(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }

  /// What stands after the last dot of the last part, in lower case; nil where there is no dot.
  package static func ending(of path: String) -> String? {
    let name = name(of: path)
    return name.lastIndex(of: ".").map { name[name.index(after: $0)...].lowercased() }
  }

  /// A name inside a folder; an absolute name is taken as it is, and so is one in the current folder, `.` or `""`.
  ///
  ///     FilePath.join("data/", "a.csv")   // data/a.csv
  package static func join(_ folder: String, _ name: String) -> String {
    folder.isEmpty || folder == "." || name.hasPrefix("/")
      ? name : folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
  }

  /// A path as other names are put after it.
  ///
  ///     FilePath.withoutTrailingSlash("runs/")  // runs
  package static func withoutTrailingSlash(_ path: String) -> String {
    path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
  }

  // MARK: What is there

  /// nil where there is nothing of that name.
  package static func kind(of path: String, followingLinks: Bool = true) -> Kind? {
    guard let status = status(of: path, followingLinks: followingLinks) else { return nil }
    switch status.st_mode & S_IFMT {
    case S_IFREG: return .file
    case S_IFDIR: return .folder
    case S_IFLNK: return .link
    default: return .other
    }
  }

  package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }
  package static func isReadable(_ path: String) -> Bool { access(path, R_OK) == 0 }
  package static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }

  /// In bytes; nil where there is nothing of that name.
  package static func size(of path: String) -> Int? { status(of: path).map { Int($0.st_size) } }

  /// Whether both are names of the same file or folder.
  package static func areOne(_ a: String, _ b: String) -> Bool {
    guard let first = status(of: a), let second = status(of: b) else { return false }
    return first.st_ino == second.st_ino && first.st_dev == second.st_dev
  }

  /// The absolute path without links; the path itself where there is nothing of that name.
  package static func resolved(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }

  /// Removes a file.
  ///
  /// - Returns: whether there was one that could be removed.
  @discardableResult
  package static func remove(_ path: String) -> Bool { unlink(path) == 0 }

  private static func status(of path: String, followingLinks: Bool = true) -> stat? {
    var status = stat()
    return (followingLinks ? stat(path, &status) : lstat(path, &status)) == 0 ? status : nil
  }
}
