// SPDX-License-Identifier: Apache-2.0
// Binary cross-entropy and Dice over masks against the reference.

import CKernels
import CReference
import Foundation
import Testing

extension KernelTests {
  struct MaskLossTests {
    static let eps = 0x1p-23
    static let losses = [
      MTLF_LOSS_BINARY_CROSS_ENTROPY, MTLF_LOSS_DICE, MTLF_LOSS_BINARY_CROSS_ENTROPY_DICE,
    ]

    struct Problem: CustomTestStringConvertible, Sendable {
      var batch = 3
      var pixels: Int
      var channels: Int
      /// Logits are from -spread to spread.
      var spread: Float = 4
      /// Every so many elements have no target; all of the second sample's, where 1.
      var missing: Int?
      var isWeighted = false
      var smoothing: Float = 0
      var testDescription: String {
        "\(batch)x\(pixels)x\(channels) up to \(spread), missing \(missing ?? 0), weighted \(isWeighted), "
          + "smoothing \(smoothing)"
      }

      static let all: [Problem] =
        [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 101, 512].map { Problem(pixels: 23, channels: $0) }
        + [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 257, 1024, 1400].map {
          Problem(pixels: $0, channels: 3, missing: 4, isWeighted: $0 % 2 == 1)
        }
        + [1, 4095, 4096, 4097, 9001].map { Problem(batch: 2, pixels: $0, channels: 1) }
        + [1e-3, 40, 1e4].map { Problem(pixels: 65, channels: 2, spread: $0, smoothing: 0.1) }
        + [
          Problem(batch: 37, pixels: 9, channels: 4, missing: 2, isWeighted: true, smoothing: 0.5),
          Problem(pixels: 50, channels: 3, missing: 1, smoothing: 0.1), Problem(pixels: 40, channels: 2, missing: 2),
        ]

      var mask: [UInt8] {
        (0..<batch * pixels * channels).map { i in
          if let missing, missing == 1 ? i / (pixels * channels) == 1 : i % missing == 0 { return UInt8(MTLF_IGNORED) }
          return i * 7 / 3 % 5 < 2 ? 1 : 0
        }
      }
    }

    @Test(arguments: Problem.all) func isNearTheReference(_ problem: Problem) throws {
      let (batch, pixels, channels) = (Int32(problem.batch), Int32(problem.pixels), Int32(problem.channels))
      let count = problem.batch * problem.pixels * problem.channels
      let logits = try Operand(count) {
        reference_fill_reals(Int64(count), 1, $0)
        for i in 0..<count { $0[i] *= problem.spread }
      }
      let mask = problem.mask
      let weights = try Operand([0.5, 3])
      let before = try Operand(count, .reals, seed: 2)
      let zeros = [Int64](repeating: 0, count: problem.channels * 4)
      for loss in Self.losses {
        let expectedP = try GuardedBuffer<Double>(count)
        let expectedD = try GuardedBuffer(before.doubles)
        var expectedCounts = zeros
        var expected = mtlf_loss_sum()
        reference_mask_loss(
          loss, batch, pixels, channels, logits.wide.pointer, mask, problem.isWeighted ? weights.wide.pointer : nil,
          Double(problem.smoothing), 0.25, expectedP.pointer, expectedD.pointer, &expectedCounts, &expected)
        var firsts: [mtlf_isa.RawValue: (d: GuardedBuffer<Float>, loss: Double)] = [:]
        for configuration in try Configuration.all() {
          var context = configuration.context
          let side = configuration.side
          let labels = try GuardedBuffer(mask, side)
          let classWeights = problem.isWeighted ? weights[side] : nil
          func run(
            _ p: GuardedBuffer<Float>?, _ d: GuardedBuffer<Float>?, _ counts: GuardedBuffer<Int64>?
          ) throws -> mtlf_loss_sum {
            let result = try GuardedBuffer<mtlf_loss_sum>(1)
            try #require(
              mtlf_mask_loss_f32(
                loss, batch, pixels, channels, logits[side], labels.pointer, classWeights, problem.smoothing, 0.25,
                p?.pointer, d?.pointer, counts?.pointer, result.pointer, &context) == MTLF_OK)
            return result[0]
          }
          let p = try GuardedBuffer<Float>(count, side)
          let d = try GuardedBuffer(before.right.array, side)
          let result = try run(p, d, nil)
          p.expectNear(expectedP, bound: 3 * Self.eps, "probabilities, \(configuration)")
          d.expectNear(expectedD, bound: 4 * Self.eps, "d_logits, \(loss), \(configuration)")
          #expect(
            abs(result.loss_sum - expected.loss_sum) <= 4 * Self.eps * (expected.loss_sum + Double(expected.present)),
            "\(result.loss_sum) instead of \(expected.loss_sum), \(loss), \(configuration)")
          #expect(result.present == expected.present, "\(configuration)")
          // The same bits with other outputs and other threads.
          let counts = try GuardedBuffer(zeros, side)
          let again = try GuardedBuffer(before.right.array, side)
          #expect(try run(nil, again, counts).loss_sum == result.loss_sum, "\(configuration)")
          again.expectSameBits(as: d, "d_logits without probabilities, \(configuration)")
          #expect(counts.array == expectedCounts, "\(configuration)")
          #expect(try run(nil, nil, nil).loss_sum == result.loss_sum, "\(configuration)")
          if let first = firsts[configuration.isa.rawValue] {
            d.expectSameBits(as: first.d, "d_logits by threads, \(configuration)")
            #expect(result.loss_sum == first.loss, "\(configuration)")
          } else {
            firsts[configuration.isa.rawValue] = (d, result.loss_sum)
          }
        }
      }
    }

    /// One element alone: its loss is log(1 + exp(x)) or log(1 + exp(-x)), small where it is right.
    @Test func elementKeepsItsError() throws {
      let distances = (0..<2800).map { Float($0) * 0x1p-5 / 3 } + [1e-20, 0x1p-24]
      for configuration in try Configuration.all(threads: [1]) {
        var context = configuration.context
        var worst = 0.0
        for x in distances + distances.map({ -$0 }) {
          for label in [UInt8(0), 1] {
            var result = mtlf_loss_sum()
            try #require(
              mtlf_mask_loss_f32(
                MTLF_LOSS_BINARY_CROSS_ENTROPY, 1, 1, 1, [x], [label], nil, 0, 1, nil, nil, nil, &result, &context)
                == MTLF_OK)
            let z = Double(label == 0 ? x : -x)
            let expected = max(z, 0) + log1p(exp(-abs(z)))
            if expected < 0x1p-126 { continue }
            worst = max(worst, abs(result.loss_sum - expected) / Double(Float(expected).ulp))
          }
        }
        #expect(worst < 4, "\(worst) ULP, \(configuration)")
      }
    }

    /// Logits of 0: every probability is 1/2, and no sum is rounded.
    @Test func isExactWhereNumbersAre() throws {
      let ignored = UInt8(MTLF_IGNORED)
      let mask: [UInt8] = [0, 1, 1, ignored, 1, 1, ignored, ignored]
      for configuration in try Configuration.all() {
        var context = configuration.context
        var d = [Float](repeating: 1, count: 8)
        var result = mtlf_loss_sum()
        // Two samples of two pixels and two channels; of the second's, none has the second channel's target.
        try #require(
          mtlf_mask_loss_f32(
            MTLF_LOSS_BINARY_CROSS_ENTROPY, 2, 2, 2, [Float](repeating: 0, count: 8),
            [0, 1, 1, ignored, 1, ignored, ignored, ignored], [1, 0.5], 0, 4, nil, &d, nil, &result, &context)
            == MTLF_OK)
        #expect(d == [2, 0.5, 0.5, 1, -1, 1, 1, 1], "\(configuration)")
        d = [Float](repeating: 1, count: 8)
        try #require(
          mtlf_mask_loss_f32(
            MTLF_LOSS_DICE, 1, 4, 2, [Float](repeating: 0, count: 8), mask, nil, 0, 2, nil, &d, nil, &result, &context)
            == MTLF_OK)
        // First channel: 0, 1, 1, ignored: 1 - (2 * 1 + 1) / (1.5 + 2 + 1). Second: 1, ignored, 1, ignored:
        // 1 - (2 * 1 + 1) / (1 + 2 + 1).
        let expected = ((1 - 3 / 4.5) + (1 - 3 / 4.0)) / 2
        #expect(abs(result.loss_sum - expected) < Self.eps && result.present == 1, "\(configuration)")
        #expect(d[3] == 1 && d[6] == 1 && d[7] == 1 && d[0] > 1 && d[1] < 1, "\(configuration)")
      }
    }

    @Test func ignoredElementsAddNothingWhateverTheyHold() throws {
      for configuration in try Configuration.all() {
        var context = configuration.context
        for loss in Self.losses {
          var logits = [Float](repeating: 0.5, count: 120)
          var mask = [UInt8](repeating: 1, count: 120)
          for i in stride(from: 0, to: 120, by: 7) {
            mask[i] = UInt8(MTLF_IGNORED)
            logits[i] = .nan
          }
          var d = [Float](repeating: 7, count: 120)
          var result = mtlf_loss_sum()
          try #require(
            mtlf_mask_loss_f32(loss, 1, 40, 3, logits, mask, nil, 0, 1, nil, &d, nil, &result, &context) == MTLF_OK)
          for i in 0..<120 { #expect((d[i] == 7) == (i % 7 == 0), "\(i), \(loss), \(configuration)") }
          #expect(result.loss_sum.isFinite, "\(loss), \(configuration)")
          mask = [UInt8](repeating: UInt8(MTLF_IGNORED), count: 120)
          d = [Float](repeating: 7, count: 120)
          try #require(
            mtlf_mask_loss_f32(loss, 1, 40, 3, logits, mask, nil, 0, 1, nil, &d, nil, &result, &context) == MTLF_OK)
          #expect(d.allSatisfy { $0 == 7 } && result.loss_sum == 0 && result.present == 0, "\(configuration)")
        }
      }
    }

    @Test func propagatesNaN() throws {
      for configuration in try Configuration.all(threads: [1]) {
        var context = configuration.context
        for loss in Self.losses {
          for position in [0, 7, 19, 32] {
            var logits = [Float](repeating: 0.5, count: 33)
            logits[position] = .nan
            var d = [Float](repeating: 0, count: 33)
            var result = mtlf_loss_sum()
            let mask = [UInt8](repeating: 1, count: 33)
            try #require(
              mtlf_mask_loss_f32(loss, 1, 33, 1, logits, mask, nil, 0, 1, nil, &d, nil, &result, &context) == MTLF_OK)
            #expect(result.loss_sum.isNaN && d[position].isNaN, "\(position), \(loss), \(configuration)")
          }
        }
      }
    }

    @Test func extremeLogitsStayFinite() throws {
      for configuration in try Configuration.all(threads: [1]) {
        var context = configuration.context
        for loss in Self.losses {
          var d = [Float](repeating: 0, count: 4)
          var p = d
          var result = mtlf_loss_sum()
          try #require(
            mtlf_mask_loss_f32(
              loss, 1, 4, 1, [1e4, -1e4, 1e30, -1e30], [1, 0, 0, 1], nil, 0.1, 1, &p, &d, nil, &result, &context)
              == MTLF_OK)
          #expect(p.allSatisfy { (0...1).contains($0) } && d.allSatisfy { $0.isFinite }, "\(loss), \(configuration)")
          #expect(result.loss_sum.isFinite, "\(loss), \(configuration)")
        }
      }
    }

    @Test func referenceGradientsAreThoseOfItsLosses() throws {
      let logits = try reals(24, seed: 1)
      let mask: [UInt8] = [0, 1, 255, 1, 0, 255, 1, 1, 255, 0, 0, 255, 1, 0, 0, 1, 1, 1, 0, 0, 0, 255, 255, 255]
      for loss in Self.losses {
        var result = mtlf_loss_sum()
        var p = [Double](repeating: 0, count: 24)
        var d = p
        reference_mask_loss(loss, 2, 4, 3, logits, mask, [0.5, 2], 0.2, 0.75, &p, &d, nil, &result)
        expectGradient(
          d,
          of: { x in
            reference_mask_loss(loss, 2, 4, 3, x, mask, [0.5, 2], 0.2, 0.75, &p, nil, nil, &result)
            return 0.75 * result.loss_sum
          }, at: logits, "d_logits, \(loss)")
      }
    }

    @Test func wrongArgumentsAreRefused() throws {
      let logits = try Operand(1024, .reals, seed: 1).right
      let d = try GuardedBuffer<Float>(1024)
      let p = try GuardedBuffer<Float>(1024)
      let counts = try GuardedBuffer<Int64>(16)
      let result = try GuardedBuffer<mtlf_loss_sum>(1)
      var context = try mtlf_context(MTLF_ISA_BEST)
      context.threads = -1
      let x = logits.pointer
      func call(
        _ batch: Int32 = 2, _ pixels: Int32 = 2, _ channels: Int32 = 1, loss: mtlf_loss = MTLF_LOSS_DICE,
        logits: UnsafePointer<Float>?, mask: [UInt8]? = [0, 1, 255, 1], weights: [Float]? = nil, smoothing: Float = 0,
        result: UnsafeMutablePointer<mtlf_loss_sum>?, context: UnsafePointer<mtlf_context>? = nil
      ) -> mtlf_status {
        mtlf_mask_loss_f32(
          loss, batch, pixels, channels, logits, mask, weights, smoothing, 1, p.pointer, d.pointer, counts.pointer,
          result, context)
      }
      let to = result.pointer
      var table: [(String, mtlf_status, () -> mtlf_status)] = [
        ("no logits", MTLF_ERR_NULL_POINTER, { call(logits: nil, result: to) }),
        ("no mask", MTLF_ERR_NULL_POINTER, { call(logits: x, mask: nil, result: to) }),
        ("no result", MTLF_ERR_NULL_POINTER, { call(logits: x, result: nil) }),
        ("513 channels", MTLF_ERR_BAD_SHAPE, { call(1, 1, 513, logits: x, result: to) }),
        ("too many elements", MTLF_ERR_BAD_SHAPE, { call(1, .max, 2, logits: x, result: to) }),
        ("label 2", MTLF_ERR_BAD_VALUE, { call(logits: x, mask: [0, 2, 0, 0], result: to) }),
        (
          "another loss", MTLF_ERR_BAD_VALUE,
          { call(loss: MTLF_LOSS_SOFTMAX_CROSS_ENTROPY, logits: x, result: to) }
        ),
        ("threads", MTLF_ERR_BAD_VALUE, { call(logits: x, result: to, context: &context) }),
      ]
      for size in [Int32(0), -1, .min] {
        table += [
          ("batch \(size)", MTLF_ERR_BAD_SHAPE, { call(size, logits: x, result: to) }),
          ("pixels \(size)", MTLF_ERR_BAD_SHAPE, { call(2, size, logits: x, result: to) }),
          ("channels \(size)", MTLF_ERR_BAD_SHAPE, { call(2, 2, size, logits: x, result: to) }),
        ]
      }
      for smoothing in [Float(-0.1), 1, 2, .nan] {
        table.append(
          ("smoothing \(smoothing)", MTLF_ERR_BAD_VALUE, { call(logits: x, smoothing: smoothing, result: to) }))
      }
      for weight in [Float(-1), .nan, .infinity] {
        table.append(("weight \(weight)", MTLF_ERR_BAD_VALUE, { call(logits: x, weights: [1, weight], result: to) }))
      }
      for (name, status, refused) in table { expectRefusal(status, name, outputs: [d, p, counts, result], refused) }
    }
  }
}
