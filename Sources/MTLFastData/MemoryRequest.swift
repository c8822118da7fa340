// SPDX-License-Identifier: Apache-2.0
// Asks for memory before an array needs it.

import MTLFast

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Throws where the system refuses so much memory. An array that is refused stops the process, so ask first: what a
/// file claims may be honest and still too large.
func checkMemory(for byteCount: Int, path: String) throws {
  var block: UnsafeMutableRawPointer?
  guard posix_memalign(&block, 64, max(1, byteCount)) == 0 else {
    throw MTLFastError(
      .system, "\(path): needs \(byteCount) bytes of memory, which the system refused. Use fewer samples.")
  }
  free(block)
}
