// SPDX-License-Identifier: Apache-2.0
// The kernels' context, and their statuses as errors.

internal import CKernels
import Files

/// The instruction set, threads and convolution path that kernels run with.
package final class KernelContext: @unchecked Sendable {
  /// Stable for the life of this object.
  let pointer: UnsafeMutablePointer<mtlf_context>

  /// - Parameter threads: nil for as many as the affinity mask and the container's quota allow.
  /// - Throws: `MTLFastError` of kind `usage` for a bad thread count, MTLF_ISA or MTLF_CONV.
  package init(threads: Int? = nil) throws {
    if let threads, threads > Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), threads <= 1024 {
      try requireThreads(threads)
    }
    pointer = .allocate(capacity: 1)
    pointer.initialize(to: mtlf_context())
    if let threads, threads < 1 || threads > 1024 {
      throw MTLFastError(.usage, "threads is \(threads). Use 1...1024.")
    }
    switch mtlf_context_init(pointer, MTLF_ISA_BEST, Int32(threads ?? 0)) {
    case MTLF_OK:
      if threads == nil, let quota = cpuQuota() {
        pointer.pointee.threads = min(pointer.pointee.threads, Int32(clamping: quota))
      }
    case MTLF_ERR_UNSUPPORTED_ISA:
      throw MTLFastError(
        .usage,
        "MTLF_ISA is '\(environment("MTLF_ISA"))', an instruction set that is unknown or missing here. This CPU has \(Self.supportedNames.joined(separator: ", "))."
      )
    case MTLF_ERR_BAD_VALUE:
      throw MTLFastError(.usage, "MTLF_CONV is '\(environment("MTLF_CONV"))', an unknown path. Use direct or im2col.")
    case let status: throw kernelError(status, in: "context")
    }
  }

  deinit { pointer.deallocate() }

  package var isaName: String { String(cString: mtlf_context_isa_name(pointer)) }
  package var threads: Int { Int(pointer.pointee.threads) }
  /// Columns of a packed panel.
  package var panel: Int { Int(mtlf_panel_columns(pointer)) }

  /// The instruction sets of this CPU, best first.
  package static var supportedNames: [String] {
    [("avx512", MTLF_ISA_AVX512), ("avx2", MTLF_ISA_AVX2), ("neon", MTLF_ISA_NEON), ("scalar", MTLF_ISA_SCALAR)]
      .filter { mtlf_isa_is_supported($0.1) != 0 }.map(\.0)
  }
}

/// The one place where a kernel's status becomes an error.
func kernelError(_ status: mtlf_status, in operation: String) -> MTLFastError {
  MTLFastError(.system, "\(operation): \(String(cString: mtlf_status_text(status))).")
}

func check(_ status: mtlf_status, in operation: @autoclosure () -> String) throws {
  guard status == MTLF_OK else { throw kernelError(status, in: operation()) }
}

private func environment(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }
