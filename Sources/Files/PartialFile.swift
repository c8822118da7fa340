// SPDX-License-Identifier: Apache-2.0
// The .part file of a download: grows next to its destination and takes its name only when it is whole.

/// `<destination>.part`, locked against other processes, kept when a download breaks off.
///
/// Every error is an `MTLFastError` of kind `writeFailed`.
package final class PartialFile {
  package let destination: String
  package let path: String
  /// In bytes.
  package private(set) var size: Int
  private let file: WritableFile

  /// Opens or creates the file, and its folder.
  package init(for destination: String) throws {
    self.destination = destination
    path = destination + ".part"
    try Folder.make(FilePath.folder(of: destination))
    while true {
      let opened: WritableFile
      do throws(SystemError) {
        opened = try WritableFile(path: path, flags: O_RDWR)
      } catch {
        throw error.writing(path)
      }
      guard try opened.lock() else {
        throw MTLFastError(.writeFailed, "\(path): another process is writing it. Wait until it has ended.")
      }
      // Between open and lock another process may have finished: then this is its finished file, under another name.
      guard opened.isNamed(path) else { continue }
      file = opened
      size = FilePath.size(of: path) ?? 0
      return
    }
  }

  package func append(_ bytes: UnsafeRawBufferPointer) throws {
    try file.append(bytes, at: size)
    size += bytes.count
  }

  /// Drops what there is, to start over.
  package func clear() throws {
    // A write that failed may have left more than `size` knows.
    guard size > 0 || FilePath.size(of: path) ?? 0 > 0 else { return }
    try file.cut(at: 0)
    size = 0
  }

  /// Makes the bytes and then the name durable: a crash leaves the old destination or the whole new one.
  package func moveIntoPlace() throws {
    try file.synchronize()
    guard rename(path, destination) == 0 else { throw SystemError().writing(destination, "can't be put in place") }
    // The file itself is safe by now.
    try? Folder.synchronize(FilePath.folder(of: destination), for: destination)
  }

  /// Deletes the file.
  package func discard() { unlink(path) }
}
