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
  public var path: String { file.path }
  private let file: AppendFile

  /// Opens a file and keeps its first `lines` whole lines; what follows them, a torn last line too, is cut off.
  ///
  /// A training that goes on from a checkpoint keeps the lines that the checkpoint knows.
  ///
  /// - Throws: `MTLFastError` of kind `usage` where another process has the file; `writeFailed`; of kind `badData` where there are fewer lines.
  public init(path: String, keepingLines lines: Int = 0) throws {
    file = try AppendFile(path: path)
    // Two trainings of one run would write between each other's lines.
    // A lock that was let go may be held for a moment more by a process that is just being started.
    var attempts = 0
    while flock(file.descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK {
      attempts += 1
      guard attempts < 25 else {
        throw MTLFastError(
          .usage, "\(path): another process is training this run. Wait for it, or train a run of its own.")
      }
      usleep(10_000)
    }
    try file.cut(at: offset(afterLines: lines))
  }

  public func append(_ line: String) throws {
    try file.append(line.utf8)
    try file.append(CollectionOfOne(UInt8(ascii: "\n")))
  }

  /// Writes what the buffer holds.
  public func flush() throws { try file.flush() }

  /// Writes what the buffer holds and waits until it is on the disk.
  public func synchronize() throws { try file.synchronize() }

  private func offset(afterLines lines: Int) throws -> Int {
    var found = 0
    var offset = 0
    var chunk = [UInt8](repeating: 0, count: AppendFile.bufferBytes)
    while found < lines {
      let count = read(file.descriptor, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw AppendFile.failure(path, "can't be read") }
      guard count > 0 else {
        throw MTLFastError(
          .badData,
          "\(path): has \(found) lines but the checkpoint to go on from knows \(lines). It was changed. A new run can take over its weights: --init-from."
        )
      }
      for byte in chunk[..<count] where found < lines {
        offset += 1
        if byte == UInt8(ascii: "\n") { found += 1 }
      }
    }
    return offset
  }
}
