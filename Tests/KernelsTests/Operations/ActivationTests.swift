// SPDX-License-Identifier: Apache-2.0
// GELU, SiLU, tanh and leaky ReLU against the reference; errors in units in the last place.

import CKernels
import CReference
import Foundation
import Testing

extension KernelTests {
  struct ActivationTests {
    @Test(arguments: Activation.all, ElementwiseTests.counts)
    func equalsTheReference(activation: Activation, n: Int) throws {
      let x = try Operand(n) {
        reference_fill_reals(Int64(n), 1, $0)
        for i in 0..<n { $0[i] *= 12 }
      }
      let d = try Operand(n, .reals, seed: 2)
      let expected = try GuardedBuffer<Double>(n)
      let expectedGradient = try GuardedBuffer<Double>(n)
      activation.referenceForward(Int64(n), x.wide.pointer, expected.pointer)
      for configuration in try Configuration.all() {
        var context = configuration.context
        let side = configuration.side
        let output = try GuardedBuffer<Float>(n, side)
        let gradient = try GuardedBuffer<Float>(n, side)
        try #require(activation.forward(Int64(n), x[side], output.pointer, &context) == MTLF_OK)
        output.expectUlp(expected, below: activation.ulp, "\(activation), \(configuration)")
        let value = activation.isFromInput ? x : try Operand(output.array)
        activation.referenceBackward(Int64(n), value.wide.pointer, d.wide.pointer, expectedGradient.pointer)
        try #require(
          activation.backward(Int64(n), value[side], d[side], gradient.pointer, &context) == MTLF_OK)
        gradient.expectNear(
          expectedGradient, bound: 7 * 0x1p-23, "\(activation) backward, \(configuration)")
      }
    }

    @Test(arguments: Activation.all, [1, 15, 17, 70_001])
    func mayBeInPlace(activation: Activation, n: Int) throws {
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
          together.expectSameBits(as: apart, "\(activation) \(what), \(configuration)")
        }
        try compare("forward") { activation.forward(count, $0, $1, &context) }
        try compare("backward, value") { activation.backward(count, $0, d.right.pointer, $1, &context) }
        try compare("backward, d") { activation.backward(count, d.right.pointer, $0, $1, &context) }
      }
    }

    /// The errors that mtlf/elementwise.h states, over floats of every magnitude.
    @Test(arguments: Activation.all) func keepsItsErrors(activation: Activation) throws {
      let x = try Operand(ElementwiseTests.manyFloats.filter { $0 > activation.lowest })
      let n = Int64(x.count)
      let ones = try Operand([Float](repeating: 1, count: x.count))
      let expected = try GuardedBuffer<Double>(x.count)
      let slopes = try GuardedBuffer<Double>(x.count)
      activation.referenceForward(n, x.wide.pointer, expected.pointer)
      for configuration in try Configuration.all(threads: [1]) {
        var context = configuration.context
        context.keep_denormals = 1
        let output = try GuardedBuffer<Float>(x.count)
        try #require(activation.forward(n, x.right.pointer, output.pointer, &context) == MTLF_OK)
        output.expectUlp(expected, below: activation.ulp, "\(activation), \(configuration)")
        let value = activation.isFromInput ? x : try Operand(output.array)
        activation.referenceBackward(n, value.wide.pointer, ones.wide.pointer, slopes.pointer)
        try #require(
          activation.backward(n, value.right.pointer, ones.right.pointer, output.pointer, &context) == MTLF_OK)
        output.expectNear(slopes, bound: 7 * 0x1p-23, "\(activation) backward, \(configuration)")
      }
    }

    /// Beyond the range of their exponentials the functions and their slopes are what they tend to.
    @Test(arguments: Activation.all) func extremesStayFiniteAndNaNPropagates(activation: Activation) throws {
      let x: [Float] = [.nan, 100, -100, 1e30, -1e30, .greatestFiniteMagnitude, -.greatestFiniteMagnitude]
      let operand = try Operand(x)
      let ones = try Operand([Float](repeating: 1, count: x.count))
      let n = Int64(x.count)
      for configuration in try Configuration.all(threads: [1]) {
        var context = configuration.context
        let output = try GuardedBuffer<Float>(x.count)
        let slopes = try GuardedBuffer<Float>(x.count)
        try #require(activation.forward(n, operand.right.pointer, output.pointer, &context) == MTLF_OK)
        let value = activation.isFromInput ? operand : try Operand(output.array)
        try #require(
          activation.backward(n, value.right.pointer, ones.right.pointer, slopes.pointer, &context) == MTLF_OK)
        #expect(output[0].isNaN, "\(activation), \(configuration)")
        for i in 1..<x.count {
          let limit = activation.limit(x[i])
          let slope = activation.slopeLimit(x[i])
          #expect(abs(output[i] - limit) <= 2e-36, "\(activation) of \(x[i]), \(configuration)")
          #expect(abs(slopes[i] - slope) <= 2e-36, "\(activation)' at \(x[i]), \(configuration)")
        }
        // A NaN of the gradient goes on, and so does one of the value but through a comparison alone.
        let bad = try Operand([Float](repeating: .nan, count: x.count))
        try #require(
          activation.backward(n, ones.right.pointer, bad.right.pointer, slopes.pointer, &context) == MTLF_OK)
        #expect(slopes.array.allSatisfy { $0.isNaN }, "\(activation) backward, \(configuration)")
        try #require(
          activation.backward(n, bad.right.pointer, ones.right.pointer, slopes.pointer, &context) == MTLF_OK)
        #expect(
          slopes.array.allSatisfy { activation.name == "leaky ReLU" ? $0 == MTLF_LEAKY_RELU_SLOPE : $0.isNaN },
          "\(activation) backward, \(configuration)")
      }
    }

    @Test(arguments: Activation.all) func referenceGradientsAreThoseOfItsOutputs(activation: Activation) throws {
      let x = try reals(20, seed: 1).map { $0 < 0 ? 3 * $0 - 0.01 : 3 * $0 + 0.01 }
      let d = try reals(20, seed: 2)
      let value = activation.isFromInput ? x : [Double].filled(20) { activation.referenceForward(20, x, $0) }
      expectGradient(
        .filled(20) { activation.referenceBackward(20, value, d, $0) },
        of: { x in dot(.filled(20) { activation.referenceForward(20, x, $0) }, d) }, at: x, activation.name)
    }

    @Test(arguments: Activation.all) func wrongArgumentsAreRefused(activation: Activation) throws {
      let operand = try Operand(4, .reals, seed: 1)
      let output = try GuardedBuffer<Float>(4)
      let x = UnsafePointer(operand.right.pointer)
      let y = output.pointer
      var context = try mtlf_context(MTLF_ISA_BEST)
      context.threads = 0
      let (forward, backward) = (activation.forward, activation.backward)
      var table: [(String, mtlf_status, () -> mtlf_status)] = [
        ("no x", MTLF_ERR_NULL_POINTER, { forward(4, nil, y, nil) }),
        ("no y", MTLF_ERR_NULL_POINTER, { forward(4, x, nil, nil) }),
        ("backward, no value", MTLF_ERR_NULL_POINTER, { backward(4, nil, x, y, nil) }),
        ("backward, no d_output", MTLF_ERR_NULL_POINTER, { backward(4, x, nil, y, nil) }),
        ("backward, no d_input", MTLF_ERR_NULL_POINTER, { backward(4, x, x, nil, nil) }),
        ("no threads", MTLF_ERR_BAD_VALUE, { forward(4, x, y, &context) }),
      ]
      for n in [Int64(0), -1, .min] {
        table += [
          ("of \(n)", MTLF_ERR_BAD_SHAPE, { forward(n, x, y, nil) }),
          ("backward of \(n)", MTLF_ERR_BAD_SHAPE, { backward(n, x, x, y, nil) }),
        ]
      }
      for (name, status, call) in table { expectRefusal(status, "\(activation), \(name)", outputs: [output], call) }
    }
  }
}

/// An activation function with its reference, and what its header promises.
struct Activation: CustomStringConvertible, Sendable {
  typealias Pass =
    @Sendable (
      Int64, UnsafePointer<Float>?, UnsafeMutablePointer<Float>?, UnsafePointer<mtlf_context>?
    ) -> mtlf_status
  typealias BackwardPass =
    @Sendable (
      Int64, UnsafePointer<Float>?, UnsafePointer<Float>?, UnsafeMutablePointer<Float>?, UnsafePointer<mtlf_context>?
    ) -> mtlf_status
  typealias Reference = @Sendable (Int64, UnsafePointer<Double>?, UnsafeMutablePointer<Double>?) -> Void
  typealias BackwardReference =
    @Sendable (Int64, UnsafePointer<Double>?, UnsafePointer<Double>?, UnsafeMutablePointer<Double>?) -> Void

  let name: String
  let forward: Pass
  let backward: BackwardPass
  let referenceForward: Reference
  let referenceBackward: BackwardReference
  /// Whether the derivative is taken from the input; otherwise from the value.
  let isFromInput: Bool
  let ulp: Double
  /// Below, the result is no longer exact to `ulp`.
  let lowest: Float
  let limit: @Sendable (Float) -> Float
  let slopeLimit: @Sendable (Float) -> Float

  var description: String { name }

  static let all = [
    Activation(
      name: "GELU", forward: { mtlf_gelu_forward_f32($0, $1, $2, $3) },
      backward: { mtlf_gelu_backward_f32($0, $1, $2, $3, $4) },
      referenceForward: { reference_gelu_forward($0, $1, $2) },
      referenceBackward: { reference_gelu_backward($0, $1, $2, $3) },
      isFromInput: true, ulp: 6, lowest: -13, limit: { max(0, $0) }, slopeLimit: { $0 > 0 ? 1 : 0 }),
    Activation(
      name: "SiLU", forward: { mtlf_silu_forward_f32($0, $1, $2, $3) },
      backward: { mtlf_silu_backward_f32($0, $1, $2, $3, $4) },
      referenceForward: { reference_silu_forward($0, $1, $2) },
      referenceBackward: { reference_silu_backward($0, $1, $2, $3) },
      isFromInput: true, ulp: 4, lowest: -87, limit: { max(0, $0) }, slopeLimit: { $0 > 0 ? 1 : 0 }),
    Activation(
      name: "tanh", forward: { mtlf_tanh_forward_f32($0, $1, $2, $3) },
      backward: { mtlf_tanh_backward_f32($0, $1, $2, $3, $4) },
      referenceForward: { reference_tanh_forward($0, $1, $2) },
      referenceBackward: { reference_tanh_backward($0, $1, $2, $3) },
      isFromInput: false, ulp: 2, lowest: -.infinity, limit: { $0 > 0 ? 1 : -1 }, slopeLimit: { _ in 0 }),
    Activation(
      name: "leaky ReLU", forward: { mtlf_leaky_relu_forward_f32($0, $1, $2, $3) },
      backward: { mtlf_leaky_relu_backward_f32($0, $1, $2, $3, $4) },
      referenceForward: { reference_leaky_relu_forward($0, $1, $2) },
      referenceBackward: { reference_leaky_relu_backward($0, $1, $2, $3) },
      isFromInput: false, ulp: 1, lowest: -.infinity, limit: { $0 > 0 ? $0 : MTLF_LEAKY_RELU_SLOPE * $0 },
      slopeLimit: { $0 > 0 ? 1 : MTLF_LEAKY_RELU_SLOPE }),
  ]
}
