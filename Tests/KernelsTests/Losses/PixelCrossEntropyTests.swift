// SPDX-License-Identifier: Apache-2.0
// Softmax cross-entropy of pixels against the reference.

import CKernels
import CReference
import Foundation
import Testing

extension KernelTests {
  struct PixelCrossEntropyTests {
    static let eps = 0x1p-23

    struct Problem: CustomTestStringConvertible, Sendable {
      var batch = 3
      var pixels: Int
      var classes: Int
      /// Logits are from -spread to spread.
      var spread: Float = 8
      /// Every so many pixels have no label; all of the second sample's, where 1.
      var missing: Int?
      var isWeighted = false
      var smoothing: Float = 0
      var testDescription: String {
        "\(batch)x\(pixels)x\(classes) up to \(spread), missing \(missing ?? 0), weighted \(isWeighted), "
          + "smoothing \(smoothing)"
      }

      static let all: [Problem] =
        [1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 31, 32, 33, 64, 255].map { Problem(pixels: 37, classes: $0) }
        + [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 255, 256, 257, 1024].map {
          Problem(pixels: $0, classes: 3, missing: 4, isWeighted: $0 % 2 == 1)
        }
        + [1e-3, 1, 40, 1e4].map { Problem(pixels: 65, classes: 11, spread: $0, smoothing: 0.1) }
        + [
          Problem(batch: 1, pixels: 100, classes: 12, isWeighted: true, smoothing: 0.25),
          Problem(batch: 37, pixels: 9, classes: 4, missing: 2, isWeighted: true, smoothing: 0.5),
          Problem(pixels: 50, classes: 6, missing: 1, smoothing: 0.1),
        ]

      var mask: [UInt8] {
        (0..<batch * pixels).map { i in
          if let missing, missing == 1 ? i / pixels == 1 : i % missing == 0 { return UInt8(MTLF_IGNORED) }
          return UInt8(i * 7 / 3 % classes)
        }
      }
    }

    @Test(arguments: Problem.all) func isNearTheReference(_ problem: Problem) throws {
      let (batch, pixels, classes) = (Int32(problem.batch), Int32(problem.pixels), Int32(problem.classes))
      let count = problem.batch * problem.pixels * problem.classes
      let logits = try Operand(count) {
        reference_fill_reals(Int64(count), 1, $0)
        for i in 0..<count { $0[i] *= problem.spread }
      }
      let mask = problem.mask
      let weights = try Operand((0..<problem.classes).map { Float($0 % 4) / 2 + 0.5 })
      let before = try Operand(count, .reals, seed: 2)
      let expectedP = try GuardedBuffer<Double>(count)
      let expectedD = try GuardedBuffer(before.doubles)
      let zeros = [Int64](repeating: 0, count: problem.classes * problem.classes)
      var expectedConfusion = zeros
      var expected = mtlf_loss_sum()
      reference_pixel_cross_entropy(
        batch, pixels, classes, logits.wide.pointer, mask, problem.isWeighted ? weights.wide.pointer : nil,
        Double(problem.smoothing), 0.25, expectedP.pointer, expectedD.pointer, &expectedConfusion, &expected)
      var firsts: [mtlf_isa.RawValue: (d: GuardedBuffer<Float>, loss: Double)] = [:]
      for configuration in try Configuration.all() {
        var context = configuration.context
        let side = configuration.side
        let labels = try GuardedBuffer(mask, side)
        let classWeights = problem.isWeighted ? weights[side] : nil
        func run(
          _ p: GuardedBuffer<Float>?, _ d: GuardedBuffer<Float>?, _ confusion: GuardedBuffer<Int64>?
        ) throws -> mtlf_loss_sum {
          let result = try GuardedBuffer<mtlf_loss_sum>(1)
          try #require(
            mtlf_pixel_cross_entropy_f32(
              batch, pixels, classes, logits[side], labels.pointer, classWeights, problem.smoothing, 0.25, p?.pointer,
              d?.pointer, confusion?.pointer, result.pointer, &context) == MTLF_OK)
          return result[0]
        }
        let p = try GuardedBuffer<Float>(count, side)
        let d = try GuardedBuffer(before.right.array, side)
        let result = try run(p, d, nil)
        p.expectNear(expectedP, bound: 6 * Self.eps, "probabilities, \(configuration)")
        d.expectNear(expectedD, bound: 4 * Self.eps, "d_logits, \(configuration)")
        // A mean of roundings of the largest term of a pixel.
        #expect(
          abs(result.loss_sum - expected.loss_sum) <= 4 * Self.eps * (expected.loss_sum + Double(expected.present)),
          "\(result.loss_sum) instead of \(expected.loss_sum), \(configuration)")
        #expect(result.present == expected.present, "\(configuration)")
        // The same bits with other outputs and other threads.
        let confusion = try GuardedBuffer(zeros, side)
        let again = try GuardedBuffer(before.right.array, side)
        #expect(try run(nil, again, confusion).loss_sum == result.loss_sum, "\(configuration)")
        again.expectSameBits(as: d, "d_logits without probabilities, \(configuration)")
        #expect(confusion.array == expectedConfusion, "\(configuration)")
        #expect(try run(nil, nil, nil).loss_sum == result.loss_sum, "\(configuration)")
        if let first = firsts[configuration.isa.rawValue] {
          d.expectSameBits(as: first.d, "d_logits by threads, \(configuration)")
          #expect(result.loss_sum == first.loss, "\(configuration)")
        } else {
          firsts[configuration.isa.rawValue] = (d, result.loss_sum)
        }
      }
    }

    /// Equal logits of 4 classes: every probability is 1/4, and no sum is rounded.
    @Test func isExactWhereNumbersAre() throws {
      for configuration in try Configuration.all() {
        var context = configuration.context
        var d = [Float](repeating: 1, count: 2 * 4 * 4)
        var p = d
        var confusion = [Int64](repeating: 0, count: 16)
        var result = mtlf_loss_sum()
        let ignored = UInt8(MTLF_IGNORED)
        let mask: [UInt8] = [0, 3, ignored, ignored, 1, 1, 2, 3]
        try #require(
          mtlf_pixel_cross_entropy_f32(
            2, 4, 4, [Float](repeating: 3, count: 32), mask, nil, 0, 2, &p, &d, &confusion, &result, &context)
            == MTLF_OK)
        var expected = [Float](repeating: 1, count: 32)
        for (i, label) in mask.enumerated() where label != ignored {
          let share: Float = i < 4 ? 1 : 0.5
          for c in 0..<4 { expected[i * 4 + c] += share * (0.25 - (c == Int(label) ? 1 : 0)) }
        }
        #expect(p.allSatisfy { $0 == 0.25 } && d == expected, "\(configuration)")
        #expect(confusion == [1, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0], "first of equals, \(configuration)")
        #expect(abs(result.loss_sum - 2 * log(4)) < 4 * Self.eps && result.present == 2, "\(configuration)")
      }
    }

    @Test func ignoredPixelsAddNothingWhateverTheyHold() throws {
      for configuration in try Configuration.all() {
        var context = configuration.context
        var logits = [Float](repeating: 0.5, count: 40 * 3)
        var mask = [UInt8](repeating: 1, count: 40)
        for pixel in stride(from: 0, to: 40, by: 3) {
          mask[pixel] = UInt8(MTLF_IGNORED)
          logits[pixel * 3 + pixel % 2] = .nan
        }
        var d = [Float](repeating: 7, count: 120)
        var result = mtlf_loss_sum()
        try #require(
          mtlf_pixel_cross_entropy_f32(
            1, 40, 3, logits, mask, nil, 0, 1, nil, &d, nil, &result, &context) == MTLF_OK)
        for i in 0..<120 { #expect((d[i] == 7) == (i / 3 % 3 == 0), "\(i), \(configuration)") }
        #expect(abs(result.loss_sum - log(3)) < 4 * Self.eps, "\(configuration)")
        // Nothing at all.
        mask = [UInt8](repeating: UInt8(MTLF_IGNORED), count: 40)
        d = [Float](repeating: 7, count: 120)
        try #require(
          mtlf_pixel_cross_entropy_f32(
            1, 40, 3, logits, mask, nil, 0, 1, nil, &d, nil, &result, &context) == MTLF_OK)
        #expect(d.allSatisfy { $0 == 7 } && result.loss_sum == 0 && result.present == 0, "\(configuration)")
        // A class whose weight is 0 is there, and adds nothing.
        mask = [UInt8](repeating: 1, count: 40)
        try #require(
          mtlf_pixel_cross_entropy_f32(
            1, 40, 3, logits, mask, [1, 0, 1], 0, 1, nil, &d, nil, &result, &context) == MTLF_OK)
        #expect(d.allSatisfy { $0 == 7 } && result.loss_sum == 0 && result.present == 1, "\(configuration)")
      }
    }

    @Test func propagatesNaN() throws {
      for configuration in try Configuration.all(threads: [1]) {
        var context = configuration.context
        for position in 0..<5 {
          var logits = [Float](repeating: 0.5, count: 20 * 5)
          logits[11 * 5 + position] = .nan
          var d = [Float](repeating: 0, count: 100)
          var result = mtlf_loss_sum()
          let mask = [UInt8](repeating: 2, count: 20)
          try #require(
            mtlf_pixel_cross_entropy_f32(1, 20, 5, logits, mask, nil, 0, 1, nil, &d, nil, &result, &context) == MTLF_OK)
          #expect(result.loss_sum.isNaN, "\(position), \(configuration)")
          for i in 0..<100 { #expect(d[i].isNaN == (i / 5 == 11), "\(position), \(i), \(configuration)") }
        }
      }
    }

    @Test func referenceGradientIsThatOfItsLoss() throws {
      let logits = try reals(24, seed: 1)
      let mask: [UInt8] = [2, 255, 0, 1, 1, 255, 0, 2]
      var result = mtlf_loss_sum()
      var p = [Double](repeating: 0, count: 24)
      var d = p
      reference_pixel_cross_entropy(2, 4, 3, logits, mask, [0.5, 1, 2], 0.2, 0.75, &p, &d, nil, &result)
      expectGradient(
        d,
        of: { x in
          reference_pixel_cross_entropy(2, 4, 3, x, mask, [0.5, 1, 2], 0.2, 0.75, &p, nil, nil, &result)
          return 0.75 * result.loss_sum
        }, at: logits, "d_logits")
    }

    @Test func wrongArgumentsAreRefused() throws {
      let logits = try Operand(1024, .reals, seed: 1).right
      let d = try GuardedBuffer<Float>(1024)
      let p = try GuardedBuffer<Float>(1024)
      let confusion = try GuardedBuffer<Int64>(16)
      let result = try GuardedBuffer<mtlf_loss_sum>(1)
      var context = try mtlf_context(MTLF_ISA_BEST)
      context.threads = -1
      let x = logits.pointer
      func call(
        _ batch: Int32 = 2, _ pixels: Int32 = 2, _ classes: Int32 = 4, logits: UnsafePointer<Float>?,
        mask: [UInt8]? = [0, 3, 255, 1], weights: [Float]? = nil, smoothing: Float = 0,
        result: UnsafeMutablePointer<mtlf_loss_sum>?, context: UnsafePointer<mtlf_context>? = nil
      ) -> mtlf_status {
        mtlf_pixel_cross_entropy_f32(
          batch, pixels, classes, logits, mask, weights, smoothing, 1, p.pointer, d.pointer, confusion.pointer, result,
          context)
      }
      let to = result.pointer
      var table: [(String, mtlf_status, () -> mtlf_status)] = [
        ("no logits", MTLF_ERR_NULL_POINTER, { call(logits: nil, result: to) }),
        ("no mask", MTLF_ERR_NULL_POINTER, { call(logits: x, mask: nil, result: to) }),
        ("no result", MTLF_ERR_NULL_POINTER, { call(logits: x, result: nil) }),
        ("256 classes", MTLF_ERR_BAD_SHAPE, { call(1, 1, 256, logits: x, result: to) }),
        ("too many elements", MTLF_ERR_BAD_SHAPE, { call(1, .max, 2, logits: x, result: to) }),
        ("label 4 of 4", MTLF_ERR_BAD_VALUE, { call(logits: x, mask: [0, 4, 0, 0], result: to) }),
        ("label 254", MTLF_ERR_BAD_VALUE, { call(logits: x, mask: [0, 0, 0, 254], result: to) }),
        ("threads", MTLF_ERR_BAD_VALUE, { call(logits: x, result: to, context: &context) }),
      ]
      for size in [Int32(0), -1, .min] {
        table += [
          ("batch \(size)", MTLF_ERR_BAD_SHAPE, { call(size, logits: x, result: to) }),
          ("pixels \(size)", MTLF_ERR_BAD_SHAPE, { call(2, size, logits: x, result: to) }),
          ("classes \(size)", MTLF_ERR_BAD_SHAPE, { call(2, 2, size, logits: x, result: to) }),
        ]
      }
      for smoothing in [Float(-0.1), 1, 2, .nan] {
        table.append(
          ("smoothing \(smoothing)", MTLF_ERR_BAD_VALUE, { call(logits: x, smoothing: smoothing, result: to) }))
      }
      for weight in [Float(-1), .nan, .infinity] {
        table.append(
          ("weight \(weight)", MTLF_ERR_BAD_VALUE, { call(logits: x, weights: [1, 1, weight, 1], result: to) }))
      }
      for (name, status, refused) in table {
        expectRefusal(status, name, outputs: [d, p, confusion, result], refused)
      }
    }
  }
}
