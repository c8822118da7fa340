// SPDX-License-Identifier: Apache-2.0
// Memory whose size a user or a file sets: asked for so that a refusal is an error.

/// Swift's own allocations end the program where memory is missing.
package enum Memory {
  /// Zero or more uninitialised bytes, to be given back with `free`.
  ///
  /// - Parameter purpose: what needs them, for messages.
  /// - Throws: `MTLFastError` of kind `system` where there is no memory.
  package static func allocate(
    _ bytes: Int, alignment: Int = 64, for purpose: String, remedy: String = ""
  ) throws -> UnsafeMutableRawPointer {
    var memory: UnsafeMutableRawPointer?
    guard bytes >= 0, posix_memalign(&memory, alignment, max(alignment, bytes)) == 0, let memory else {
      let said = bytes < 0 ? "the size overflows." : "needs \(bytes) bytes of memory, which the system refused."
      throw MTLFastError(.system, "\(purpose): \(said)\(remedy.isEmpty ? "" : " \(remedy)")")
    }
    return memory
  }

  /// Whether the system would give so much: large arrays are asked for here first.
  ///
  /// - Throws: `MTLFastError` of kind `system` where the machine hasn't that much memory or the process may not have it.
  package static func require(_ bytes: Int, for purpose: String, remedy: String) throws {
    if let installed, bytes > installed {
      throw MTLFastError(
        .system, "\(purpose): needs \(bytes) bytes of memory and the machine has \(installed). \(remedy)")
    }
    // Nothing is written, so nothing is taken.
    free(try allocate(bytes, alignment: 4096, for: purpose, remedy: remedy))
  }

  /// Of the machine, in bytes; nil where it can't be told.
  private static var installed: Int? {
    let (bytes, overflows) = max(0, sysconf(Int32(_SC_PHYS_PAGES)))
      .multipliedReportingOverflow(by: max(0, sysconf(Int32(_SC_PAGESIZE))))
    return overflows || bytes == 0 ? nil : bytes
  }
}
