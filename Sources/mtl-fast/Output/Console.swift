// SPDX-License-Identifier: Apache-2.0
// The two streams: results go to standard output, everything else to standard error.

import Files
import MTLFast

/// Writes text unbuffered. A reader that has gone away (`| head`) is no error: what it won't read is dropped.
enum Console {
  /// Writes a result and a line end to standard output.
  ///
  /// - Throws: `MTLFastError` of kind `writeFailed`, as on a full disk.
  static func result(_ text: String) throws {
    do {
      try write(text + "\n", to: STDOUT_FILENO)
    } catch let error as SystemError {
      guard error.code != EPIPE else { return }
      throw MTLFastError(.writeFailed, "Standard output can't be written: \(error.reason).")
    }
  }

  /// Writes a line to standard error.
  static func note(_ text: String) { try? write(text + "\n", to: STDERR_FILENO) }

  /// Writes to standard error as it is, without a line end.
  static func raw(_ text: String) { try? write(text, to: STDERR_FILENO) }

  /// A closed pipe must end in an error code, not in a signal that kills the program.
  static func ignoreClosedPipes() {
    _ = signal(SIGPIPE, SIG_IGN)
    // A file-size limit comes as an error too.
    _ = signal(SIGXFSZ, SIG_IGN)
  }

  private static func write(_ text: String, to descriptor: Int32) throws {
    var text = text
    try text.withUTF8 { try Transfer.drain(UnsafeRawBufferPointer($0), to: descriptor) }
  }
}
