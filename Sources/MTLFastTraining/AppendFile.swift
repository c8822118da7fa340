// SPDX-License-Identifier: Apache-2.0
// A file that grows at its end.

import MTLFast

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file that is written at its end, through a buffer.
///
/// Bytes reach the file when the buffer is full, on `flush()` and `synchronize()`, and when the object goes. Every error
/// is an `MTLFastError` of kind `writeFailed`.
final class AppendFile {
  let path: String
  let descriptor: Int32
  private var buffer: [UInt8] = []
  private var isOnDisk = true
  static let bufferBytes = 1 << 16

  /// Opens a file, or makes an empty one. Say with `cut(at:)` where it is to grow.
  init(path: String) throws {
    self.path = path
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Self.failure(path, "can't be opened") }
    buffer.reserveCapacity(Self.bufferBytes + 4096)
  }

  deinit {
    guard descriptor >= 0 else { return }
    try? flush()
    close(descriptor)
  }

  /// Drops what follows the first `bytes` bytes; the next ones are written there.
  func cut(at bytes: Int) throws {
    guard ftruncate(descriptor, off_t(bytes)) == 0, lseek(descriptor, off_t(bytes), SEEK_SET) == off_t(bytes) else {
      throw Self.failure(path, "can't be cut")
    }
  }

  func append(_ bytes: some Sequence<UInt8>) throws {
    isOnDisk = false
    buffer.append(contentsOf: bytes)
    if buffer.count >= Self.bufferBytes { try flush() }
  }

  /// Writes what the buffer holds.
  func flush() throws {
    guard !buffer.isEmpty else { return }
    defer { buffer.removeAll(keepingCapacity: true) }
    try DurableFile.withoutFileSizeSignal {
      try buffer.withUnsafeBytes { bytes in
        var rest = bytes[...]
        while !rest.isEmpty {
          let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
          if count < 0 && errno == EINTR { continue }
          guard count > 0 else { throw Self.failure(path, "can't be written") }
          rest = rest.dropFirst(count)
        }
      }
    }
  }

  /// Writes what the buffer holds and waits until it is on the disk.
  func synchronize() throws {
    guard !isOnDisk else { return }
    try flush()
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw Self.failure(path, "can't be written") }
    isOnDisk = true
  }

  static func failure(_ path: String, _ what: String) -> MTLFastError {
    MTLFastError(.writeFailed, "\(path): \(what): \(String(cString: strerror(errno))).")
  }
}
