// SPDX-License-Identifier: Apache-2.0
// Memory for kernels: aligned, zeroed, of a size that was checked.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Zeroed floats that start at a multiple of the kernels' alignment and are freed with the last reference.
public final class AlignedBuffer: @unchecked Sendable {
  public let base: UnsafeMutablePointer<Float>
  public let count: Int

  /// - Throws: `MTLFastError` of kind `system` where the memory can't be had.
  public init(count: Int, for purpose: String) throws {
    // Page-aligned, so that large blocks can be backed by huge pages.
    let alignment = count >= 1 << 19 ? 1 << 21 : 4096
    let (bytes, overflows) = max(count, 1).multipliedReportingOverflow(by: MemoryLayout<Float>.stride)
    var memory: UnsafeMutableRawPointer?
    guard !overflows, posix_memalign(&memory, alignment, bytes) == 0, let memory else {
      throw MTLFastError(
        .system,
        "\(purpose): \(overflows ? "the size overflows" : "no memory for \(bytes) bytes"). Use a smaller batch size or model."
      )
    }
    #if os(Linux)
      if alignment > 4096 { madvise(memory, bytes, MADV_HUGEPAGE) }
    #endif
    memset(memory, 0, bytes)
    base = memory.bindMemory(to: Float.self, capacity: max(count, 1))
    self.count = count
  }

  deinit { free(base) }
}
