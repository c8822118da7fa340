// SPDX-License-Identifier: Apache-2.0
// Softmax and cross-entropy against the reference.

import CKernels
import CReference
import Foundation
import Testing

extension KernelTests {
  struct SoftmaxCrossEntropyTests {
    static let eps = 0x1p-23

    struct Problem: CustomTestStringConvertible, Sendable {
      var batch: Int, classes: Int
      /// Logits are from -spread to spread.
      var spread: Float = 8
      /// Every so many rows have no label.
      var missing: Int?
      var isWeighted = false
      var testDescription: String {
        "\(batch)x\(classes) up to \(spread), missing \(missing ?? 0), weighted \(isWeighted)"
      }

      static let all: [Problem] =
        [1, 2, 3, 4, 5, 7, 8, 9, 10, 15, 16, 17, 20, 31, 32, 33, 100, 1000, 1024].map { Problem(batch: 5, classes: $0) }
        + [1, 2, 17, 33].map { Problem(batch: $0, classes: 10, missing: 3) }
        + [1e-3, 1, 80, 1e4].map { Problem(batch: 9, classes: 11, spread: $0) }
        + [Problem(batch: 9, classes: 11, missing: 2, isWeighted: true), Problem(batch: 4, classes: 3, missing: 1)]

      func labels(_ n: Int) -> Int32 {
        if let missing, n % missing == 0 { return -1 }
        return Int32(n * 7 % classes)
      }
    }

    @Test(arguments: Problem.all) func isNearTheReference(_ problem: Problem) throws {
      let (batch, classes) = (problem.batch, problem.classes)
      let count = batch * classes
      let logits = try Operand(count) {
        reference_fill_reals(Int64(count), 1, $0)
        for i in 0..<count { $0[i] *= problem.spread }
      }
      let labels = (0..<batch).map(problem.labels)
      let weights = try Operand((0..<batch).map { Float(1 + $0 % 4) / 2 })
      let before = try Operand(count, .reals, seed: 2)
      let scale: Float = 0.25
      let expectedP = try GuardedBuffer<Double>(count)
      let expectedD = try GuardedBuffer(before.doubles)
      var expected = mtlf_cross_entropy()
      reference_softmax_cross_entropy(
        Int32(batch), Int32(classes), logits.wide.pointer, labels, problem.isWeighted ? weights.wide.pointer : nil,
        Double(scale), expectedP.pointer, expectedD.pointer, &expected)
      for configuration in try Configuration.all() {
        var context = configuration.context
        let side = configuration.side
        let guardedLabels = try GuardedBuffer(labels, side)
        let p = try GuardedBuffer<Float>(count, side)
        let d = try GuardedBuffer(before.right.array, side)
        let rowWeights = problem.isWeighted ? weights[side] : nil
        let result = try GuardedBuffer<mtlf_cross_entropy>(1)
        try #require(
          mtlf_softmax_cross_entropy_f32(
            Int32(batch), Int32(classes), logits[side], guardedLabels.pointer, rowWeights, scale, p.pointer, d.pointer,
            result.pointer, &context) == MTLF_OK)
        p.expectNear(expectedP, bound: 6 * Self.eps, "probabilities, \(configuration)")
        d.expectNear(expectedD, bound: 4 * Self.eps, "d_logits, \(configuration)")
        // exp clamps at 1e-38, not 0; the rest is a few roundings of the largest term of a row.
        let tolerance = 4 * Self.eps * (expected.loss_sum + expected.weight_sum)
        let outcome = result[0]
        #expect(abs(outcome.loss_sum - expected.loss_sum) <= tolerance, "\(configuration)")
        #expect(outcome.weight_sum == expected.weight_sum, "\(configuration)")
        #expect(outcome.present == expected.present, "\(configuration)")
        #expect(outcome.correct == expected.correct, "\(configuration)")
        // The same without probabilities, and without d_logits.
        let again = try GuardedBuffer(before.right.array, side)
        let repeated = try GuardedBuffer<mtlf_cross_entropy>(1)
        try #require(
          mtlf_softmax_cross_entropy_f32(
            Int32(batch), Int32(classes), logits[side], guardedLabels.pointer, rowWeights, scale, nil, again.pointer,
            repeated.pointer, &context) == MTLF_OK)
        again.expectSameBits(as: d, "d_logits without probabilities, \(configuration)")
        #expect(repeated[0].loss_sum == outcome.loss_sum)
        try #require(
          mtlf_softmax_cross_entropy_f32(
            Int32(batch), Int32(classes), logits[side], guardedLabels.pointer, rowWeights, scale, nil, nil,
            repeated.pointer, &context) == MTLF_OK)
        #expect(repeated[0].loss_sum == outcome.loss_sum)
      }
    }

    /// With two logits apart by x the loss is log(1 + exp(-x)): the logarithm's error shows without the maximum's.
    @Test func logarithmIsNearTheReference() throws {
      let distances = (0..<4000).map { Float($0) * 0x1p-6 / 3 }
      for configuration in try Configuration.all(threads: [1]) {
        var context = configuration.context
        for distance in distances {
          var result = mtlf_cross_entropy()
          try #require(
            mtlf_softmax_cross_entropy_f32(1, 2, [distance, 0], [0], nil, 1, nil, nil, &result, &context) == MTLF_OK)
          let expected = log1p(exp(-Double(distance)))
          // The sum 1 + exp(-x) is rounded to eps / 2 and the exponential has 2 ULP.
          #expect(abs(result.loss_sum - expected) <= 1.5 * Self.eps, "\(distance), \(configuration)")
        }
      }
    }

    @Test func extremeAndEqualLogitsStayFinite() throws {
      let rows: [[Float]] = [
        [1e4, -1e4, 0], [-1e4, -1e4, -1e4], [1e4, 1e4, 1e4], [0, 0, 0], [3e38, -3e38, 1], [1e4, 1e4, -1e4],
      ]
      let losses: [Double] = [2e4, log(3), log(3), log(3), .infinity, log(2)]
      for configuration in try Configuration.all(threads: [1]) {
        var context = configuration.context
        for (logits, loss) in zip(rows, losses) {
          var result = mtlf_cross_entropy()
          var p = [Float](repeating: -1, count: 3)
          var d = [Float](repeating: 0, count: 3)
          try #require(
            mtlf_softmax_cross_entropy_f32(1, 3, logits, [1], nil, 1, &p, &d, &result, &context) == MTLF_OK)
          #expect(p.allSatisfy { (0...1).contains($0) }, "\(logits), \(configuration)")
          #expect(d.allSatisfy { $0.isFinite }, "\(logits), \(configuration)")
          #expect(abs(p.reduce(0, +) - 1) < 1e-6, "\(logits), \(configuration)")
          if loss.isFinite { #expect(abs(result.loss_sum - loss) <= 2 * Self.eps * (1 + loss), "\(logits)") }
          #expect(!result.loss_sum.isNaN, "\(logits), \(configuration)")
        }
      }
    }

    @Test func correctMeansTheFirstLargest() throws {
      for configuration in try Configuration.all(threads: [1]) {
        var context = configuration.context
        var result = mtlf_cross_entropy()
        let logits: [Float] = [1, 2, 2, 0, 0, 0, 5, 4, 3]
        try #require(
          mtlf_softmax_cross_entropy_f32(3, 3, logits, [2, 0, -1], nil, 1, nil, nil, &result, &context) == MTLF_OK)
        #expect(result.present == 2 && result.correct == 1, "\(configuration)")
      }
    }

    @Test func missingLabelsAddNothing() throws {
      let logits = try Operand(30, .reals, seed: 1)
      for configuration in try Configuration.all() {
        var context = configuration.context
        let d = try GuardedBuffer<Float>(30, configuration.side)
        let p = try GuardedBuffer<Float>(30, configuration.side)
        var result = mtlf_cross_entropy()
        try #require(
          mtlf_softmax_cross_entropy_f32(
            3, 10, logits[configuration.side], [-1, -1, -1], nil, 1, p.pointer, d.pointer, &result, &context)
            == MTLF_OK)
        #expect(d.isUntouched, "\(configuration)")
        #expect(p.array.allSatisfy { $0 > 0 }, "\(configuration)")
        #expect(result.loss_sum == 0 && result.weight_sum == 0 && result.present == 0 && result.correct == 0)
      }
    }

    @Test func propagatesNaN() throws {
      for configuration in try Configuration.all(threads: [1]) {
        var context = configuration.context
        for position in 0..<20 {
          var logits = [Float](repeating: 0.5, count: 20)
          logits[position] = .nan
          var result = mtlf_cross_entropy()
          var d = [Float](repeating: 0, count: 20)
          try #require(
            mtlf_softmax_cross_entropy_f32(1, 20, logits, [3], nil, 1, nil, &d, &result, &context) == MTLF_OK)
          #expect(result.loss_sum.isNaN && d.allSatisfy { $0.isNaN }, "\(position), \(configuration)")
        }
      }
    }

    /// One row as plans call it: smoothed, with the predicted class and the label's rank.
    @Test(arguments: [Float(0), 0.1, 0.75], [1, 2, 3, 8, 10, 17, 33, 100]) func smoothedRowIsNearTheReference(
      smoothing: Float, classes: Int
    ) throws {
      let logits = try Operand(classes) {
        reference_fill_integers(Int64(classes), 3, 4, $0)
        for c in 0..<classes { $0[c] = $0[c] * 1.5 }
      }
      let before = try Operand(classes, .reals, seed: 2)
      let values = logits.right.array
      let total = values.reduce(0.0) { $0 + exp(Double($1)) }
      for label in [0, classes / 2, classes - 1] {
        let wanted = (0..<classes).map { c in
          (c == label ? 1 - Double(smoothing) : 0) + Double(smoothing) / Double(classes)
        }
        let expectedLoss = zip(wanted, values).reduce(0.0) { $0 + $1.0 * (log(total) - Double($1.1)) }
        let expectedD = try GuardedBuffer(
          (0..<classes).map { before.doubles[$0] + 0.5 * (exp(Double(values[$0])) / total - wanted[$0]) })
        for configuration in try Configuration.all(threads: [1]) {
          var context = configuration.context
          let side = configuration.side
          let p = try GuardedBuffer<Float>(classes, side)
          let d = try GuardedBuffer(before.right.array, side)
          var (predicted, rank) = (Int32(-1), Int32(-1))
          let loss = internal_cross_entropy_row(
            &context, Int32(classes), logits[side], Int32(label), smoothing, 0.5, p.pointer, d.pointer, &predicted,
            &rank)
          d.expectNear(expectedD, bound: 4 * Self.eps, "d_logits, \(configuration)")
          #expect(abs(Double(loss) - expectedLoss) <= 4 * Self.eps * (1 + expectedLoss), "\(configuration)")
          #expect(Int(predicted) == values.firstIndex(of: values.max() ?? 0), "\(configuration)")
          let ahead = (0..<classes).filter { values[$0] > values[label] || values[$0] == values[label] && $0 < label }
          #expect(Int(rank) == ahead.count, "\(configuration)")
        }
      }
    }

    @Test func rankPutsNaNFirst() throws {
      var context = try mtlf_context(MTLF_ISA_BEST)
      for (logits, label, expected) in [
        ([1, .nan, 3], 2, (1, 1)), ([1, .nan, 3], 1, (1, 0)), ([.nan, 2, .nan], 2, (0, 1)), ([2, 2, .nan], 1, (2, 2)),
      ] as [([Float], Int32, (Int32, Int32))] {
        var p = logits
        var (predicted, rank) = (Int32(-1), Int32(-1))
        let loss = internal_cross_entropy_row(&context, 3, logits, label, 0.1, 1, &p, nil, &predicted, &rank)
        #expect(loss.isNaN && predicted == expected.0 && rank == expected.1, "\(logits), \(label)")
      }
    }

    @Test func rowAloneEqualsRowInBatch() throws {
      let logits = try Operand(33 * 13, .reals, seed: 1)
      let labels = (0..<33).map { Int32($0 % 13) }
      for configuration in try Configuration.all(threads: [1]) {
        var context = configuration.context
        var result = mtlf_cross_entropy()
        let all = try GuardedBuffer([Float](repeating: 0, count: 33 * 13))
        try #require(
          mtlf_softmax_cross_entropy_f32(
            33, 13, logits.right.pointer, labels, nil, 0.5, nil, all.pointer, &result, &context) == MTLF_OK)
        for n in 0..<33 {
          var d = [Float](repeating: 0, count: 13)
          try #require(
            mtlf_softmax_cross_entropy_f32(
              1, 13, logits.right.pointer + n * 13, [labels[n]], nil, 0.5, nil, &d, &result, &context) == MTLF_OK)
          #expect(d == Array(all.array[n * 13..<(n + 1) * 13]), "row \(n), \(configuration)")
        }
      }
    }

    @Test func referenceGradientIsThatOfItsLoss() throws {
      let logits = try reals(20, seed: 1)
      let labels: [Int32] = [2, -1, 0, 4]
      let weights = [0.5, 1, 2, 1.5]
      var result = mtlf_cross_entropy()
      var p = [Double](repeating: 0, count: 20)
      var d = [Double](repeating: 0, count: 20)
      reference_softmax_cross_entropy(4, 5, logits, labels, weights, 0.75, &p, &d, &result)
      expectGradient(
        d,
        of: { x in
          reference_softmax_cross_entropy(4, 5, x, labels, weights, 0.75, &p, nil, &result)
          return 0.75 * result.loss_sum
        }, at: logits, "d_logits")
    }

    @Test func wrongArgumentsAreRefused() throws {
      let logits = try Operand(2050, .reals, seed: 1).right
      let d = try GuardedBuffer<Float>(2050)
      let p = try GuardedBuffer<Float>(2050)
      let result = try GuardedBuffer<mtlf_cross_entropy>(1)
      var context = try mtlf_context(MTLF_ISA_BEST)
      context.threads = -1
      let x = logits.pointer
      func call(
        batch: Int32 = 2, classes: Int32 = 3, logits: UnsafePointer<Float>?, labels: [Int32]? = [0, 2],
        result: UnsafeMutablePointer<mtlf_cross_entropy>?, probabilities: UnsafeMutablePointer<Float>? = nil,
        context: UnsafePointer<mtlf_context>? = nil
      ) -> mtlf_status {
        mtlf_softmax_cross_entropy_f32(
          batch, classes, logits, labels, nil, 1, probabilities, d.pointer, result, context)
      }
      let to = result.pointer
      let table: [(String, mtlf_status, () -> mtlf_status)] = [
        ("no logits", MTLF_ERR_NULL_POINTER, { call(logits: nil, result: to, probabilities: p.pointer) }),
        (
          "no labels", MTLF_ERR_NULL_POINTER,
          { mtlf_softmax_cross_entropy_f32(2, 3, x, nil, nil, 1, p.pointer, d.pointer, to, nil) }
        ),
        ("no result", MTLF_ERR_NULL_POINTER, { call(logits: x, result: nil, probabilities: p.pointer) }),
        ("no probabilities of 1025 classes", MTLF_ERR_NULL_POINTER, { call(classes: 1025, logits: x, result: to) }),
        ("batch 0", MTLF_ERR_BAD_SHAPE, { call(batch: 0, logits: x, result: to, probabilities: p.pointer) }),
        ("batch -1", MTLF_ERR_BAD_SHAPE, { call(batch: -1, logits: x, result: to, probabilities: p.pointer) }),
        ("classes 0", MTLF_ERR_BAD_SHAPE, { call(classes: 0, logits: x, result: to, probabilities: p.pointer) }),
        (
          "label 3 of 3", MTLF_ERR_BAD_VALUE, { call(logits: x, labels: [0, 3], result: to, probabilities: p.pointer) }
        ),
        ("label -2", MTLF_ERR_BAD_VALUE, { call(logits: x, labels: [-2, 0], result: to, probabilities: p.pointer) }),
        (
          "threads", MTLF_ERR_BAD_VALUE, { call(logits: x, result: to, probabilities: p.pointer, context: &context) }
        ),
      ]
      for (name, status, refused) in table { expectRefusal(status, name, outputs: [d, p, result], refused) }
    }
  }
}
