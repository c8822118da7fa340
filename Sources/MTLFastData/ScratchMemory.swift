// SPDX-License-Identifier: Apache-2.0
// Memory that grows as needed and is used again for the next file.

import MTLFast

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Uninitialised memory for one user at a time, freed with this object.
final class ScratchMemory {
  private var memory: UnsafeMutableRawPointer?
  private var capacity = 0

  deinit { free(memory) }

  /// At least so many bytes, aligned for any number. What was there before is lost.
  ///
  /// - Throws: `MTLFastError` of kind `system` where there is no memory: Swift's own allocation would trap, and here a
  ///   file sets the size.
  func reserve(_ byteCount: Int, for purpose: String) throws -> UnsafeMutableRawPointer {
    if let memory, capacity >= byteCount { return memory }
    free(memory)
    memory = nil
    capacity = 0
    guard let new = malloc(max(64, byteCount)) else {
      throw MTLFastError(.system, "\(purpose): needs \(byteCount) bytes of memory, which the system refused.")
    }
    memory = new
    capacity = max(64, byteCount)
    return new
  }
}
