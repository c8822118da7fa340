// SPDX-License-Identifier: Apache-2.0
// The .part file of a download: grows next to its destination and takes its name only when it is whole.

import MTLFast

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// `<destination>.part`, locked against other processes, kept when a download breaks off.
///
/// Every error is an `MTLFastError` of kind `writeFailed`.
final class PartialFile {
  let destination: String
  let path: String
  /// In bytes.
  private(set) var size: Int
  private let descriptor: Int32

  /// Opens or creates the file, and its folder.
  init(for destination: String) throws {
    self.destination = destination
    path = destination + ".part"
    try Self.createFolder(Self.folder(of: destination))
    while true {
      let opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
      guard opened >= 0 else { throw Self.failure(path, "can't be written") }
      guard flock(opened, LOCK_EX | LOCK_NB) == 0 else {
        let isBusy = errno == EWOULDBLOCK
        let error =
          isBusy
          ? MTLFastError(.writeFailed, "\(path): another process is writing it. Wait until it has ended.")
          : Self.failure(path, "can't be locked")
        close(opened)
        throw error
      }
      // Between open and lock another process may have finished: then this is its finished file, under another name.
      var locked = stat()
      var named = stat()
      if fstat(opened, &locked) == 0, stat(path, &named) == 0, locked.st_ino == named.st_ino,
        locked.st_dev == named.st_dev
      {
        descriptor = opened
        size = Int(locked.st_size)
        return
      }
      close(opened)
    }
  }

  deinit { close(descriptor) }

  func append(_ bytes: UnsafeRawBufferPointer) throws {
    var written = 0
    while written < bytes.count {
      let count = pwrite(descriptor, bytes.baseAddress?.advanced(by: written), bytes.count - written, off_t(size))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw Self.failure(path, "can't be written") }
      written += count
      size += count
    }
  }

  /// Drops what there is, to start over.
  func clear() throws {
    guard size > 0 else { return }
    guard ftruncate(descriptor, 0) == 0 else { throw Self.failure(path, "can't be emptied") }
    size = 0
  }

  /// Makes the bytes and then the name durable: a crash leaves the old destination or the whole new one.
  func moveIntoPlace() throws {
    guard fsync(descriptor) == 0 else { throw Self.failure(path, "can't be written") }
    guard rename(path, destination) == 0 else { throw Self.failure(destination, "can't be put in place") }
    let folder = open(Self.folder(of: destination), O_RDONLY | O_CLOEXEC)
    guard folder >= 0 else { return }
    // Some file systems can't sync a folder; the file itself is safe by now.
    fsync(folder)
    close(folder)
  }

  /// Deletes the file.
  func discard() { unlink(path) }

  private static func createFolder(_ path: String) throws {
    var prefix = path.hasPrefix("/") ? "/" : ""
    for component in path.split(separator: "/") {
      prefix += (prefix.isEmpty || prefix.hasSuffix("/") ? "" : "/") + component
      guard mkdir(prefix, 0o755) == 0 || errno == EEXIST else { throw failure(prefix, "can't be created") }
    }
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  private static func failure(_ path: String, _ what: String) -> MTLFastError {
    let code = errno
    let cure =
      switch code {
      case ENOSPC, EDQUOT: "Free some space, or name a folder on another disk."
      default: "Check the folder and its permissions, or name another one."
      }
    return MTLFastError(.writeFailed, "\(path): \(what) (\(String(cString: strerror(code)))). \(cure)")
  }
}
