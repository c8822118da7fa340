// SPDX-License-Identifier: Apache-2.0
// Folders: how they are made, what is in them, how their paths are written.

import MTLFast

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What runs, comparisons and pictures ask of the folders they are in.
package enum Folder {
  /// Makes a folder and those above it; what is there already stays.
  ///
  /// - Throws: `MTLFastError` of kind `writeFailed`, also where there is something else of that name.
  package static func make(_ path: String) throws {
    var made = path.hasPrefix("/") ? "" : "."
    for part in path.split(separator: "/") {
      made += "/\(part)"
      guard mkdir(made, 0o755) == 0 || errno == EEXIST else {
        throw MTLFastError(
          .writeFailed, "\(path): can't be created: \(String(cString: strerror(errno))). Name another folder.")
      }
    }
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
      throw MTLFastError(.writeFailed, "\(path): is not a folder. Name another one.")
    }
  }

  /// The names of all that is in a folder, in no order; nil where the folder isn't there.
  ///
  /// - Throws: `MTLFastError` of kind `missingInput` where it can't be read.
  package static func names(in path: String) throws -> [String]? {
    guard let folder = opendir(path) else {
      if errno == ENOENT { return nil }
      let reason = String(cString: strerror(errno))
      throw MTLFastError(.missingInput, "\(path): can't be read (\(reason)). Check its permissions.")
    }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
      let name = String(decoding: bytes, as: UTF8.self)
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  /// A path as other names are put after it.
  ///
  ///     Folder.withoutTrailingSlash("runs/")  // runs
  package static func withoutTrailingSlash(_ path: String) -> String {
    path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
  }
}
