// SPDX-License-Identifier: Apache-2.0
// Adam and SGD over flat buffers against the reference.

import CKernels
import CReference
import Testing

extension KernelTests {
  struct OptimizerTests {
    static let eps = 0x1p-23
    static let counts = Array(1...18) + [31, 32, 33, 1000, 70_001]
    static let adams = [
      mtlf_adam(learning_rate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-7, weight_decay: 0),
      mtlf_adam(learning_rate: 0.01, beta1: 0.5, beta2: 0.999, epsilon: 1e-8, weight_decay: 0),
      mtlf_adam(learning_rate: 0.1, beta1: 0, beta2: 0, epsilon: 0.5, weight_decay: 0),
    ]

    @Test(arguments: counts, adams.indices) func adamIsNearTheReference(n: Int, settings: Int) throws {
      var adam = Self.adams[settings]
      let count = Int64(n)
      let w = try Operand(n, .reals, seed: 1)
      let gradients = try (0..<5).map { try Operand(n, .reals, seed: 10 + UInt64($0)) }
      let zeros = [Double](repeating: 0, count: n)
      let expected = try (GuardedBuffer(w.doubles), GuardedBuffer(zeros), GuardedBuffer(zeros))
      for (step, g) in gradients.enumerated() {
        reference_adam(
          &adam, Int64(step + 1), count, expected.0.pointer, expected.1.pointer, expected.2.pointer, g.wide.pointer)
      }
      var firsts: [mtlf_isa.RawValue: GuardedBuffer<Float>] = [:]
      for configuration in try Configuration.all() {
        var context = configuration.context
        let side = configuration.side
        let weights = try GuardedBuffer(w.right.array, side)
        let m = try GuardedBuffer([Float](repeating: 0, count: n), side)
        let v = try GuardedBuffer([Float](repeating: 0, count: n), side)
        for (step, g) in gradients.enumerated() {
          try #require(
            mtlf_adam_f32(
              &adam, Int64(step + 1), count, weights.pointer, m.pointer, v.pointer, g[side], &context) == MTLF_OK)
        }
        weights.expectNear(expected.0, bound: 5 * Self.eps, "w, \(configuration)")
        m.expectNear(expected.1, bound: 2 * Self.eps, "m, \(configuration)")
        v.expectNear(expected.2, bound: 2 * Self.eps, "v, \(configuration)")
        if let first = firsts[configuration.isa.rawValue] {
          weights.expectSameBits(as: first, "w, \(configuration)")
        } else {
          firsts[configuration.isa.rawValue] = weights
        }
      }
      // No product is fused with a sum: every instruction set rounds alike.
      for first in firsts.values { first.expectSameBits(as: firsts[MTLF_ISA_SCALAR.rawValue] ?? first, "w by ISA") }
    }

    @Test func lateStepsNeedNoCorrection() throws {
      var adam = Self.adams[0]
      for step in [Int64(1), 2, 1000, 1_000_000, .max] {
        for configuration in try Configuration.all(threads: [1]) {
          var context = configuration.context
          var (w, m, v): (Float, Float, Float) = (1, 0.25, 0.5)
          var (expectedW, expectedM, expectedV) = (1.0, 0.25, 0.5)
          var (g, wideG): (Float, Double) = (0.125, 0.125)
          try #require(mtlf_adam_f32(&adam, step, 1, &w, &m, &v, &g, &context) == MTLF_OK)
          reference_adam(&adam, step, 1, &expectedW, &expectedM, &expectedV, &wideG)
          #expect(abs(Double(w) - expectedW) <= Self.eps, "step \(step), \(configuration)")
        }
      }
    }

    @Test(arguments: counts, [Float(0), 0.9]) func sgdIsNearTheReference(n: Int, momentum: Float) throws {
      var sgd = mtlf_sgd(learning_rate: 0.125, momentum: momentum, weight_decay: 0)
      let count = Int64(n)
      let w = try Operand(n, .reals, seed: 1)
      let gradients = try (0..<4).map { try Operand(n, .reals, seed: 10 + UInt64($0)) }
      let expected = try (GuardedBuffer(w.doubles), GuardedBuffer([Double](repeating: 0, count: n)))
      for g in gradients { reference_sgd(&sgd, count, expected.0.pointer, expected.1.pointer, g.wide.pointer) }
      for configuration in try Configuration.all() {
        var context = configuration.context
        let side = configuration.side
        let weights = try GuardedBuffer(w.right.array, side)
        let velocity = try GuardedBuffer([Float](repeating: 0, count: n), side)
        for g in gradients {
          try #require(
            mtlf_sgd_f32(&sgd, count, weights.pointer, velocity.pointer, g[side], &context) == MTLF_OK)
        }
        weights.expectNear(expected.0, bound: 4 * Self.eps, "w, \(configuration)")
        velocity.expectNear(expected.1, bound: 4 * Self.eps, "velocity, \(configuration)")
      }
    }

    @Test(arguments: [1, 7, 16, 33, 1000]) func decayIsNearTheReference(n: Int) throws {
      var adam = Self.adams[1]
      adam.weight_decay = 0.05
      var sgd = mtlf_sgd(learning_rate: 0.125, momentum: 0.9, weight_decay: 0.0625)
      let count = Int64(n)
      let w = try Operand(n, .reals, seed: 1)
      let gradients = try (0..<4).map { try Operand(n, .reals, seed: 10 + UInt64($0)) }
      let zeros = [Double](repeating: 0, count: n)
      let expected = try (0..<2).map { _ in try GuardedBuffer(w.doubles) }
      let slots = try (0..<3).map { _ in try GuardedBuffer(zeros) }
      for (step, g) in gradients.enumerated() {
        reference_adam(
          &adam, Int64(step + 1), count, expected[0].pointer, slots[0].pointer, slots[1].pointer, g.wide.pointer)
        reference_sgd(&sgd, count, expected[1].pointer, slots[2].pointer, g.wide.pointer)
      }
      var first: [GuardedBuffer<Float>]?
      for configuration in try Configuration.all() {
        var context = configuration.context
        let side = configuration.side
        let weights = try (0..<2).map { _ in try GuardedBuffer(w.right.array, side) }
        let states = try (0..<3).map { _ in try GuardedBuffer([Float](repeating: 0, count: n), side) }
        for (step, g) in gradients.enumerated() {
          try #require(
            mtlf_adam_f32(
              &adam, Int64(step + 1), count, weights[0].pointer, states[0].pointer, states[1].pointer, g[side], &context
            ) == MTLF_OK)
          try #require(
            mtlf_sgd_f32(&sgd, count, weights[1].pointer, states[2].pointer, g[side], &context) == MTLF_OK)
        }
        weights[0].expectNear(expected[0], bound: 5 * Self.eps, "adam, \(configuration)")
        weights[1].expectNear(expected[1], bound: 5 * Self.eps, "sgd, \(configuration)")
        if let first {
          for (a, b) in zip(weights, first) { a.expectSameBits(as: b, "\(configuration)") }
        } else {
          first = weights
        }
      }
    }

    /// A decay of 0 is none: not even the sign of a zero changes, and nothing infinite turns into NaN.
    @Test func noDecayChangesNoBit() throws {
      var sgd = mtlf_sgd(learning_rate: 0, momentum: 0, weight_decay: 0)
      var adam = mtlf_adam(learning_rate: 0, beta1: 0.5, beta2: 0.5, epsilon: 1, weight_decay: 0)
      let values = [Float](repeating: 0, count: 5) + [-0.0, .infinity, -.infinity, 1, 1e-37, -3e38, -0.0]
      let gradient = [Float](repeating: -0.0, count: values.count)
      for configuration in try Configuration.all(threads: [1]) {
        var context = configuration.context
        let zeros = [Float](repeating: -0.0, count: values.count)
        var (w, m, v) = (values, zeros, zeros)
        try #require(mtlf_adam_f32(&adam, 1, Int64(w.count), &w, &m, &v, gradient, &context) == MTLF_OK)
        #expect(w == values, "\(configuration)")
        (w, m) = (values, zeros)
        try #require(mtlf_sgd_f32(&sgd, Int64(w.count), &w, &m, gradient, &context) == MTLF_OK)
        #expect(w == values, "\(configuration)")
        #expect(m.allSatisfy { $0.bitPattern == Float(-0.0).bitPattern }, "velocity is the gradient, \(configuration)")
      }
    }

    /// The kernel of a weight decays, its bias doesn't; nor does a kernel that is marked.
    @Test(arguments: [false, true], [Int32(0), 1]) func kernelsDecayAndBiasesDoNot(isFused: Bool, noDecay: Int32) throws
    {
      for configuration in try Configuration.all(threads: [1]) {
        var context = configuration.context
        let panel = Int(mtlf_panel_columns(&context))
        let (inputs, units) = (130, panel + 3)
        let floats = 2 * panel * inputs
        let kernel = try GuardedBuffer([Float](repeating: 1, count: floats))
        let bias = try GuardedBuffer([Float](repeating: 1, count: 2 * panel))
        let slots = try [floats, 2 * panel].map { try GuardedBuffer([Float](repeating: 0, count: $0)) }
        let gradient = try GuardedBuffer([Float](repeating: 0, count: floats + 2 * panel))
        var weight = mtlf_weight()
        weight.inputs = Int32(inputs)
        weight.units = Int32(units)
        weight.window = weight.inputs
        weight.kernel = kernel.pointer
        weight.bias = bias.pointer
        weight.gradient_copies = isFused ? 0 : Int32(MTLF_MAX_GROUPS)
        weight.gradient = gradient.pointer
        weight.gradient_stride = floats + 2 * panel
        weight.kernel_slot.0 = slots[0].pointer
        weight.bias_slot.0 = slots[1].pointer
        weight.no_decay = noDecay
        var step = mtlf_step()
        step.optimizer = MTLF_OPTIMIZER_SGD
        step.sgd = mtlf_sgd(learning_rate: 0.5, momentum: 0, weight_decay: 0.25)
        step.optimizer_step = 1
        if isFused {
          let input = [Float](repeating: 0, count: inputs)
          let dOutput = [Float](repeating: 0, count: units)
          internal_dense_d_kernel_update(&context, 1, input, dOutput, &weight, &step)
        } else {
          internal_weight_update(&context, &weight, 1, &step)
        }
        #expect(kernel.array.allSatisfy { $0 == (noDecay == 0 ? 0.875 : 1) }, "\(configuration)")
        #expect(bias.array.allSatisfy { $0 == 1 }, "\(configuration)")
      }
    }

    @Test func wrongArgumentsAreRefused() throws {
      let buffers = try (0..<3).map { _ in try GuardedBuffer<Float>(4) }
      let gradient = try Operand(4, .reals, seed: 1).right
      let (w, m, v, g) = (buffers[0].pointer, buffers[1].pointer, buffers[2].pointer, gradient.pointer)
      var adam = Self.adams[0]
      var sgd = mtlf_sgd(learning_rate: 0.1, momentum: 0.9, weight_decay: 0)
      var context = try mtlf_context(MTLF_ISA_BEST)
      context.threads = 0
      var table: [(String, mtlf_status, () -> mtlf_status)] = [
        ("adam, no settings", MTLF_ERR_NULL_POINTER, { mtlf_adam_f32(nil, 1, 4, w, m, v, g, nil) }),
        ("adam, no w", MTLF_ERR_NULL_POINTER, { mtlf_adam_f32(&adam, 1, 4, nil, m, v, g, nil) }),
        ("adam, no m", MTLF_ERR_NULL_POINTER, { mtlf_adam_f32(&adam, 1, 4, w, nil, v, g, nil) }),
        ("adam, no v", MTLF_ERR_NULL_POINTER, { mtlf_adam_f32(&adam, 1, 4, w, m, nil, g, nil) }),
        ("adam, no g", MTLF_ERR_NULL_POINTER, { mtlf_adam_f32(&adam, 1, 4, w, m, v, nil, nil) }),
        ("adam of nothing", MTLF_ERR_BAD_SHAPE, { mtlf_adam_f32(&adam, 1, 0, w, m, v, g, nil) }),
        ("adam of -1", MTLF_ERR_BAD_SHAPE, { mtlf_adam_f32(&adam, 1, -1, w, m, v, g, nil) }),
        ("adam, step 0", MTLF_ERR_BAD_VALUE, { mtlf_adam_f32(&adam, 0, 4, w, m, v, g, nil) }),
        ("adam, no threads", MTLF_ERR_BAD_VALUE, { mtlf_adam_f32(&adam, 1, 4, w, m, v, g, &context) }),
        ("sgd, no settings", MTLF_ERR_NULL_POINTER, { mtlf_sgd_f32(nil, 4, w, m, g, nil) }),
        ("sgd, no w", MTLF_ERR_NULL_POINTER, { mtlf_sgd_f32(&sgd, 4, nil, m, g, nil) }),
        ("sgd, no velocity", MTLF_ERR_NULL_POINTER, { mtlf_sgd_f32(&sgd, 4, w, nil, g, nil) }),
        ("sgd, no g", MTLF_ERR_NULL_POINTER, { mtlf_sgd_f32(&sgd, 4, w, m, nil, nil) }),
        ("sgd of nothing", MTLF_ERR_BAD_SHAPE, { mtlf_sgd_f32(&sgd, 0, w, m, g, nil) }),
        ("sgd, no threads", MTLF_ERR_BAD_VALUE, { mtlf_sgd_f32(&sgd, 4, w, m, g, &context) }),
      ]
      for (field, values) in [
        (\mtlf_adam.learning_rate, [Float.nan, .infinity]), (\.beta1, [-0.1, 1, .nan]), (\.beta2, [-0.1, 1, 2, .nan]),
        (\.epsilon, [0, -1, .nan, .infinity]), (\.weight_decay, [-0.1, .nan, .infinity]),
      ] {
        for value in values {
          var wrong = adam
          wrong[keyPath: field] = value
          let call = { [wrong] in withUnsafePointer(to: wrong) { mtlf_adam_f32($0, 1, 4, w, m, v, g, nil) } }
          table.append(("adam with \(wrong)", MTLF_ERR_BAD_VALUE, call))
        }
      }
      for wrong in [
        mtlf_sgd(learning_rate: 1, momentum: 0, weight_decay: -1),
        mtlf_sgd(learning_rate: 1, momentum: 0, weight_decay: .nan),
        mtlf_sgd(learning_rate: 1, momentum: 0, weight_decay: .infinity),
        mtlf_sgd(learning_rate: .nan, momentum: 0, weight_decay: 0),
        mtlf_sgd(learning_rate: .infinity, momentum: 0, weight_decay: 0),
        mtlf_sgd(learning_rate: 1, momentum: 1, weight_decay: 0),
        mtlf_sgd(learning_rate: 1, momentum: -0.5, weight_decay: 0),
        mtlf_sgd(learning_rate: 1, momentum: .nan, weight_decay: 0),
      ] {
        let call = { withUnsafePointer(to: wrong) { mtlf_sgd_f32($0, 4, w, m, g, nil) } }
        table.append(("sgd with \(wrong)", MTLF_ERR_BAD_VALUE, call))
      }
      for (name, status, call) in table { expectRefusal(status, name, outputs: buffers, call) }
    }
  }
}
