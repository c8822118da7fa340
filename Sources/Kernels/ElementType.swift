// SPDX-License-Identifier: Apache-2.0
// What the elements of a buffer are.

internal import CKernels

/// The type of a buffer's elements.
package enum ElementType: Hashable, Sendable {
  case float32
  case bfloat16

  package var bytes: Int {
    switch self {
    case .float32: 4
    case .bfloat16: 2
    }
  }

  var kernel: mtlf_element {
    switch self {
    case .float32: MTLF_F32
    case .bfloat16: MTLF_BF16
    }
  }
}
