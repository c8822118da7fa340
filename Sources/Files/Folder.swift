// SPDX-License-Identifier: Apache-2.0
// Folders: how they are made, what is in them, how their names become durable.

/// What runs, caches and pictures ask of the folders they are in.
package enum Folder {
  /// Makes a folder and those above it; what is there already stays.
  ///
  /// - Throws: `MTLFastError` of kind `writeFailed`, also where there is something else of that name.
  package static func make(_ path: String) throws {
    var made = path.hasPrefix("/") ? "" : "."
    for part in path.split(separator: "/") {
      made += "/\(part)"
      guard mkdir(made, 0o755) == 0 || errno == EEXIST else { throw SystemError().writing(path, "can't be created") }
    }
    guard FilePath.kind(of: path) == .folder else {
      throw MTLFastError(.writeFailed, "\(path): is not a folder. Name another one.")
    }
  }

  /// Makes a folder whose parent is there.
  ///
  /// - Returns: false where there is something of that name already.
  /// - Throws: `MTLFastError` of kind `writeFailed`.
  package static func makeNew(_ path: String) throws -> Bool {
    if mkdir(path, 0o755) == 0 { return true }
    guard errno == EEXIST else { throw SystemError().writing(path, "can't be created") }
    return false
  }

  /// The names of all that is in a folder, in no order; nil where the folder isn't there.
  ///
  /// - Throws: `MTLFastError` of kind `missingInput` where it can't be read.
  package static func names(in path: String) throws -> [String]? {
    guard let folder = opendir(path) else {
      if errno == ENOENT { return nil }
      throw MTLFastError(.missingInput, "\(path): can't be read (\(SystemError().reason)). Check its permissions.")
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

  /// Waits until the names in a folder are on the disk.
  ///
  /// - Parameter file: whose name it is about, for messages.
  /// - Throws: `MTLFastError` of kind `writeFailed`.
  static func synchronize(_ path: String, for file: String) throws {
    let folder = open(path, O_RDONLY | O_CLOEXEC)
    guard folder >= 0 else {
      throw SystemError().writing(file, "its folder can't be opened to make the name durable")
    }
    defer { close(folder) }
    // Some file systems can't sync a folder; they say so by EINVAL or ENOTSUP.
    guard fsync(folder) == 0 || errno == EINVAL || errno == ENOTSUP else {
      throw SystemError().writing(file, "its name can't be made durable")
    }
  }
}
