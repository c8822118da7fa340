// SPDX-License-Identifier: Apache-2.0
// Nearest-neighbour upsampling against the reference.

import CKernels
import CReference
import Testing

extension KernelTests {
  struct Upsample2DTests {
    static let shapes: [[Int32]] =
      [
        [1, 1, 1, 1, 1, 1], [2, 3, 4, 5, 2, 2], [3, 2, 5, 3, 1, 3], [1, 7, 1, 2, 3, 1], [17, 2, 2, 4, 2, 2],
        [2, 5, 3, 1, 4, 2],
      ] + [7, 8, 9, 15, 16, 17, 31, 32, 33, 100].map { [2, 3, 2, $0, 2, 2] }

    static func upsample(_ s: [Int32]) -> mtlf_upsample2d {
      mtlf_upsample2d(batch: s[0], height: s[1], width: s[2], channels: s[3], scale_h: s[4], scale_w: s[5])
    }

    @Test(arguments: shapes) func equalsTheReference(_ shape: [Int32]) throws {
      var upsample = Self.upsample(shape)
      let small = shape[0..<4].reduce(1) { $0 * Int($1) }
      let large = shape.reduce(1) { $0 * Int($1) }
      let input = try Operand(small, .integersAndNaN(8), seed: 1)
      let dOutput = try Operand(large, .integers(8), seed: 2)
      let expected = try GuardedBuffer<Double>(large)
      let expectedDInput = try GuardedBuffer<Double>(small)
      reference_upsample2d_forward(&upsample, input.wide.pointer, expected.pointer)
      reference_upsample2d_backward(&upsample, dOutput.wide.pointer, expectedDInput.pointer)
      for configuration in try Configuration.all() {
        var context = configuration.context
        let side = configuration.side
        let output = try GuardedBuffer<Float>(large, side)
        let dInput = try GuardedBuffer<Float>(small, side)
        try #require(mtlf_upsample2d_forward_f32(&upsample, input[side], output.pointer, &context) == MTLF_OK)
        output.expectEqual(expected, "output, \(configuration)")
        try #require(mtlf_upsample2d_backward_f32(&upsample, dOutput[side], dInput.pointer, &context) == MTLF_OK)
        dInput.expectEqual(expectedDInput, "d_input, \(configuration)")
      }
    }

    @Test func referenceGradientIsThatOfItsOutput() throws {
      var upsample = Self.upsample([2, 2, 3, 2, 2, 3])
      let x = try reals(24, seed: 1)
      let d = try reals(144, seed: 2)
      let gradient = [Double].filled(24) { reference_upsample2d_backward(&upsample, d, $0) }
      expectGradient(
        gradient, of: { x in dot(.filled(144) { reference_upsample2d_forward(&upsample, x, $0) }, d) }, at: x,
        "d_input")
    }

    @Test func wrongArgumentsAreRefused() throws {
      let x = try Operand(64, .reals, seed: 1).right
      let y = try GuardedBuffer<Float>(64)
      var good = Self.upsample([1, 2, 2, 2, 2, 2])
      var context = try mtlf_context(MTLF_ISA_BEST)
      context.threads = 0
      let (from, to) = (x.pointer, y.pointer)
      var table: [(String, mtlf_status, () -> mtlf_status)] = [
        ("no shape", MTLF_ERR_NULL_POINTER, { mtlf_upsample2d_forward_f32(nil, from, to, nil) }),
        ("no input", MTLF_ERR_NULL_POINTER, { mtlf_upsample2d_forward_f32(&good, nil, to, nil) }),
        ("no output", MTLF_ERR_NULL_POINTER, { mtlf_upsample2d_forward_f32(&good, from, nil, nil) }),
        ("no d_output", MTLF_ERR_NULL_POINTER, { mtlf_upsample2d_backward_f32(&good, nil, to, nil) }),
        ("no d_input", MTLF_ERR_NULL_POINTER, { mtlf_upsample2d_backward_f32(&good, from, nil, nil) }),
        ("no threads", MTLF_ERR_BAD_VALUE, { mtlf_upsample2d_forward_f32(&good, from, to, &context) }),
      ]
      var wrong: [(String, mtlf_upsample2d)] = [
        ("more values than memory", Self.upsample([1 << 20, 1 << 20, 1 << 20, 1 << 10, 1, 1]))
      ]
      for field in [
        \mtlf_upsample2d.batch, \.height, \.width, \.channels, \.scale_h, \.scale_w,
      ] {
        for value in [Int32(0), -1, .min, .max] {
          var shape = good
          shape[keyPath: field] = value
          wrong.append(("\(shape)", shape))
        }
      }
      for (name, shape) in wrong {
        table += [
          (
            "forward, \(name)", MTLF_ERR_BAD_SHAPE,
            { withUnsafePointer(to: shape) { mtlf_upsample2d_forward_f32($0, from, to, nil) } }
          ),
          (
            "backward, \(name)", MTLF_ERR_BAD_SHAPE,
            { withUnsafePointer(to: shape) { mtlf_upsample2d_backward_f32($0, from, to, nil) } }
          ),
        ]
      }
      for (name, status, call) in table { expectRefusal(status, name, outputs: [y], call) }
    }
  }
}
