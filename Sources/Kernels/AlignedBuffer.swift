// SPDX-License-Identifier: Apache-2.0
// Memory for kernels: aligned, zeroed, of a size that was checked.

import Files

/// Zeroed bytes that start at a multiple of the kernels' alignment and are freed with the last reference.
package final class AlignedBuffer: @unchecked Sendable {
  package let base: UnsafeMutableRawPointer
  package let bytes: Int

  /// - Throws: `MTLFastError` of kind `system` where the memory can't be had.
  package init(bytes: Int, for purpose: String) throws {
    // Page-aligned, so that large blocks can be backed by huge pages.
    let alignment = bytes >= 1 << 21 ? 1 << 21 : 4096
    let memory = try Memory.allocate(
      bytes, alignment: alignment, for: purpose, remedy: "Use a smaller batch size or model.")
    #if os(Linux)
      if alignment > 4096 { madvise(memory, bytes, MADV_HUGEPAGE) }
    #endif
    memset(memory, 0, max(bytes, 4))
    base = memory
    self.bytes = bytes
  }

  /// As fp32 values.
  package var floats: UnsafeMutablePointer<Float> { base.assumingMemoryBound(to: Float.self) }

  deinit { free(base) }
}
