// SPDX-License-Identifier: Apache-2.0
// The bytes of a file, read whole.

/// A regular file's bytes, freed with this object.
///
/// They are read, not mapped: a mapped file that another program cuts short ends this one with SIGBUS.
package final class WholeFile {
  package let bytes: UnsafeRawBufferPointer

  /// - Throws: `MTLFastError` of kind `missingInput` where the file can't be opened, `badData` where it is no file or
  ///   can't be read, `system` where there is no memory for it.
  package init(path: String) throws {
    let file = try OpenFile(path: path)
    let memory = try Memory.allocate(file.size, for: path)
    do {
      try file.read(at: 0, into: UnsafeMutableRawBufferPointer(start: memory, count: file.size))
    } catch {
      free(memory)
      throw error
    }
    bytes = UnsafeRawBufferPointer(start: memory, count: file.size)
  }

  deinit { free(UnsafeMutableRawPointer(mutating: bytes.baseAddress)) }

  /// A file's bytes as a text; bytes that are no UTF-8 become U+FFFD.
  package static func text(of path: String) throws -> String {
    let file = try WholeFile(path: path)
    return withExtendedLifetime(file) { String(decoding: file.bytes, as: UTF8.self) }
  }
}
