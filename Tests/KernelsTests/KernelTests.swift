// SPDX-License-Identifier: Apache-2.0
// The suite that holds the tests of every kernel, and the ways in which each kernel is run.

import CKernels
import CReference
import Foundation
import Testing

/// Tests of the C kernels against the double-precision reference. One after the other: each starts teams of threads.
@Suite(.serialized) enum KernelTests {}

/// An instruction set, a convolution path, a number of threads, and the side on which buffers touch a trapping page.
struct Configuration: CustomStringConvertible {
  var context: mtlf_context
  var isa: mtlf_isa
  var side: reference_side

  var isIm2col: Bool { context.conv_path == MTLF_CONV_IM2COL }

  var description: String {
    "\(isa.name), \(context.threads) threads, \(isIm2col ? "im2col" : "direct"), "
      + (side == REFERENCE_FLUSH_LEFT ? "flush left" : "flush right")
  }

  /// Every supported instruction set with 1, 2 and 3 threads; for convolutions also every path.
  static func all(paths: [mtlf_conv_path] = [MTLF_CONV_DIRECT], threads: [Int32] = [1, 2, 3]) throws
    -> [Configuration]
  {
    var configurations: [Configuration] = []
    for isa in mtlf_isa.supported {
      for path in paths {
        for count in threads {
          var context = try mtlf_context(isa, threads: count)
          context.conv_path = path
          let side = count % 2 == 0 ? REFERENCE_FLUSH_LEFT : REFERENCE_FLUSH_RIGHT
          configurations.append(Configuration(context: context, isa: isa, side: side))
        }
      }
    }
    return configurations
  }
}

extension mtlf_isa {
  static let named = [MTLF_ISA_SCALAR, MTLF_ISA_NEON, MTLF_ISA_AVX2, MTLF_ISA_AVX512]
  static let supported = named.filter { mtlf_isa_is_supported($0) != 0 }

  var name: String {
    switch self {
    case MTLF_ISA_SCALAR: "scalar"
    case MTLF_ISA_NEON: "neon"
    case MTLF_ISA_AVX2: "avx2"
    case MTLF_ISA_AVX512: "avx512"
    default: "best"
    }
  }

  /// Whether a product and the sum it is added to are rounded once.
  var isFused: Bool { self != MTLF_ISA_SCALAR }
}

extension mtlf_context {
  init(_ isa: mtlf_isa, threads: Int32 = 1) throws {
    // Threads that wait for work would take the time of the next test.
    _ = Self.threadsSleep
    self.init()
    try #require(mtlf_context_init(&self, isa, threads) == MTLF_OK)
    conv_path = MTLF_CONV_DIRECT
  }

  private static let threadsSleep: Void = { setenv("KMP_BLOCKTIME", "0", 0) }()
}

extension mtlf_status {
  var text: String { String(cString: mtlf_status_text(self)) }
}

/// Fails unless a call is refused with a status and leaves its outputs as they were.
func expectRefusal(
  _ expected: mtlf_status, _ what: String, outputs: [any Untouchable],
  sourceLocation: SourceLocation = #_sourceLocation, _ call: () -> mtlf_status
) {
  let status = call()
  #expect(status == expected, "\(what): \(status.text)", sourceLocation: sourceLocation)
  #expect(outputs.allSatisfy { $0.isUntouched }, "\(what) touched an output", sourceLocation: sourceLocation)
}
