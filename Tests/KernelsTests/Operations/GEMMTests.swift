// SPDX-License-Identifier: Apache-2.0
// The matrix product against the reference.

import CKernels
import CReference
import Testing

extension KernelTests {
  struct GEMMTests {
    /// A product [M, K] x [K, N].
    struct Product: CustomTestStringConvertible, Sendable {
      var m: Int, n: Int, k: Int
      var testDescription: String { "\(m)x\(k) times \(k)x\(n)" }

      static let all: [Product] =
        [1, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 97].map { Product(m: $0, n: 9, k: 7) }
        + [1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 65].map { Product(m: 5, n: $0, k: 7) }
        + [1, 2, 3, 64, 257].map { Product(m: 13, n: 20, k: $0) }
        + [Product(m: 1, n: 1, k: 1), Product(m: 67, n: 71, k: 73)]
    }

    /// The sum runs over k in order, so that fp32 in a plain loop gives the same bits.
    @Test(arguments: Product.all) func equalsAPlainLoop(_ product: Product) throws {
      let (m, n, k) = (product.m, product.n, product.k)
      let a = try Operand(m * k, .reals, seed: 1)
      let b = try Operand(k * n, .reals, seed: 2)
      let exact = try GuardedBuffer<Double>(m * n)
      var dense = mtlf_dense(batch: Int32(m), inputs: Int32(k), units: Int32(n))
      reference_dense_forward(&dense, a.wide.pointer, b.wide.pointer, nil, 0, exact.pointer)
      for configuration in try Configuration.all() {
        var context = configuration.context
        let side = configuration.side
        let expected = try GuardedBuffer<Float>(m * n)
        for row in 0..<m {
          for column in 0..<n {
            expected[row * n + column] = reference_dot_in_order(
              Int64(k), a.right.pointer + row * k, 1, b.right.pointer + column, n, 0, configuration.isa.isFused ? 1 : 0)
          }
        }
        let workspace = try GuardedBuffer<UInt8>(mtlf_gemm_workspace_bytes(Int64(k), Int64(n), &context), side)
        let output = try GuardedBuffer<Float>(m * n, side)
        try #require(
          mtlf_gemm_f32(
            Int64(m), Int64(n), Int64(k), a[side], b[side], output.pointer, workspace.pointer, workspace.count,
            &context) == MTLF_OK)
        output.expectSameBits(as: expected, "output, \(configuration)", shape: [Int32(m), Int32(n)])
        output.expectNear(exact, bound: bound(terms: k, exact), "output, \(configuration)")
      }
    }

    @Test func wrongArgumentsAreRefused() throws {
      let (a, b) = (try Operand(6, .reals, seed: 1), try Operand(8, .reals, seed: 2))
      let output = try GuardedBuffer<Float>(12)
      for configuration in try Configuration.all(threads: [1]) {
        var context = configuration.context
        let workspace = try GuardedBuffer<UInt8>(mtlf_gemm_workspace_bytes(2, 4, &context))
        let (x, y, z, memory) = (a.right.pointer, b.right.pointer, output.pointer, workspace.pointer)
        let bytes = workspace.count
        let huge = Int64(Int32.max)
        let table: [(String, mtlf_status, () -> mtlf_status)] = [
          ("no a", MTLF_ERR_NULL_POINTER, { mtlf_gemm_f32(3, 4, 2, nil, y, z, memory, bytes, &context) }),
          ("no b", MTLF_ERR_NULL_POINTER, { mtlf_gemm_f32(3, 4, 2, x, nil, z, memory, bytes, &context) }),
          ("no output", MTLF_ERR_NULL_POINTER, { mtlf_gemm_f32(3, 4, 2, x, y, nil, memory, bytes, &context) }),
          ("no workspace", MTLF_ERR_NULL_POINTER, { mtlf_gemm_f32(3, 4, 2, x, y, z, nil, bytes, &context) }),
          ("m 0", MTLF_ERR_BAD_SHAPE, { mtlf_gemm_f32(0, 4, 2, x, y, z, memory, bytes, &context) }),
          ("n -1", MTLF_ERR_BAD_SHAPE, { mtlf_gemm_f32(3, -1, 2, x, y, z, memory, bytes, &context) }),
          ("k 0", MTLF_ERR_BAD_SHAPE, { mtlf_gemm_f32(3, 4, 0, x, y, z, memory, bytes, &context) }),
          ("m huge", MTLF_ERR_BAD_SHAPE, { mtlf_gemm_f32(huge, 4, 2, x, y, z, memory, bytes, &context) }),
          ("n huge", MTLF_ERR_BAD_SHAPE, { mtlf_gemm_f32(3, huge, 2, x, y, z, memory, bytes, &context) }),
          ("k huge", MTLF_ERR_BAD_SHAPE, { mtlf_gemm_f32(3, 4, .max, x, y, z, memory, bytes, &context) }),
          ("misaligned", MTLF_ERR_MISALIGNED, { mtlf_gemm_f32(3, 4, 2, x, y, z, memory + 16, bytes, &context) }),
          (
            "too small", MTLF_ERR_WORKSPACE_TOO_SMALL, { mtlf_gemm_f32(3, 4, 2, x, y, z, memory, bytes - 1, &context) }
          ),
        ]
        for (name, status, call) in table {
          expectRefusal(status, "\(name), \(configuration)", outputs: [output, workspace], call)
        }
      }
      #expect(mtlf_gemm_workspace_bytes(0, 4, nil) == 0)
      #expect(mtlf_gemm_workspace_bytes(2, -1, nil) == 0)
      #expect(mtlf_gemm_workspace_bytes(.max, 1, nil) == 0)
    }
  }
}
