// SPDX-License-Identifier: Apache-2.0
// Layer normalisation against the reference, plain and as operations of a plan.

import CKernels
import CReference
import Testing

extension KernelTests {
  struct LayerNormTests {
    static let eps = 0x1p-23
    static let shapes: [(Int64, Int32)] =
      [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 130, 1000].map { (37, $0) }
      + [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 63, 64, 65, 300].map { ($0, 13) }

    /// Everything around one minibatch, with gamma and beta that are not 1 and 0.
    struct Batch {
      var norm: mtlf_layer_norm
      let input, gamma, beta, dOutput: Operand

      init(_ rows: Int64, _ channels: Int32, offset: Float = 3) throws {
        norm = mtlf_layer_norm(rows: rows, channels: channels, epsilon: 1e-3)
        let count = Int(rows) * Int(channels)
        input = try Operand(count) {
          reference_fill_reals(Int64(count), 1, $0)
          for i in 0..<count { $0[i] = $0[i] * Float(1 + i % 3) + offset }
        }
        gamma = try Operand(Int(channels), .reals, seed: 2)
        beta = try Operand(Int(channels), .reals, seed: 3)
        dOutput = try Operand(count, .reals, seed: 4)
      }

      var rows: Int { Int(norm.rows) }
      var channels: Int { Int(norm.channels) }
    }

    /// What the reference makes of a batch.
    struct Oracle {
      let output, mean, inverse, dInput, dGamma, dBeta: GuardedBuffer<Double>

      init(_ batch: Batch) throws {
        var norm = batch.norm
        output = try GuardedBuffer(batch.input.count)
        mean = try GuardedBuffer(batch.rows)
        inverse = try GuardedBuffer(batch.rows)
        dInput = try GuardedBuffer(batch.input.count)
        dGamma = try GuardedBuffer(batch.channels)
        dBeta = try GuardedBuffer(batch.channels)
        let (x, gamma, d) = (batch.input.wide.pointer, batch.gamma.wide.pointer, batch.dOutput.wide.pointer)
        reference_layer_norm_forward(
          &norm, x, gamma, batch.beta.wide.pointer, output.pointer, mean.pointer, inverse.pointer)
        reference_layer_norm_backward(&norm, x, gamma, d, dInput.pointer, dGamma.pointer, dBeta.pointer)
      }

      /// The means are rounded to eps * 4 before they are taken from x, and the rest is multiplied by 1 / deviation, which
      /// comes from sums over channels.
      var perRow: Double {
        let channels = Double(dGamma.count)
        return eps * (4 + channels.squareRoot() / 4) * (1 + (inverse.array.max() ?? 0))
      }
    }

    /// The kernels' results, in buffers of exactly their sizes.
    struct Results {
      let output, mean, inverse, dInput, dGamma, dBeta: GuardedBuffer<Float>
      var all: [GuardedBuffer<Float>] { [output, mean, inverse, dInput, dGamma, dBeta] }

      init(_ batch: Batch, _ configuration: Configuration) throws {
        let side = configuration.side
        var (norm, context) = (batch.norm, configuration.context)
        output = try GuardedBuffer(batch.input.count, side)
        mean = try GuardedBuffer(batch.rows, side)
        inverse = try GuardedBuffer(batch.rows, side)
        dInput = try GuardedBuffer(batch.input.count, side)
        dGamma = try GuardedBuffer(batch.channels, side)
        dBeta = try GuardedBuffer(batch.channels, side)
        let memory = try GuardedBuffer<UInt8>(mtlf_layer_norm_workspace_bytes(norm.channels), side)
        try #require(
          mtlf_layer_norm_forward_f32(
            &norm, batch.input[side], batch.gamma[side], batch.beta[side], output.pointer, mean.pointer,
            inverse.pointer, &context) == MTLF_OK)
        try #require(
          mtlf_layer_norm_backward_f32(
            &norm, batch.input[side], batch.gamma[side], mean.pointer, inverse.pointer, batch.dOutput[side],
            dInput.pointer, dGamma.pointer, dBeta.pointer, memory.pointer, memory.count, &context) == MTLF_OK)
        // In place, without statistics, and without d_input: the same bits.
        let (y, d) = (
          try GuardedBuffer(batch.input.right.array, side), try GuardedBuffer(batch.dOutput.right.array, side)
        )
        try #require(
          mtlf_layer_norm_forward_f32(
            &norm, y.pointer, batch.gamma[side], batch.beta[side], y.pointer, nil, nil, &context) == MTLF_OK)
        y.expectSameBits(as: output, "output in place, \(configuration)")
        let (gamma, beta) = (try GuardedBuffer<Float>(batch.channels), try GuardedBuffer<Float>(batch.channels))
        for target in [nil, d.pointer] {
          try #require(
            mtlf_layer_norm_backward_f32(
              &norm, batch.input[side], batch.gamma[side], mean.pointer, inverse.pointer, d.pointer, target,
              gamma.pointer, beta.pointer, memory.pointer, memory.count, &context) == MTLF_OK)
          gamma.expectSameBits(as: dGamma, "d_gamma again, \(configuration)")
          beta.expectSameBits(as: dBeta, "d_beta again, \(configuration)")
        }
        d.expectSameBits(as: dInput, "d_input in place, \(configuration)")
      }
    }

    @Test(arguments: shapes) func isNearTheReferenceForAnyNumberOfThreads(_ rows: Int64, _ channels: Int32) throws {
      let batch = try Batch(rows, channels)
      let oracle = try Oracle(batch)
      let largest = oracle.inverse.array.max() ?? 1
      for isa in mtlf_isa.supported {
        var first: Results?
        for configuration in try Configuration.all() where configuration.isa == isa {
          let results = try Results(batch, configuration)
          for (a, b) in zip(results.all, first?.all ?? []) { a.expectSameBits(as: b, "\(configuration)") }
          guard first == nil else { continue }
          first = results
          results.mean.expectNear(oracle.mean, bound: bound(terms: 4, oracle.mean), "mean, \(isa.name)")
          results.inverse.expectNear(
            oracle.inverse, bound: bound(terms: 64, oracle.inverse), "inverse deviation, \(isa.name)")
          results.output.expectNear(oracle.output, bound: oracle.perRow, "output, \(isa.name)")
          results.dInput.expectNear(oracle.dInput, bound: oracle.perRow * (1 + largest), "d_input, \(isa.name)")
          results.dGamma.expectNear(
            oracle.dGamma,
            bound: oracle.perRow * Double(rows).squareRoot() + bound(terms: Int(rows), oracle.dGamma),
            "d_gamma, \(isa.name)")
          results.dBeta.expectNear(
            oracle.dBeta, bound: bound(terms: Int(rows), oracle.dBeta) + Self.eps, "d_beta, \(isa.name)")
        }
      }
    }

    /// The mean is corrected by the mean of what is left: far from zero the result is as good as the input.
    @Test(arguments: [Float(1000), -100_000]) func keepsItsDigitsFarFromZero(offset: Float) throws {
      let batch = try Batch(20, 500, offset: offset)
      let oracle = try Oracle(batch)
      for configuration in try Configuration.all(threads: [1]) {
        let results = try Results(batch, configuration)
        let ofMean = Double(abs(offset)) * Self.eps
        results.mean.expectNear(oracle.mean, bound: ofMean, "mean, \(configuration)")
        results.output.expectNear(oracle.output, bound: 4 * ofMean, "output, \(configuration)")
      }
    }

    /// 1 and -1 in equal number have mean 0 and variance 1; with an epsilon of 3 the deviation is 2.
    @Test func isExactWhereNumbersAre() throws {
      var norm = mtlf_layer_norm(rows: 3, channels: 8, epsilon: 3)
      let x = (0..<24).map { Float($0 % 2 == 0 ? 1 : -1) }
      let (gamma, beta) = ([Float](repeating: 4, count: 8), [Float](repeating: 1, count: 8))
      for configuration in try Configuration.all() {
        var context = configuration.context
        var (y, mean, inverse) = (x, [Float](repeating: 7, count: 3), [Float](repeating: 7, count: 3))
        #expect(mtlf_layer_norm_forward_f32(&norm, x, gamma, beta, &y, &mean, &inverse, &context) == MTLF_OK)
        #expect(y == x.map { 2 * $0 + 1 } && mean == [0, 0, 0] && inverse == [0.5, 0.5, 0.5], "\(configuration)")
      }
    }

    @Test(arguments: [Int32(3), 16, 37]) func nanStaysInItsRow(channels: Int32) throws {
      let batch = try Batch(11, channels)
      let n = Int(channels)
      for bad in [Float.nan, .infinity, -.infinity] {
        var (x, d) = (batch.input.right.array, batch.dOutput.right.array)
        x[4 * n + n / 2] = bad
        d[7 * n + n - 1] = bad
        for configuration in try Configuration.all(threads: [1, 2]) {
          var (norm, context) = (batch.norm, configuration.context)
          var (y, dX) = (x, x)
          var (mean, inverse) = ([Float](repeating: 0, count: 11), [Float](repeating: 0, count: 11))
          var (dGamma, dBeta) = ([Float](repeating: 0, count: n), [Float](repeating: 0, count: n))
          let memory = try GuardedBuffer<UInt8>(mtlf_layer_norm_workspace_bytes(channels))
          let (gamma, beta) = (batch.gamma.right.array, batch.beta.right.array)
          #expect(mtlf_layer_norm_forward_f32(&norm, x, gamma, beta, &y, &mean, &inverse, &context) == MTLF_OK)
          #expect(
            mtlf_layer_norm_backward_f32(
              &norm, x, gamma, mean, inverse, d, &dX, &dGamma, &dBeta, memory.pointer, memory.count, &context)
              == MTLF_OK)
          for i in 0..<11 * n {
            #expect(y[i].isFinite == (i / n != 4), "output \(i), \(bad), \(configuration)")
            #expect(dX[i].isFinite == (i / n != 4 && i / n != 7), "d_input \(i), \(bad), \(configuration)")
          }
          #expect(dGamma.allSatisfy { !$0.isFinite } && !dBeta[n - 1].isFinite, "\(bad), \(configuration)")
          #expect(dBeta.dropLast().allSatisfy { $0.isFinite }, "\(bad), \(configuration)")
        }
      }
    }

    /// Pixels lie in rows apart, in whole images, or as vectors: the results are those of plain rows.
    @Test(arguments: [[5, 3, 4, 10], [4, 1, 6, 17], [21, 1, 1, 33], [3, 2, 1, 1]] as [[Int32]], [false, true])
    func operationsEqualPlainCalls(shape: [Int32], hasHalo: Bool) throws {
      let batch = try Batch(Int64(shape[0] * shape[1] * shape[2]), shape[3])
      let oracle = try Oracle(batch)
      let pads: [Int32] = hasHalo ? [1, 0, 2, 1] : [0, 0, 0, 0]
      let groups = min(Int(shape[0]), MTLF_MAX_GROUPS)
      for configuration in try Configuration.all() {
        let expected = try Results(batch, configuration)
        let side = configuration.side
        let weight = try PlanWeight(
          inputs: 1, units: shape[3], kernel: batch.gamma.right.array, bias: batch.beta.right.array, configuration)
        let input = try HaloImages(shape, pads: pads, batch.input.right.array, side)
        let dOutput = try HaloImages(shape, pads: pads.reversed(), batch.dOutput.right.array, side)
        let output = try HaloImages(shape, pads: pads, halo: 7, nil, side)
        let dInput = try HaloImages(shape, pads: pads, halo: 7, nil, side)
        let statistics = try HaloImages([shape[0], 2, shape[1] * shape[2], 1], nil, side)
        try withUnsafePointer(to: weight.value) { value in
          func forward(_ statistics: mtlf_tensor) throws {
            try configuration.run(
              mtlf_layer_norm_op(
                weight: value, epsilon: batch.norm.epsilon, input: input.tensor, output: output.tensor,
                statistics: statistics),
              shard: mtlf_layer_norm_shard, batch: shape[0])
          }
          func backward(to dInput: mtlf_tensor, keepsWeight: Int32) throws {
            try configuration.run(
              mtlf_layer_norm_backward_op(
                weight: value, input: input.tensor, d_output: dOutput.tensor, d_input: dInput,
                statistics: statistics.tensor, keeps_weight: keepsWeight),
              shard: mtlf_layer_norm_backward_shard, batch: shape[0])
          }
          try forward(mtlf_tensor())
          #expect(output.values == expected.output.array, "without statistics, \(configuration)")
          try forward(statistics.tensor)
          #expect(output.values == expected.output.array, "output, \(configuration)")
          try backward(to: dInput.tensor, keepsWeight: 1)
          #expect(weight.gradient.isUntouched, "kept weight, \(configuration)")
          #expect(dInput.values == expected.dInput.array, "d_input, \(configuration)")
          try backward(to: mtlf_tensor(), keepsWeight: 0)
          let alone = try weight.summedGradient(groups: groups)
          try backward(to: dOutput.tensor, keepsWeight: 0)
          #expect(dOutput.values == expected.dInput.array, "d_input in place, \(configuration)")
          let (dGamma, dBeta) = try weight.summedGradient(groups: groups)
          #expect(alone.kernel == dGamma && alone.bias == dBeta, "weight alone, \(configuration)")
          let rows = Double(batch.rows)
          try GuardedBuffer(dGamma).expectNear(
            oracle.dGamma, bound: oracle.perRow * rows.squareRoot() + bound(terms: batch.rows, oracle.dGamma),
            "d_gamma, \(configuration)")
          try GuardedBuffer(dBeta).expectNear(
            oracle.dBeta, bound: bound(terms: batch.rows, oracle.dBeta) + Self.eps, "d_beta, \(configuration)")
        }
        #expect((output.halo + dInput.halo).allSatisfy { $0 == 7 }, "halos, \(configuration)")
      }
    }

    @Test func referenceGradientsAreThoseOfItsOutputs() throws {
      var norm = mtlf_layer_norm(rows: 4, channels: 5, epsilon: 1e-3)
      let x = try reals(20, seed: 1)
      let (gamma, beta, d) = (try reals(5, seed: 2), try reals(5, seed: 3), try reals(20, seed: 4))
      func loss(_ x: [Double], _ gamma: [Double], _ beta: [Double]) -> Double {
        var (mean, inverse) = ([Double](repeating: 0, count: 4), [Double](repeating: 0, count: 4))
        return dot(.filled(20) { reference_layer_norm_forward(&norm, x, gamma, beta, $0, &mean, &inverse) }, d)
      }
      var (dGamma, dBeta) = ([Double](repeating: 0, count: 5), [Double](repeating: 0, count: 5))
      let dInput = [Double].filled(20) { reference_layer_norm_backward(&norm, x, gamma, d, $0, &dGamma, &dBeta) }
      expectGradient(dInput, of: { loss($0, gamma, beta) }, at: x, "d_input")
      expectGradient(dGamma, of: { loss(x, $0, beta) }, at: gamma, "d_gamma")
      expectGradient(dBeta, of: { loss(x, gamma, $0) }, at: beta, "d_beta")
    }

    @Test func wrongArgumentsAreRefused() throws {
      let good = mtlf_layer_norm(rows: 2, channels: 3, epsilon: 1e-3)
      let operand = try Operand(6, .reals, seed: 1)
      let (p, result) = (UnsafePointer(operand.right.pointer), try GuardedBuffer<Float>(6))
      let (mean, inverse) = (try GuardedBuffer<Float>(2), try GuardedBuffer<Float>(2))
      let (gamma, beta) = (try GuardedBuffer<Float>(3), try GuardedBuffer<Float>(3))
      let bytes = mtlf_layer_norm_workspace_bytes(3)
      let memory = try GuardedBuffer<UInt8>(bytes)
      let outputs: [any Untouchable] = [result, mean, inverse, gamma, beta, memory]
      func forward(
        _ norm: mtlf_layer_norm, without missing: Int? = nil, _ context: UnsafePointer<mtlf_context>? = nil
      ) -> mtlf_status {
        withUnsafePointer(to: norm) {
          mtlf_layer_norm_forward_f32(
            missing == 0 ? nil : $0, missing == 1 ? nil : p, missing == 2 ? nil : p, missing == 3 ? nil : p,
            missing == 4 ? nil : result.pointer, missing == 5 ? nil : mean.pointer,
            missing == 6 ? nil : inverse.pointer, context)
        }
      }
      func backward(
        _ norm: mtlf_layer_norm, without missing: Int? = nil, shift: Int = 0, bytes: Int,
        _ context: UnsafePointer<mtlf_context>? = nil
      ) -> mtlf_status {
        withUnsafePointer(to: norm) {
          mtlf_layer_norm_backward_f32(
            missing == 0 ? nil : $0, missing == 1 ? nil : p, missing == 2 ? nil : p, missing == 3 ? nil : p,
            missing == 4 ? nil : p, missing == 5 ? nil : p, result.pointer, missing == 6 ? nil : gamma.pointer,
            missing == 7 ? nil : beta.pointer, missing == 8 ? nil : memory.pointer + shift, bytes, context)
        }
      }
      for missing in 0...6 {
        expectRefusal(MTLF_ERR_NULL_POINTER, "forward without \(missing)", outputs: outputs) {
          forward(good, without: missing)
        }
      }
      for missing in 0...8 {
        expectRefusal(MTLF_ERR_NULL_POINTER, "backward without \(missing)", outputs: outputs) {
          backward(good, without: missing, bytes: bytes)
        }
      }
      let shapes = [(0, 3), (-1, 3), (2, 0), (2, -1), (2, 1 << 20 + 1), (Int64.max, 3)] as [(Int64, Int32)]
      for (rows, channels) in shapes {
        let norm = mtlf_layer_norm(rows: rows, channels: channels, epsilon: 1e-3)
        let name = "\(rows) rows of \(channels)"
        expectRefusal(MTLF_ERR_BAD_SHAPE, name, outputs: outputs) { forward(norm) }
        expectRefusal(MTLF_ERR_BAD_SHAPE, name, outputs: outputs) { backward(norm, bytes: bytes) }
      }
      for epsilon in [Float(0), -1, .nan, .infinity] {
        let norm = mtlf_layer_norm(rows: 2, channels: 3, epsilon: epsilon)
        expectRefusal(MTLF_ERR_BAD_VALUE, "epsilon \(epsilon)", outputs: outputs) { forward(norm) }
        expectRefusal(MTLF_ERR_BAD_VALUE, "epsilon \(epsilon)", outputs: outputs) { backward(norm, bytes: bytes) }
      }
      var context = try mtlf_context(MTLF_ISA_BEST)
      context.threads = 0
      expectRefusal(MTLF_ERR_BAD_VALUE, "no threads", outputs: outputs) { forward(good, &context) }
      expectRefusal(MTLF_ERR_BAD_VALUE, "no threads", outputs: outputs) { backward(good, bytes: bytes, &context) }
      expectRefusal(MTLF_ERR_MISALIGNED, "misaligned", outputs: outputs) { backward(good, shift: 4, bytes: bytes) }
      expectRefusal(MTLF_ERR_WORKSPACE_TOO_SMALL, "too small", outputs: outputs) { backward(good, bytes: bytes - 1) }
      for channels in [0, -1, 1 << 20 + 1] as [Int32] { #expect(mtlf_layer_norm_workspace_bytes(channels) == 0) }
    }
  }
}
