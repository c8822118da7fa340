// SPDX-License-Identifier: Apache-2.0
// A second name for a file, put in place in one step.

import MTLFast

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Hard links: both names have the same bytes on the disk, which stay until both names are gone.
enum FileLink {
  /// Makes `path` a second name of the file `source`; a reader finds the old file or the new one.
  ///
  /// Where the file system has no links, the file is copied.
  ///
  /// - Throws: `MTLFastError` of kind `writeFailed`; what was at `path` is then still there.
  static func replace(_ path: String, by source: String) throws {
    guard !areOne(path, source) else { return }
    // One writer at a time has a run; what a kill left behind is removed here.
    let temporary = "\(path).link\(DurableFile.temporaryEnding)"
    unlink(temporary)
    guard link(source, temporary) == 0 else { return try copy(source, to: path) }
    // A rename between two names of one file does nothing, so the temporary name may still be there.
    defer { unlink(temporary) }
    guard rename(temporary, path) == 0 else {
      throw MTLFastError(.writeFailed, "\(path): can't be put in place: \(String(cString: strerror(errno))).")
    }
    let folder = open(path.lastIndex(of: "/").map { String(path[...$0]) } ?? ".", O_RDONLY | O_CLOEXEC)
    guard folder >= 0 else { return }
    // Where the name isn't durable yet, the next start makes it again.
    fsync(folder)
    close(folder)
  }

  /// Removes a name; it may be missing.
  static func remove(_ path: String) throws {
    unlink("\(path).link\(DurableFile.temporaryEnding)")
    guard unlink(path) == 0 || errno == ENOENT else {
      throw MTLFastError(.writeFailed, "\(path): can't be removed: \(String(cString: strerror(errno))).")
    }
  }

  private static func copy(_ source: String, to path: String) throws {
    let file = try WholeFile(path: source)
    let written = try DurableFile(replacing: path)
    try withExtendedLifetime(file) { try written.append(file.bytes) }
    try written.commit()
  }

  private static func areOne(_ a: String, _ b: String) -> Bool {
    var (first, second) = (stat(), stat())
    guard stat(a, &first) == 0, stat(b, &second) == 0 else { return false }
    return first.st_ino == second.st_ino && first.st_dev == second.st_dev
  }
}
