// SPDX-License-Identifier: Apache-2.0
// read(2) and write(2) until all is done.

/// Whole transfers: calls that a signal interrupted are made again, and no call is larger than every system takes.
package enum Transfer {
  private static let largestCall = 1 << 30

  /// Fills a buffer from where the descriptor stands, or from `offset` on.
  ///
  /// - Returns: how many bytes it got: fewer than asked for only at the end of the file.
  package static func fill(
    _ buffer: UnsafeMutableRawBufferPointer, from descriptor: Int32, at offset: Int? = nil
  ) throws(SystemError) -> Int {
    var filled = 0
    while filled < buffer.count {
      let place = buffer.baseAddress?.advanced(by: filled)
      let wanted = min(buffer.count - filled, largestCall)
      let count =
        if let offset { pread(descriptor, place, wanted, off_t(offset + filled)) } else {
          read(descriptor, place, wanted)
        }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw SystemError() }
      if count == 0 { break }
      filled += count
    }
    return filled
  }

  /// Writes all bytes where the descriptor stands, or from `offset` on.
  ///
  /// A write past the file-size limit (`ulimit -f`) raises SIGXFSZ, which ends a program that doesn't expect it. A
  /// library has no business to change what the whole program does with a signal, so `drain` leaves it alone, and
  /// `WritableFile` blocks it for the time of a write.
  package static func drain(
    _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, at offset: Int? = nil
  ) throws(SystemError) {
    var written = 0
    while written < bytes.count {
      let place = bytes.baseAddress?.advanced(by: written)
      let wanted = min(bytes.count - written, largestCall)
      let count =
        if let offset { pwrite(descriptor, place, wanted, off_t(offset + written)) } else {
          write(descriptor, place, wanted)
        }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw SystemError() }
      written += count
    }
  }
}
