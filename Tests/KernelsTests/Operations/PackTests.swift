// SPDX-License-Identifier: Apache-2.0
// Plain matrices to packed panels and back.

import CKernels
import CReference
import Testing

extension KernelTests {
  struct PackTests {
    @Test(arguments: [1, 3, 40], [1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 65, 100])
    func packsPanelsAndPadsWithZeros(rows: Int, columns: Int) throws {
      let plain = try Operand(rows * columns, .reals, seed: 1)
      for configuration in try Configuration.all(threads: [1, 2]) {
        var context = configuration.context
        let side = configuration.side
        let panel = Int(mtlf_panel_columns(&context))
        let count = mtlf_packed_floats(Int64(rows), Int64(columns), &context)
        #expect(count == (columns + panel - 1) / panel * panel * rows)
        let packed = try GuardedBuffer<Float>(count, side)
        try #require(mtlf_pack_f32(Int64(rows), Int64(columns), plain[side], packed.pointer, &context) == MTLF_OK)
        var expected = [Float](repeating: 0, count: count)
        for row in 0..<rows {
          for column in 0..<columns {
            expected[(column / panel * rows + row) * panel + column % panel] = plain.right[row * columns + column]
          }
        }
        #expect(packed.array == expected, "\(configuration)")
        let unpacked = try GuardedBuffer<Float>(rows * columns, side)
        try #require(
          mtlf_unpack_f32(Int64(rows), Int64(columns), packed.pointer, unpacked.pointer, &context) == MTLF_OK)
        unpacked.expectSameBits(as: plain.right, "unpacked, \(configuration)")
      }
    }

    @Test func panelsAreThoseOfTheInstructionSet() throws {
      for isa in mtlf_isa.supported {
        var context = try mtlf_context(isa)
        let expected: Int32 = isa == MTLF_ISA_AVX512 ? 32 : isa == MTLF_ISA_AVX2 ? 16 : 8
        #expect(mtlf_panel_columns(&context) == expected)
      }
    }

    @Test func wrongArgumentsAreRefused() throws {
      var context = try mtlf_context(MTLF_ISA_SCALAR)
      let buffer = try GuardedBuffer<Float>(64)
      let x = buffer.pointer
      let impossible: [(Int64, Int64)] = [
        (0, 1), (1, 0), (-1, 1), (1, -1), (.max, .max), (1 << 40, 1 << 40), (1, .max),
      ]
      for (rows, columns) in impossible {
        #expect(mtlf_packed_floats(rows, columns, &context) == 0)
        expectRefusal(MTLF_ERR_BAD_SHAPE, "pack \(rows)x\(columns)", outputs: [buffer]) {
          mtlf_pack_f32(rows, columns, x, x, &context)
        }
        expectRefusal(MTLF_ERR_BAD_SHAPE, "unpack \(rows)x\(columns)", outputs: [buffer]) {
          mtlf_unpack_f32(rows, columns, x, x, &context)
        }
      }
      let table: [(String, () -> mtlf_status)] = [
        ("pack from nothing", { mtlf_pack_f32(1, 1, nil, x, &context) }),
        ("pack to nothing", { mtlf_pack_f32(1, 1, x, nil, &context) }),
        ("unpack from nothing", { mtlf_unpack_f32(1, 1, nil, x, &context) }),
        ("unpack to nothing", { mtlf_unpack_f32(1, 1, x, nil, &context) }),
      ]
      for (name, call) in table { expectRefusal(MTLF_ERR_NULL_POINTER, name, outputs: [buffer], call) }
    }
  }
}
