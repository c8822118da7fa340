// SPDX-License-Identifier: Apache-2.0
// A text file that grows line by line.

/// A text file that is written line by line through a buffer.
///
/// Lines reach the file when the buffer is full, on `flush()` and `synchronize()`, and when the object goes.
package final class LineFile {
  package var path: String { file.path }
  private let file: AppendFile

  /// Opens a file and keeps its first `lines` whole lines; what follows them, a torn last line too, is cut off.
  ///
  /// A training that goes on from a checkpoint keeps the lines that the checkpoint knows.
  ///
  /// - Throws: `MTLFastError` of kind `usage` where another process has the file; `writeFailed`; of kind `badData` where
  ///   there are fewer lines.
  package init(path: String, keepingLines lines: Int = 0) throws {
    file = try AppendFile(path: path)
    // Two trainings of one run would write between each other's lines.
    guard try file.file.lock(attempts: 25) else {
      throw MTLFastError(
        .usage, "\(path): another process is training this run. Wait for it, or train a run of its own.")
    }
    try file.cut(at: offset(afterLines: lines))
  }

  package func append(_ line: String) throws {
    try file.append(line.utf8)
    try file.append(CollectionOfOne(UInt8(ascii: "\n")))
  }

  /// Writes what the buffer holds.
  package func flush() throws { try file.flush() }

  /// Writes what the buffer holds and waits until it is on the disk.
  package func synchronize() throws { try file.synchronize() }

  private func offset(afterLines lines: Int) throws -> Int {
    var found = 0
    var offset = 0
    var chunk = [UInt8](repeating: 0, count: AppendFile.bufferBytes)
    while found < lines {
      let count = try chunk.withUnsafeMutableBytes { try file.file.readNext(into: $0) }
      guard count > 0 else {
        throw MTLFastError(
          .badData,
          "\(path): has \(found) lines but the checkpoint to go on from knows \(lines). It was changed.",
          remedy: .takingOverWeights
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
