// SPDX-License-Identifier: Apache-2.0
// A descriptor that is written to: what every kind of written file stands on.

/// A file that is open to be written, closed with this object.
///
/// A write past the file-size limit (`ulimit -f`) raises SIGXFSZ, which ends a program that doesn't expect it. The signal
/// is blocked in the calling thread for the time of a write, and the one that a write raised is taken back: the limit
/// comes as an error, like a full disk.
///
/// Every error is an `MTLFastError` of kind `writeFailed`.
final class WritableFile {
  /// What messages call the file.
  let name: String
  private(set) var descriptor: Int32

  /// - Parameters:
  ///   - flags: of open(2), beside `O_CLOEXEC`.
  ///   - name: what messages call the file; nil for its path.
  init(path: String, flags: Int32, name: String? = nil) throws(SystemError) {
    let descriptor = open(path, flags | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw SystemError() }
    self.name = name ?? path
    self.descriptor = descriptor
  }

  deinit { if descriptor >= 0 { closeDescriptor(descriptor) } }

  /// Writes where the file stands, or from `offset` on.
  func append(_ bytes: UnsafeRawBufferPointer, at offset: Int? = nil) throws {
    do throws(SystemError) {
      try Self.withoutFileSizeSignal { () throws(SystemError) in
        try Transfer.drain(bytes, to: descriptor, at: offset)
      }
    } catch {
      throw error.writing(name)
    }
  }

  /// The bytes from where the file stands: fewer than the buffer takes only at its end.
  func readNext(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    do throws(SystemError) {
      return try Transfer.fill(buffer, from: descriptor)
    } catch {
      throw error.writing(name, "can't be read")
    }
  }

  /// Waits until what was written is on the disk.
  func synchronize() throws {
    #if canImport(Darwin)
      // fsync stops at the drive's cache there.
      if fcntl(descriptor, F_FULLFSYNC) == 0 { return }
    #endif
    // EINVAL: a device that has nothing to sync.
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw SystemError().writing(name) }
  }

  /// Drops what follows the first `bytes` bytes; the next ones are written there.
  func cut(at bytes: Int) throws {
    guard ftruncate(descriptor, off_t(bytes)) == 0, lseek(descriptor, off_t(bytes), SEEK_SET) == off_t(bytes) else {
      throw SystemError().writing(name, "can't be cut")
    }
  }

  func close() throws {
    let closed = closeDescriptor(descriptor)
    descriptor = -1
    guard closed == 0 || errno == EINTR else { throw SystemError().writing(name) }
  }

  /// Keeps other processes that ask for the lock from the file, until it is closed.
  ///
  /// - Parameter attempts: how often to ask, 10 ms apart: a lock that was let go may be held for a moment more by a
  ///   process that is just being started.
  /// - Returns: false where another process has it.
  func lock(attempts: Int = 1) throws -> Bool {
    for attempt in 1...max(1, attempts) {
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
      guard errno == EWOULDBLOCK else { throw SystemError().writing(name, "can't be locked") }
      if attempt < attempts { usleep(10_000) }
    }
    return false
  }

  /// Whether the file still has this name.
  func isNamed(_ path: String) -> Bool {
    var (own, named) = (stat(), stat())
    return fstat(descriptor, &own) == 0 && stat(path, &named) == 0 && own.st_ino == named.st_ino
      && own.st_dev == named.st_dev
  }

  private static func withoutFileSizeSignal(_ body: () throws(SystemError) -> Void) throws(SystemError) {
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
}
