// SPDX-License-Identifier: Apache-2.0
// What training runs on here.

import Kernels
import MTLFast

/// The instruction set and the threads that a training uses unless it is told otherwise.
public struct Platform: Sendable {
  /// `avx512`, `avx2`, `neon` or `scalar`.
  public let isaName: String
  public let threads: Int

  /// - Throws: `MTLFastError` of kind `usage` where MTLF_ISA or MTLF_CONV can't be used.
  public init() throws {
    let context = try KernelContext()
    isaName = context.isaName
    threads = context.threads
  }
}
