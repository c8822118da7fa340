// SPDX-License-Identifier: Apache-2.0
// A file that grows at its end.

/// A file that is written at its end, through a buffer.
///
/// Bytes reach the file when the buffer is full, on `flush()` and `synchronize()`, and when the object goes. Every error
/// is an `MTLFastError` of kind `writeFailed`.
package final class AppendFile {
  package var path: String { file.name }
  let file: WritableFile
  private var buffer: [UInt8] = []
  private var isOnDisk = true
  static let bufferBytes = 1 << 16

  /// Opens a file, or makes an empty one. Say with `cut(at:)` where it is to grow.
  package init(path: String) throws {
    do throws(SystemError) {
      file = try WritableFile(path: path, flags: O_RDWR)
    } catch {
      throw error.writing(path, "can't be opened")
    }
    buffer.reserveCapacity(Self.bufferBytes + 4096)
  }

  deinit { try? flush() }

  /// Drops what follows the first `bytes` bytes; the next ones are written there.
  package func cut(at bytes: Int) throws { try file.cut(at: bytes) }

  package func append(_ bytes: some Sequence<UInt8>) throws {
    isOnDisk = false
    buffer.append(contentsOf: bytes)
    if buffer.count >= Self.bufferBytes { try flush() }
  }

  /// Writes what the buffer holds.
  package func flush() throws {
    guard !buffer.isEmpty else { return }
    defer { buffer.removeAll(keepingCapacity: true) }
    try buffer.withUnsafeBytes { try file.append($0) }
  }

  /// Writes what the buffer holds and waits until it is on the disk.
  package func synchronize() throws {
    guard !isOnDisk else { return }
    try flush()
    try file.synchronize()
    isOnDisk = true
  }
}
