// SPDX-License-Identifier: Apache-2.0
// Mean squared, mean absolute and Huber error against the reference.

import CKernels
import CReference
import Testing

extension KernelTests {
  struct RegressionLossTests {
    static let eps = 0x1p-23
    static let losses = [MTLF_LOSS_MEAN_SQUARED_ERROR, MTLF_LOSS_MEAN_ABSOLUTE_ERROR, MTLF_LOSS_HUBER]

    /// Targets with every so many missing; the second row's all.
    static func targets(_ batch: Int, _ k: Int, _ values: Values, missing: Int?) throws -> Operand {
      let count = batch * k
      return try Operand(count) { targets in
        values.fill(count, seed: 5, targets)
        guard let missing else { return }
        for i in 0..<count where i % missing == 0 || i / k == 1 { targets[i] = .nan }
      }
    }

    @Test(arguments: [1, 2, 3, 4, 7, 8, 9, 33], [nil, 3]) func equalsTheReference(k: Int, missing: Int?) throws {
      for (batch, values) in [(5, Values.integers(4)), (37, .reals)] {
        let count = batch * k
        let outputs = try Operand(count, values, seed: 1)
        let targets = try Self.targets(batch, k, values, missing: missing)
        let before = try Operand(count, values, seed: 2)
        for loss in Self.losses {
          // With whole errors, limits and a scale of many divisors, gradients of whole numbers are exact but for 1/3.
          let delta: Float = 2
          let expectedD = try GuardedBuffer(before.doubles)
          var expected = mtlf_loss_sum()
          reference_regression_loss(
            loss, Double(delta), Int32(batch), Int32(k), outputs.wide.pointer, targets.wide.pointer, 0.25,
            expectedD.pointer, &expected)
          var firstD: GuardedBuffer<Float>?
          for configuration in try Configuration.all() {
            var context = configuration.context
            let side = configuration.side
            let d = try GuardedBuffer(before.right.array, side)
            let result = try GuardedBuffer<mtlf_loss_sum>(1)
            try #require(
              mtlf_regression_loss_f32(
                loss, delta, Int32(batch), Int32(k), outputs[side], targets[side], 0.25, d.pointer, result.pointer,
                &context) == MTLF_OK)
            if k.nonzeroBitCount == 1 && missing == nil && batch == 5 {
              d.expectEqual(expectedD, "d_outputs, \(loss), \(configuration)")
              #expect(result[0].loss_sum == expected.loss_sum, "\(configuration)")
            } else {
              d.expectNear(expectedD, bound: 8 * Self.eps, "d_outputs, \(loss), \(configuration)")
              #expect(abs(result[0].loss_sum - expected.loss_sum) <= 2 * Self.eps * (1 + expected.loss_sum))
            }
            #expect(result[0].present == expected.present, "\(configuration)")
            // Plain sums in double: the same on every instruction set.
            if let firstD { d.expectSameBits(as: firstD, "d_outputs, \(configuration)") } else { firstD = d }
            let again = try GuardedBuffer<mtlf_loss_sum>(1)
            try #require(
              mtlf_regression_loss_f32(
                loss, delta, Int32(batch), Int32(k), outputs[side], targets[side], 0.25, nil, again.pointer, &context)
                == MTLF_OK)
            #expect(again[0].loss_sum == result[0].loss_sum)
          }
        }
      }
    }

    @Test func gradientOfNoErrorIsZero() throws {
      for loss in Self.losses {
        var d: [Float] = [0, 0, 0]
        var result = mtlf_loss_sum()
        try #require(
          mtlf_regression_loss_f32(loss, 1, 1, 3, [1, 2, 3], [1, 2, 3], 1, &d, &result, nil) == MTLF_OK)
        #expect(d == [0, 0, 0] && result.loss_sum == 0 && result.present == 1, "\(loss)")
      }
    }

    @Test func missingTargetsAddNothingAndNaNPropagates() throws {
      for loss in Self.losses {
        var d: [Float] = [7, 7, 7, 7]
        var result = mtlf_loss_sum()
        let nan = Float.nan
        try #require(
          mtlf_regression_loss_f32(loss, 1, 2, 2, [nan, 1, 2, 3], [nan, nan, nan, nan], 1, &d, &result, nil)
            == MTLF_OK)
        #expect(d == [7, 7, 7, 7] && result.loss_sum == 0 && result.present == 0, "\(loss)")
        try #require(
          mtlf_regression_loss_f32(loss, 1, 2, 2, [nan, 1, 2, 3], [nan, 0, 0, 0], 1, &d, &result, nil) == MTLF_OK)
        #expect(d[0] == 7 && result.loss_sum.isFinite && result.present == 2, "\(loss)")
        try #require(
          mtlf_regression_loss_f32(loss, 1, 2, 2, [nan, 1, 2, 3], [1, 0, 0, 0], 1, &d, &result, nil) == MTLF_OK)
        #expect(d[0].isNaN && !d[1].isNaN && result.loss_sum.isNaN, "\(loss)")
      }
    }

    @Test func sumsAreByOutputOrOfAll() throws {
      var context = try mtlf_context(MTLF_ISA_BEST)
      let outputs: [Float] = [1, 2, 5]
      let targets: [Float] = [3, .nan, 4]
      var sums = [Double](repeating: 1, count: 15)
      let loss = internal_regression_sums(&context, MTLF_LOSS_MEAN_SQUARED_ERROR, 1, 3, outputs, targets, &sums, 15)
      #expect(loss == 2.5)
      #expect(sums == [2, 3, 5, 4, 10, 1, 1, 1, 1, 1, 2, 2, 2, 5, 17])
      sums = [Double](repeating: 0, count: 5)
      _ = internal_regression_sums(&context, MTLF_LOSS_HUBER, 1, 3, outputs, targets, &sums, 5)
      #expect(sums == [2, 3, 5, 7, 25])
    }

    @Test func referenceGradientsAreThoseOfItsLosses() throws {
      let outputs = try reals(12, seed: 1)
      var targets = try reals(12, seed: 2)
      targets[3] = .nan
      for loss in Self.losses {
        var result = mtlf_loss_sum()
        var d = [Double](repeating: 0, count: 12)
        reference_regression_loss(loss, 0.5, 3, 4, outputs, targets, 0.75, &d, &result)
        expectGradient(
          d,
          of: { x in
            reference_regression_loss(loss, 0.5, 3, 4, x, targets, 0.75, nil, &result)
            return 0.75 * result.loss_sum
          }, at: outputs, "d_outputs, \(loss)")
      }
    }

    @Test func wrongArgumentsAreRefused() throws {
      let x = try Operand(8, .reals, seed: 1).right
      let d = try GuardedBuffer<Float>(8)
      let result = try GuardedBuffer<mtlf_loss_sum>(1)
      var context = try mtlf_context(MTLF_ISA_BEST)
      context.threads = -1
      let (from, to, sum) = (x.pointer, d.pointer, result.pointer)
      let mse = MTLF_LOSS_MEAN_SQUARED_ERROR
      var table: [(String, mtlf_status, () -> mtlf_status)] = [
        ("no outputs", MTLF_ERR_NULL_POINTER, { mtlf_regression_loss_f32(mse, 1, 2, 4, nil, from, 1, to, sum, nil) }),
        ("no targets", MTLF_ERR_NULL_POINTER, { mtlf_regression_loss_f32(mse, 1, 2, 4, from, nil, 1, to, sum, nil) }),
        ("no result", MTLF_ERR_NULL_POINTER, { mtlf_regression_loss_f32(mse, 1, 2, 4, from, from, 1, to, nil, nil) }),
        (
          "another loss", MTLF_ERR_BAD_VALUE,
          { mtlf_regression_loss_f32(MTLF_LOSS_DICE, 1, 2, 4, from, from, 1, to, sum, nil) }
        ),
        (
          "threads", MTLF_ERR_BAD_VALUE, { mtlf_regression_loss_f32(mse, 1, 2, 4, from, from, 1, to, sum, &context) }
        ),
      ]
      for size in [Int32(0), -1, .min] {
        table += [
          ("batch", MTLF_ERR_BAD_SHAPE, { mtlf_regression_loss_f32(mse, 1, size, 4, from, from, 1, to, sum, nil) }),
          ("k", MTLF_ERR_BAD_SHAPE, { mtlf_regression_loss_f32(mse, 1, 2, size, from, from, 1, to, sum, nil) }),
        ]
      }
      for delta in [Float(0), -1, .nan, .infinity] {
        table.append(
          (
            "delta \(delta)", MTLF_ERR_BAD_VALUE,
            { mtlf_regression_loss_f32(MTLF_LOSS_HUBER, delta, 2, 4, from, from, 1, to, sum, nil) }
          ))
      }
      for (name, status, refused) in table { expectRefusal(status, name, outputs: [d, result], refused) }
    }
  }
}
