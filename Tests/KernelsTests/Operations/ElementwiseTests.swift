// SPDX-License-Identifier: Apache-2.0
// ReLU, sigmoid and exp against the reference; errors in units in the last place.

import CKernels
import CReference
import Foundation
import Testing

extension KernelTests {
  struct ElementwiseTests {
    /// Around vectors of 4, 8 and 16, and more than one block of a team.
    static let counts = Array(1...33) + [63, 64, 65, 1000, 70_001]

    @Test(arguments: counts) func equalsTheReference(n: Int) throws {
      let x = try Operand(n, .reals, seed: 1)
      let d = try Operand(n, .reals, seed: 2)
      let y = try Operand(n) {
        reference_fill_reals(Int64(n), 3, $0)
        for i in 0..<n { $0[i] = abs($0[i]) }
      }
      let expected = try (0..<5).map { _ in try GuardedBuffer<Double>(n) }
      reference_relu_forward(Int64(n), x.wide.pointer, expected[0].pointer)
      reference_relu_backward(Int64(n), x.wide.pointer, d.wide.pointer, expected[1].pointer)
      reference_sigmoid_forward(Int64(n), x.wide.pointer, expected[2].pointer)
      reference_sigmoid_backward(Int64(n), y.wide.pointer, d.wide.pointer, expected[3].pointer)
      reference_exp(Int64(n), x.wide.pointer, expected[4].pointer)
      for configuration in try Configuration.all() {
        var context = configuration.context
        let side = configuration.side
        let output = try GuardedBuffer<Float>(n, side)
        try #require(mtlf_relu_forward_f32(Int64(n), x[side], output.pointer, &context) == MTLF_OK)
        output.expectNear(expected[0], bound: 0, "relu, \(configuration)")
        try #require(mtlf_relu_backward_f32(Int64(n), x[side], d[side], output.pointer, &context) == MTLF_OK)
        output.expectNear(expected[1], bound: 0, "relu backward, \(configuration)")
        try #require(mtlf_sigmoid_forward_f32(Int64(n), x[side], output.pointer, &context) == MTLF_OK)
        output.expectUlp(expected[2], below: 4, "sigmoid, \(configuration)")
        try #require(mtlf_sigmoid_backward_f32(Int64(n), y[side], d[side], output.pointer, &context) == MTLF_OK)
        output.expectUlp(expected[3], below: 3, "sigmoid backward, \(configuration)")
        try #require(mtlf_exp_f32(Int64(n), x[side], output.pointer, &context) == MTLF_OK)
        output.expectUlp(expected[4], below: 2, "exp, \(configuration)")
      }
    }

    @Test(arguments: [1, 15, 17, 70_001]) func mayBeInPlace(n: Int) throws {
      let x = try Operand(n, .reals, seed: 1)
      let d = try Operand(n, .reals, seed: 2)
      let count = Int64(n)
      for configuration in try Configuration.all() {
        var context = configuration.context
        let apart = try GuardedBuffer<Float>(n)
        func compare(
          _ what: String, _ call: (UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> mtlf_status
        ) throws {
          let together = try GuardedBuffer(x.right.array, configuration.side)
          try #require(call(x.right.pointer, apart.pointer) == MTLF_OK)
          try #require(call(together.pointer, together.pointer) == MTLF_OK)
          together.expectSameBits(as: apart, "\(what), \(configuration)")
        }
        try compare("relu") { mtlf_relu_forward_f32(count, $0, $1, &context) }
        try compare("sigmoid") { mtlf_sigmoid_forward_f32(count, $0, $1, &context) }
        try compare("exp") { mtlf_exp_f32(count, $0, $1, &context) }
        try compare("relu backward, y") { mtlf_relu_backward_f32(count, $0, d.right.pointer, $1, &context) }
        try compare("relu backward, d") { mtlf_relu_backward_f32(count, d.right.pointer, $0, $1, &context) }
        try compare("sigmoid backward, y") { mtlf_sigmoid_backward_f32(count, $0, d.right.pointer, $1, &context) }
        try compare("sigmoid backward, d") { mtlf_sigmoid_backward_f32(count, d.right.pointer, $0, $1, &context) }
      }
    }

    /// Every 97th float from -87 to 87 that is not tiny.
    static let manyFloats: [Float] = {
      let first = Float(0x1p-30).bitPattern
      let last = Float(87).bitPattern
      return stride(from: first, through: last, by: 97 * 16).flatMap {
        [Float(bitPattern: $0), -Float(bitPattern: $0)]
      } + [0, -0.0, 87, -87, 0x1p-126, -0x1p-126]
    }()

    @Test func expAndSigmoidKeepTheirErrors() throws {
      let x = try Operand(Self.manyFloats)
      let n = Int64(x.count)
      let exponentials = try GuardedBuffer<Double>(x.count)
      let sigmoids = try GuardedBuffer<Double>(x.count)
      reference_exp(n, x.wide.pointer, exponentials.pointer)
      reference_sigmoid_forward(n, x.wide.pointer, sigmoids.pointer)
      for configuration in try Configuration.all(threads: [1]) {
        var context = configuration.context
        let output = try GuardedBuffer<Float>(x.count)
        try #require(mtlf_exp_f32(n, x.right.pointer, output.pointer, &context) == MTLF_OK)
        output.expectUlp(exponentials, below: 2, "exp, \(configuration)")
        try #require(mtlf_sigmoid_forward_f32(n, x.right.pointer, output.pointer, &context) == MTLF_OK)
        output.expectUlp(sigmoids, below: 4, "sigmoid, \(configuration)")
      }
    }

    @Test func extremesStayFiniteAndNaNPropagates() throws {
      let x: [Float] = [
        .nan, .infinity, -.infinity, 1e4, -1e4, 88, -88, 1e38, -1e38, .greatestFiniteMagnitude, 0, -0.0,
      ]
      let operand = try Operand(x)
      let n = Int64(x.count)
      for configuration in try Configuration.all(threads: [1]) {
        var context = configuration.context
        let output = try GuardedBuffer<Float>(x.count)
        try #require(mtlf_relu_forward_f32(n, operand.right.pointer, output.pointer, &context) == MTLF_OK)
        #expect(output[0].isNaN, "\(configuration)")
        #expect(output.array.dropFirst() == [.infinity, 0, 1e4, 0, 88, 0, 1e38, 0, .greatestFiniteMagnitude, 0, 0])
        try #require(mtlf_exp_f32(n, operand.right.pointer, output.pointer, &context) == MTLF_OK)
        #expect(output[0].isNaN, "\(configuration)")
        #expect(output.array.dropFirst().allSatisfy { $0.isFinite && $0 > 0 }, "\(configuration)")
        try #require(mtlf_sigmoid_forward_f32(n, operand.right.pointer, output.pointer, &context) == MTLF_OK)
        #expect(output[0].isNaN, "\(configuration)")
        #expect(output.array.dropFirst().allSatisfy { (0...1).contains($0) }, "\(configuration)")
        #expect(output[3] == 1 && output[4] < 1e-37 && output[10] == 0.5)
        // A NaN that came forward lets no gradient back.
        let d = try Operand([Float](repeating: 1, count: x.count))
        try #require(
          mtlf_relu_backward_f32(n, operand.right.pointer, d.right.pointer, output.pointer, &context) == MTLF_OK)
        #expect(output.array == [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0], "\(configuration)")
      }
    }

    @Test func referenceGradientsAreThoseOfItsOutputs() throws {
      let x = try reals(20, seed: 1).map { $0 < 0 ? $0 - 0.01 : $0 + 0.01 }
      let d = try reals(20, seed: 2)
      let relu = [Double].filled(20) { reference_relu_backward(20, x, d, $0) }
      let y = [Double].filled(20) { reference_sigmoid_forward(20, x, $0) }
      let sigmoid = [Double].filled(20) { reference_sigmoid_backward(20, y, d, $0) }
      expectGradient(
        relu, of: { x in dot(.filled(20) { reference_relu_forward(20, x, $0) }, d) }, at: x, "relu")
      expectGradient(
        sigmoid, of: { x in dot(.filled(20) { reference_sigmoid_forward(20, x, $0) }, d) }, at: x, "sigmoid")
    }

    @Test func wrongArgumentsAreRefused() throws {
      let operand = try Operand(4, .reals, seed: 1)
      let output = try GuardedBuffer<Float>(4)
      let x = operand.right.pointer
      let y = output.pointer
      var context = try mtlf_context(MTLF_ISA_BEST)
      context.threads = 0
      var table: [(String, mtlf_status, () -> mtlf_status)] = [
        ("relu, no x", MTLF_ERR_NULL_POINTER, { mtlf_relu_forward_f32(4, nil, y, nil) }),
        ("relu, no y", MTLF_ERR_NULL_POINTER, { mtlf_relu_forward_f32(4, x, nil, nil) }),
        ("relu backward, no y", MTLF_ERR_NULL_POINTER, { mtlf_relu_backward_f32(4, nil, x, y, nil) }),
        ("relu backward, no d_output", MTLF_ERR_NULL_POINTER, { mtlf_relu_backward_f32(4, x, nil, y, nil) }),
        ("relu backward, no d_input", MTLF_ERR_NULL_POINTER, { mtlf_relu_backward_f32(4, x, x, nil, nil) }),
        ("sigmoid, no x", MTLF_ERR_NULL_POINTER, { mtlf_sigmoid_forward_f32(4, nil, y, nil) }),
        ("sigmoid, no y", MTLF_ERR_NULL_POINTER, { mtlf_sigmoid_forward_f32(4, x, nil, nil) }),
        ("sigmoid backward, no y", MTLF_ERR_NULL_POINTER, { mtlf_sigmoid_backward_f32(4, nil, x, y, nil) }),
        ("sigmoid backward, no d_output", MTLF_ERR_NULL_POINTER, { mtlf_sigmoid_backward_f32(4, x, nil, y, nil) }),
        ("sigmoid backward, no d_input", MTLF_ERR_NULL_POINTER, { mtlf_sigmoid_backward_f32(4, x, x, nil, nil) }),
        ("exp, no x", MTLF_ERR_NULL_POINTER, { mtlf_exp_f32(4, nil, y, nil) }),
        ("exp, no y", MTLF_ERR_NULL_POINTER, { mtlf_exp_f32(4, x, nil, nil) }),
        ("relu, no threads", MTLF_ERR_BAD_VALUE, { mtlf_relu_forward_f32(4, x, y, &context) }),
        ("exp, no threads", MTLF_ERR_BAD_VALUE, { mtlf_exp_f32(4, x, y, &context) }),
      ]
      for n in [Int64(0), -1, .min] {
        table += [
          ("relu of \(n)", MTLF_ERR_BAD_SHAPE, { mtlf_relu_forward_f32(n, x, y, nil) }),
          ("relu backward of \(n)", MTLF_ERR_BAD_SHAPE, { mtlf_relu_backward_f32(n, x, x, y, nil) }),
          ("sigmoid of \(n)", MTLF_ERR_BAD_SHAPE, { mtlf_sigmoid_forward_f32(n, x, y, nil) }),
          ("sigmoid backward of \(n)", MTLF_ERR_BAD_SHAPE, { mtlf_sigmoid_backward_f32(n, x, x, y, nil) }),
          ("exp of \(n)", MTLF_ERR_BAD_SHAPE, { mtlf_exp_f32(n, x, y, nil) }),
        ]
      }
      for (name, status, call) in table { expectRefusal(status, name, outputs: [output], call) }
    }
  }
}

extension GuardedBuffer where Element == Float {
  /// Fails where an element is `limit` units in the last place or more from the expected one; names the worst.
  func expectUlp(
    _ expected: GuardedBuffer<Double>, below limit: Double, _ what: @autoclosure () -> String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    var ulp = 0.0
    let index = Int(reference_worst_ulp(Int64(count), pointer, expected.pointer, &ulp))
    guard ulp >= limit else { return }
    Issue.record(
      "\(what()) at [\(index)]: \(pointer[index]) instead of \(expected[index]), \(ulp) ULP",
      sourceLocation: sourceLocation)
  }
}
