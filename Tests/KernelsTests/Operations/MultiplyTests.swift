// SPDX-License-Identifier: Apache-2.0
// Products of two tensors against the reference, plain and as operations of a plan: each is rounded once.

import CKernels
import CReference
import Testing

extension KernelTests {
  struct MultiplyTests {
    /// Two factors and a gradient, and what the reference makes of them.
    struct Oracle {
      let a, b, d: Operand
      let output, dA, dB: GuardedBuffer<Double>

      init(_ n: Int, _ values: Values = .reals) throws {
        a = try Operand(n, values, seed: 1)
        b = try Operand(n, values, seed: 2)
        d = try Operand(n, values, seed: 3)
        output = try GuardedBuffer(n)
        dA = try GuardedBuffer(n)
        dB = try GuardedBuffer(n)
        let (a, b, d) = (a.wide.pointer, b.wide.pointer, d.wide.pointer)
        reference_multiply_forward(Int64(n), a, b, output.pointer)
        reference_multiply_backward(Int64(n), a, b, d, dA.pointer, dB.pointer)
      }
    }

    @Test(arguments: ElementwiseTests.counts) func equalsTheReference(n: Int) throws {
      for values in [Values.reals, .integersAndNaN(3)] {
        let oracle = try Oracle(n, values)
        for configuration in try Configuration.all() {
          var context = configuration.context
          let side = configuration.side
          let (a, b, d) = (oracle.a[side], oracle.b[side], oracle.d[side])
          let output = try GuardedBuffer<Float>(n, side)
          let (dA, dB) = (try GuardedBuffer<Float>(n, side), try GuardedBuffer<Float>(n, side))
          try #require(mtlf_multiply_forward_f32(Int64(n), a, b, output.pointer, &context) == MTLF_OK)
          output.expectEqual(oracle.output, "output, \(configuration)")
          try #require(
            mtlf_multiply_backward_f32(Int64(n), a, b, d, dA.pointer, dB.pointer, &context) == MTLF_OK)
          dA.expectEqual(oracle.dA, "d_a, \(configuration)")
          dB.expectEqual(oracle.dB, "d_b, \(configuration)")
        }
      }
    }

    @Test(arguments: [1, 15, 17, 70_001]) func mayBeInPlace(n: Int) throws {
      let oracle = try Oracle(n)
      let count = Int64(n)
      for configuration in try Configuration.all() {
        var context = configuration.context
        let side = configuration.side
        let (a, b) = (oracle.a[side], oracle.b[side])
        let other = try GuardedBuffer<Float>(n, side)
        for isA in [true, false] {
          let factor = try GuardedBuffer((isA ? oracle.a : oracle.b).right.array, side)
          let (x, y) = isA ? (UnsafePointer(factor.pointer), b) : (a, UnsafePointer(factor.pointer))
          try #require(mtlf_multiply_forward_f32(count, x, y, factor.pointer, &context) == MTLF_OK)
          factor.expectEqual(oracle.output, "in place of \(isA ? "a" : "b"), \(configuration)")
          let d = try GuardedBuffer(oracle.d.right.array, side)
          let (dA, dB) = isA ? (d, other) : (other, d)
          try #require(
            mtlf_multiply_backward_f32(count, a, b, d.pointer, dA.pointer, dB.pointer, &context) == MTLF_OK)
          dA.expectEqual(oracle.dA, "d_a, \(configuration)")
          dB.expectEqual(oracle.dB, "d_b, \(configuration)")
        }
      }
    }

    @Test(arguments: [[5, 3, 4, 10], [4, 1, 1, 17], [3, 2, 300, 3]] as [[Int32]])
    func operationsEqualTheReference(shape: [Int32]) throws {
      let oracle = try Oracle(shape.elements)
      for configuration in try Configuration.all() {
        let side = configuration.side
        let a = try HaloImages(shape, pads: [1, 0, 2, 1], oracle.a.right.array, side)
        let b = try HaloImages(shape, pads: [0, 0, 0, 0], oracle.b.right.array, side)
        let d = try HaloImages(shape, pads: [0, 2, 1, 0], oracle.d.right.array, side)
        let to = try HaloImages(shape, pads: [1, 1, 1, 1], halo: 7, nil, side)
        func multiply(_ x: HaloImages, _ y: HaloImages, to: HaloImages) throws -> [Float] {
          try configuration.run(
            mtlf_multiply_op(a: x.tensor, b: y.tensor, to: to.tensor), shard: mtlf_multiply_shard, batch: shape[0])
          return to.values
        }
        #expect(try multiply(a, b, to: to) == oracle.output.array.map(Float.init), "output, \(configuration)")
        #expect(try multiply(d, a, to: to) == oracle.dB.array.map(Float.init), "d_b, \(configuration)")
        #expect(try multiply(d, b, to: d) == oracle.dA.array.map(Float.init), "d_a in place, \(configuration)")
        #expect(to.halo.allSatisfy { $0 == 7 } && d.halo.allSatisfy { $0.isNaN }, "halos, \(configuration)")
      }
    }

    /// Products of bfloat16 are exact in float, so that only the one rounding shows.
    @Test func operationsRoundTheResultsOfFloats() throws {
      let (height, width, channels) = (Int32(3), Int32(7), Int32(40))
      let count = 5 * Int(height * width * channels)
      let x = try Operand(count, .reals, seed: 1).right.array.map(internal_bf16_of_f32)
      let y = try Operand(count, .reals, seed: 2).right.array.map(internal_bf16_of_f32)
      let expected = zip(x, y).map { internal_bf16_of_f32(internal_f32_of_bf16($0) * internal_f32_of_bf16($1)) }
      let row = Int(width * channels)
      func tensor(_ buffer: GuardedBuffer<UInt16>) -> mtlf_tensor {
        let view = mtlf_view(
          data: buffer.pointer, element: MTLF_BF16, height: height, width: width, channels: channels,
          sample_stride: row * Int(height), row_stride: row)
        return mtlf_tensor(view: view, thread_stride: 0)
      }
      for configuration in try Configuration.all(threads: [1, 2]) {
        let (a, b, to) = (try GuardedBuffer(x), try GuardedBuffer(y), try GuardedBuffer<UInt16>(count))
        try configuration.run(
          mtlf_multiply_op(a: tensor(a), b: tensor(b), to: tensor(to)), shard: mtlf_multiply_shard, batch: 5)
        #expect(to.array == expected, "\(configuration)")
      }
    }

    @Test func referenceGradientsAreThoseOfItsOutputs() throws {
      let (a, b, d) = (try reals(20, seed: 1), try reals(20, seed: 2), try reals(20, seed: 3))
      func loss(_ a: [Double], _ b: [Double]) -> Double {
        dot(.filled(20) { reference_multiply_forward(20, a, b, $0) }, d)
      }
      var dB = [Double](repeating: 0, count: 20)
      let dA = [Double].filled(20) { reference_multiply_backward(20, a, b, d, $0, &dB) }
      expectGradient(dA, of: { loss($0, b) }, at: a, "d_a")
      expectGradient(dB, of: { loss(a, $0) }, at: b, "d_b")
    }

    @Test func wrongArgumentsAreRefused() throws {
      let operand = try Operand(4, .reals, seed: 1)
      let outputs = [try GuardedBuffer<Float>(4), try GuardedBuffer<Float>(4)]
      let x = UnsafePointer(operand.right.pointer)
      let (y, z) = (outputs[0].pointer, outputs[1].pointer)
      var context = try mtlf_context(MTLF_ISA_BEST)
      context.threads = 0
      var table: [(String, mtlf_status, () -> mtlf_status)] = [
        ("no a", MTLF_ERR_NULL_POINTER, { mtlf_multiply_forward_f32(4, nil, x, y, nil) }),
        ("no b", MTLF_ERR_NULL_POINTER, { mtlf_multiply_forward_f32(4, x, nil, y, nil) }),
        ("no y", MTLF_ERR_NULL_POINTER, { mtlf_multiply_forward_f32(4, x, x, nil, nil) }),
        ("backward, no a", MTLF_ERR_NULL_POINTER, { mtlf_multiply_backward_f32(4, nil, x, x, y, z, nil) }),
        ("backward, no b", MTLF_ERR_NULL_POINTER, { mtlf_multiply_backward_f32(4, x, nil, x, y, z, nil) }),
        ("backward, no d_output", MTLF_ERR_NULL_POINTER, { mtlf_multiply_backward_f32(4, x, x, nil, y, z, nil) }),
        ("backward, no d_a", MTLF_ERR_NULL_POINTER, { mtlf_multiply_backward_f32(4, x, x, x, nil, z, nil) }),
        ("backward, no d_b", MTLF_ERR_NULL_POINTER, { mtlf_multiply_backward_f32(4, x, x, x, y, nil, nil) }),
        ("no threads", MTLF_ERR_BAD_VALUE, { mtlf_multiply_forward_f32(4, x, x, y, &context) }),
        ("backward, no threads", MTLF_ERR_BAD_VALUE, { mtlf_multiply_backward_f32(4, x, x, x, y, z, &context) }),
      ]
      for n in [Int64(0), -1, .min] {
        table += [
          ("of \(n)", MTLF_ERR_BAD_SHAPE, { mtlf_multiply_forward_f32(n, x, x, y, nil) }),
          ("backward of \(n)", MTLF_ERR_BAD_SHAPE, { mtlf_multiply_backward_f32(n, x, x, x, y, z, nil) }),
        ]
      }
      for (name, status, call) in table { expectRefusal(status, name, outputs: outputs, call) }
    }
  }
}
