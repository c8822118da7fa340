// SPDX-License-Identifier: Apache-2.0
// The two streams: results go to standard output, everything else to standard error.

import MTLFast

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Writes text unbuffered. A reader that has gone away (`| head`) is no error: what it won't read is dropped.
enum Console {
  /// Writes a result and a line end to standard output.
  ///
  /// - Throws: `MTLFastError` of kind `writeFailed`, as on a full disk.
  static func result(_ text: String) throws {
    let code = write(text + "\n", to: STDOUT_FILENO)
    guard code == 0 || code == EPIPE else {
      throw MTLFastError(.writeFailed, "Standard output can't be written: \(String(cString: strerror(code))).")
    }
  }

  /// Writes a line to standard error.
  static func note(_ text: String) { _ = write(text + "\n", to: STDERR_FILENO) }

  /// Writes to standard error as it is, without a line end.
  static func raw(_ text: String) { _ = write(text, to: STDERR_FILENO) }

  /// A closed pipe must end in an error code, not in a signal that kills the program.
  static func ignoreClosedPipes() {
    _ = signal(SIGPIPE, SIG_IGN)
    // A file-size limit comes as an error too.
    _ = signal(SIGXFSZ, SIG_IGN)
  }

  /// - Returns: 0, or what went wrong as errno.
  private static func write(_ text: String, to descriptor: Int32) -> Int32 {
    var text = text
    return text.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)[...]
      while !rest.isEmpty {
        let part = UnsafeRawBufferPointer(rebasing: rest)
        #if canImport(Darwin)
          let count = Darwin.write(descriptor, part.baseAddress, part.count)
        #elseif canImport(Glibc)
          let count = Glibc.write(descriptor, part.baseAddress, part.count)
        #elseif canImport(Musl)
          let count = Musl.write(descriptor, part.baseAddress, part.count)
        #endif
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { return errno }
        rest = rest.dropFirst(count)
      }
      return 0
    }
  }
}
