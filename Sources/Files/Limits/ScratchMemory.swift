// SPDX-License-Identifier: Apache-2.0
// Memory that grows as needed and is used again for the next file.

/// Uninitialised memory for one user at a time, freed with this object.
package final class ScratchMemory {
  private var memory: UnsafeMutableRawPointer?
  private var capacity = 0

  package init() {}

  deinit { free(memory) }

  /// At least so many bytes, aligned for any number. What was there before is lost.
  ///
  /// - Throws: `MTLFastError` of kind `system` where there is no memory.
  package func reserve(_ byteCount: Int, for purpose: String) throws -> UnsafeMutableRawPointer {
    if let memory, capacity >= byteCount { return memory }
    free(memory)
    memory = nil
    capacity = 0
    let new = try Memory.allocate(byteCount, for: purpose)
    memory = new
    capacity = byteCount
    return new
  }
}
