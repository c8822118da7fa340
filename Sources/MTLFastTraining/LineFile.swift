// SPDX-License-Identifier: Apache-2.0
// A text file that grows line by line.

import MTLFast

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A text file that is written line by line through a buffer.
///
/// Lines reach the file when the buffer is full, on `flush()` and `synchronize()`, and when the object goes.
public final class LineFile {
  public let path: String
  private var descriptor: Int32
  private var buffer: [UInt8] = []
  private var isOnDisk = true
  private static let bufferBytes = 1 << 16

  /// Opens a file and keeps its first `lines` whole lines; what follows them, a torn last line too, is cut off.
  ///
  /// A training that goes on from a checkpoint keeps the lines that the checkpoint knows.
  ///
  /// - Throws: `MTLFastError` of kind `usage` where another process has the file; `writeFailed`; of kind `badData` where there are fewer lines.
  public init(path: String, keepingLines lines: Int = 0) throws {
    self.path = path
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw Self.failure(path, "can't be opened") }
    // Two trainings of one run would write between each other's lines.
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK else {
      close(descriptor)
      throw MTLFastError(
        .usage, "\(path): another process is training this run. Wait for it, or train a run of its own.")
    }
    buffer.reserveCapacity(Self.bufferBytes + 4096)
    do {
      let end = try offset(afterLines: lines)
      guard ftruncate(descriptor, end) == 0, lseek(descriptor, end, SEEK_SET) == end else {
        throw Self.failure(path, "can't be cut")
      }
    } catch {
      close(descriptor)
      descriptor = -1
      throw error
    }
  }

  deinit {
    try? flush()
    if descriptor >= 0 { close(descriptor) }
  }

  public func append(_ line: String) throws {
    isOnDisk = false
    buffer.append(contentsOf: line.utf8)
    buffer.append(UInt8(ascii: "\n"))
    if buffer.count >= Self.bufferBytes { try flush() }
  }

  /// Writes what the buffer holds.
  public func flush() throws {
    defer { buffer.removeAll(keepingCapacity: true) }
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

  /// Writes what the buffer holds and waits until it is on the disk.
  public func synchronize() throws {
    guard !isOnDisk else { return }
    try flush()
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw Self.failure(path, "can't be written") }
    isOnDisk = true
  }

  private func offset(afterLines lines: Int) throws -> off_t {
    var found = 0
    var offset: off_t = 0
    var chunk = [UInt8](repeating: 0, count: Self.bufferBytes)
    while found < lines {
      let count = read(descriptor, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw Self.failure(path, "can't be read") }
      guard count > 0 else {
        throw MTLFastError(
          .badData, "\(path): has \(found) lines but the checkpoint to go on from knows \(lines). It was changed.")
      }
      for byte in chunk[..<count] where found < lines {
        offset += 1
        if byte == UInt8(ascii: "\n") { found += 1 }
      }
    }
    return offset
  }

  private static func failure(_ path: String, _ what: String) -> MTLFastError {
    MTLFastError(.writeFailed, "\(path): \(what): \(String(cString: strerror(errno))).")
  }
}
