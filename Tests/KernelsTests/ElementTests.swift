// SPDX-License-Identifier: Apache-2.0
// bfloat16: what floats become, and that nothing is lost on the way back.

import CReference
import Testing

extension KernelTests {
  struct ElementTests {
    @Test func everyBFloat16ComesBack() {
      for bits in UInt16.min...UInt16.max {
        let value = internal_f32_of_bf16(bits)
        #expect(value.bitPattern == UInt32(bits) << 16)
        let back = internal_bf16_of_f32(value)
        // A NaN becomes quiet.
        #expect(back == (value.isNaN ? bits | 0x40 : bits), "\(bits)")
      }
    }

    @Test func theNearestIsTakenAndOfTwoTheEven() {
      for (bits, expected) in [
        (0x3f80_0000, 0x3f80), (0x3f80_7fff, 0x3f80), (0x3f80_8000, 0x3f80), (0x3f80_8001, 0x3f81),
        (0x3f81_8000, 0x3f82), (0xbf81_7fff, 0xbf81), (0xbf81_8000, 0xbf82), (0x0000_8000, 0x0000),
        (0x0000_8001, 0x0001), (0x8000_8001, 0x8001), (0x3fff_8000, 0x4000), (0x7f7f_7fff, 0x7f7f),
        (0x7f7f_8000, 0x7f80), (0xff7f_ffff, 0xff80), (0x7f80_0000, 0x7f80), (0x7f80_0001, 0x7fc0),
        (0xff80_0001, 0xffc0), (0x7fff_ffff, 0x7fff),
      ] as [(UInt32, UInt16)] {
        let actual = internal_bf16_of_f32(Float(bitPattern: bits))
        #expect(actual == expected, "\(String(bits, radix: 16)) became \(String(actual, radix: 16))")
      }
    }
  }
}
