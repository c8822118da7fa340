// SPDX-License-Identifier: Apache-2.0
// Second names of files and links to folders, put in place in one step.

/// A reader of the name finds what was there before or what is there now, never nothing.
package enum FileLink {
  /// Makes `path` a second name of the file `source`: both have the same bytes on the disk, which stay until both names
  /// are gone. Where the file system has no links, the file is copied.
  ///
  /// - Throws: `MTLFastError` of kind `writeFailed`; what was at `path` is then still there.
  package static func replace(_ path: String, by source: String) throws {
    guard !FilePath.areOne(path, source) else { return }
    // One writer at a time has a run; what a kill left behind is removed here.
    let temporary = temporaryName(of: path)
    unlink(temporary)
    guard link(source, temporary) == 0 else { return try copy(source, to: path) }
    // A rename between two names of one file does nothing, so the temporary name may still be there.
    defer { unlink(temporary) }
    guard rename(temporary, path) == 0 else { throw SystemError().writing(path, "can't be put in place") }
    // Where the name isn't durable yet, the next start makes it again.
    try? Folder.synchronize(FilePath.folder(of: path), for: path)
  }

  /// Makes `path` a symbolic link to `target`, which is relative to the link's folder.
  ///
  /// - Throws: `MTLFastError` of kind `writeFailed`; what was at `path` is then still there.
  package static func point(_ path: String, to target: String) throws {
    let temporary = FilePath.join(FilePath.folder(of: path), ".\(FilePath.name(of: path))-\(getpid())")
    unlink(temporary)
    guard symlink(target, temporary) == 0, rename(temporary, path) == 0 else {
      let error = SystemError().writing(path, "can't be pointed to \(target)")
      unlink(temporary)
      throw error
    }
  }

  /// Removes a name; it may be missing.
  package static func remove(_ path: String) throws {
    unlink(temporaryName(of: path))
    guard unlink(path) == 0 || errno == ENOENT else { throw SystemError().writing(path, "can't be removed") }
  }

  private static func temporaryName(of path: String) -> String { "\(path).link\(DurableFile.temporaryEnding)" }

  private static func copy(_ source: String, to path: String) throws {
    let file = try WholeFile(path: source)
    let written = try DurableFile(replacing: path)
    try withExtendedLifetime(file) { try written.append(file.bytes) }
    try written.commit()
  }
}
