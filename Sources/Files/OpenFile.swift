// SPDX-License-Identifier: Apache-2.0
// A regular file that is open to be read.

/// A regular file, closed with this object. Reads from a place of the file may be made by several threads at once.
package final class OpenFile: Sendable {
  /// What messages call the file.
  package let name: String
  /// Of the file when it was opened: its size and the time of its last change.
  package let stamp: FileStamp
  package let descriptor: Int32

  /// In bytes, when it was opened.
  package var size: Int { Int(stamp.size) }

  /// - Parameter name: what messages call the file; nil for its path.
  /// - Throws: `MTLFastError` of kind `missingInput` where it can't be opened, `badData` where it is a folder or device.
  package init(path: String, name: String? = nil) throws {
    let name = name ?? path
    // Without O_NONBLOCK, opening a named pipe waits for a writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw MTLFastError(.missingInput, "\(name): can't be opened (\(SystemError().reason)). Check the path.")
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw MTLFastError(.badData, "\(name): is a folder or device, not a file. Check the path.")
    }
    self.name = name
    self.descriptor = descriptor
    stamp = FileStamp(status)
  }

  deinit { close(descriptor) }

  /// The next bytes: fewer than the buffer takes only at the end of the file.
  ///
  /// - Throws: `MTLFastError` of kind `badData`.
  package func readNext(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    do throws(SystemError) {
      return try Transfer.fill(buffer, from: descriptor)
    } catch {
      throw MTLFastError(.badData, "\(name): can't be read (\(error.reason)).")
    }
  }

  /// The bytes from a place on, as many as the buffer takes.
  ///
  /// - Throws: `MTLFastError` of kind `badData` where the file ends before.
  package func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws {
    let reason: String
    do throws(SystemError) {
      if try Transfer.fill(buffer, from: descriptor, at: offset) == buffer.count { return }
      reason = "it has become shorter"
    } catch {
      reason = error.reason
    }
    throw MTLFastError(.badData, "\(name): can't be read to its end (\(reason)).")
  }
}
