// SPDX-License-Identifier: Apache-2.0
// The bytes of a file, read whole.

import MTLFast

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A regular file's bytes, freed with this object.
///
/// They are read, not mapped: a mapped file that another program cuts short ends this one with SIGBUS.
public final class WholeFile {
  public let bytes: UnsafeRawBufferPointer

  /// - Throws: `MTLFastError` of kind `missingInput` where the file can't be opened, `badData` where it is no file or
  ///   can't be read, `system` where there is no memory for it.
  public init(path: String) throws {
    // Without O_NONBLOCK, opening a named pipe waits for a writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else {
      throw MTLFastError(
        .missingInput, "\(path): can't be opened (\(String(cString: strerror(errno)))). Check the path.")
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw MTLFastError(.badData, "\(path): is a folder or device, not a file. Check the path.")
    }
    let size = Int(status.st_size)
    // Swift's own allocation traps where there is no memory, and here a file sets the size.
    guard let memory = malloc(max(1, size)) else {
      throw MTLFastError(.system, "\(path): has \(size) bytes, and there is no memory for them.")
    }
    var filled = 0
    while filled < size {
      let count = read(descriptor, memory + filled, size - filled)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else {
        let reason = count == 0 ? "it has become shorter" : String(cString: strerror(errno))
        free(memory)
        throw MTLFastError(.badData, "\(path): can't be read to its end (\(reason)).")
      }
      filled += count
    }
    bytes = UnsafeRawBufferPointer(start: memory, count: size)
  }

  deinit { free(UnsafeMutableRawPointer(mutating: bytes.baseAddress)) }
}
