// SPDX-License-Identifier: Apache-2.0
// A file that takes its name only when it is whole and on the disk.

import MTLFast

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Writes a file under a temporary name in the same folder and renames it once it is whole.
///
///     let file = try DurableFile(replacing: "runs/a/best.safetensors")
///     try bytes.withUnsafeBytes { try file.append($0) }
///     try file.commit()
///
/// Whatever happens before `commit()` has returned, a reader finds the old file or the whole new one; without a
/// commit the temporary is removed with this object. A power cut or a kill may leave the temporary behind.
///
/// A write past the file-size limit (`ulimit -f`) raises SIGXFSZ, which ends a program that doesn't expect it. A library
/// has no business to change what the whole program does with a signal, so it is blocked in the calling thread for the
/// time of a write, and the one that a write raised is taken back: the limit comes as an error, like a full disk.
///
/// Every error is an `MTLFastError` of kind `writeFailed`.
public final class DurableFile {
  static let temporaryEnding = ".tmp"

  public let path: String
  private let temporary: String
  private var descriptor: Int32
  private var isInPlace = false

  public init(replacing path: String) throws {
    self.path = path
    var status = stat()
    // A rename would replace a device or a pipe by the file: `--output /dev/null` must not.
    if lstat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG, status.st_mode & S_IFMT != S_IFLNK {
      throw MTLFastError(.writeFailed, "\(path): is a folder or device, not a file. Name another one.")
    }
    // Of this process, so that two of them don't write into one file; numbered, since process ids come again.
    var number = 0
    while true {
      let name = "\(path).\(getpid())-\(number)\(Self.temporaryEnding)"
      let opened = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
      if opened >= 0 {
        temporary = name
        descriptor = opened
        return
      }
      guard errno == EEXIST, number < 1000 else { throw Self.failure(path, "can't be written") }
      number += 1
    }
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
    if !isInPlace { unlink(temporary) }
  }

  /// Replaces a small file by these bytes.
  public static func replace(_ path: String, with bytes: [UInt8]) throws {
    let file = try DurableFile(replacing: path)
    try bytes.withUnsafeBytes { try file.append($0) }
    try file.commit()
  }

  /// Replaces a small file by a text; a line end is added where it has none.
  public static func replace(_ path: String, with text: String) throws {
    try replace(path, with: Array((text.hasSuffix("\n") ? text : text + "\n").utf8))
  }

  public func append(_ bytes: UnsafeRawBufferPointer) throws {
    guard !bytes.isEmpty else { return }
    try Self.withoutFileSizeSignal {
      var written = 0
      while written < bytes.count {
        let count = write(descriptor, bytes.baseAddress?.advanced(by: written), bytes.count - written)
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { throw Self.failure(path, "can't be written") }
        written += count
      }
    }
  }

  /// Lets the disk begin with what was appended, without waiting for it.
  func startWriting() {
    #if os(Linux)
      // Advice that pages won't be read soon makes Linux write them out; whatever it doesn't do, `commit` does.
      _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
    #endif
  }

  /// Replaces the first bytes of what was appended by as many others.
  func overwriteStart(with bytes: UnsafeRawBufferPointer) throws {
    var written = 0
    while written < bytes.count {
      let count = pwrite(descriptor, bytes.baseAddress?.advanced(by: written), bytes.count - written, off_t(written))
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw Self.failure(path, "can't be written") }
      written += count
    }
  }

  /// Makes the bytes durable, then the name.
  public func commit() throws {
    guard Self.synchronize(descriptor) else { throw Self.failure(path, "can't be written") }
    let closed = close(descriptor)
    descriptor = -1
    guard closed == 0 || errno == EINTR else { throw Self.failure(path, "can't be written") }
    guard rename(temporary, path) == 0 else { throw Self.failure(path, "can't be put in place") }
    isInPlace = true
    let folder = open(Self.folder(of: path), O_RDONLY | O_CLOEXEC)
    guard folder >= 0 else { throw Self.failure(path, "its folder can't be opened to make the name durable") }
    defer { close(folder) }
    // Some file systems can't sync a folder; they say so by EINVAL or ENOTSUP.
    guard fsync(folder) == 0 || errno == EINVAL || errno == ENOTSUP else {
      throw Self.failure(path, "its name can't be made durable")
    }
  }

  private static func synchronize(_ descriptor: Int32) -> Bool {
    #if canImport(Darwin)
      // fsync stops at the drive's cache there.
      if fcntl(descriptor, F_FULLFSYNC) == 0 { return true }
    #endif
    return fsync(descriptor) == 0
  }

  static func withoutFileSizeSignal(_ body: () throws -> Void) throws {
    var signals = sigset_t()
    var before = sigset_t()
    var pending = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGXFSZ)
    sigpending(&pending)
    let wasPending = sigismember(&pending, SIGXFSZ) == 1
    guard pthread_sigmask(SIG_BLOCK, &signals, &before) == 0 else { return try body() }
    defer {
      // One that was pending before is the caller's.
      if !wasPending { takeBack(&signals) }
      pthread_sigmask(SIG_SETMASK, &before, nil)
    }
    try body()
  }

  private static func takeBack(_ signals: inout sigset_t) {
    #if canImport(Darwin)
      var pending = sigset_t()
      var number: Int32 = 0
      sigpending(&pending)
      if sigismember(&pending, SIGXFSZ) == 1 { sigwait(&signals, &number) }
    #else
      var atOnce = timespec()
      sigtimedwait(&signals, nil, &atOnce)
    #endif
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
      case EFBIG: "Raise the limit on the size of files (ulimit -f)."
      default: "Check the folder and its permissions, or name another one."
      }
    return MTLFastError(.writeFailed, "\(path): \(what): \(String(cString: strerror(code))). \(cure)")
  }
}
