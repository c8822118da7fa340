// SPDX-License-Identifier: Apache-2.0
// Batch normalisation against the reference.

import CKernels
import CReference
import Testing

extension KernelTests {
  struct BatchNormTests {
    static let eps = 0x1p-23
    static let shapes: [(Int64, Int32)] =
      [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 130].map { (50, $0) }
      + [1, 2, 3, 15, 16, 17, 31, 1000].map { ($0, 5) }

    /// Everything around one minibatch, with gamma and beta that are not 1 and 0.
    struct Batch {
      var norm: mtlf_normalization
      var input, gamma, beta, mean, variance, dOutput: Operand

      init(_ pixels: Int64, _ channels: Int32, offset: Float = 3) throws {
        norm = mtlf_normalization(pixels: pixels, channels: channels, momentum: 0.75, epsilon: 1e-3)
        let count = Int(pixels) * Int(channels)
        input = try Operand(count) {
          reference_fill_reals(Int64(count), 1, $0)
          for i in 0..<count { $0[i] = $0[i] * Float(1 + i % 3) + offset }
        }
        gamma = try Operand(Int(channels), .reals, seed: 2)
        beta = try Operand(Int(channels), .reals, seed: 3)
        mean = try Operand(Int(channels), .reals, seed: 4)
        variance = try Operand((0..<Int(channels)).map { 0.5 + Float($0) })
        dOutput = try Operand(count, .reals, seed: 5)
      }

      var channels: Int { Int(norm.channels) }
      var workspace: Int { mtlf_batch_norm_workspace_bytes(norm.channels) }
    }

    @Test(arguments: shapes) func isNearTheReference(_ pixels: Int64, _ channels: Int32) throws {
      let batch = try Batch(pixels, channels)
      var norm = batch.norm
      let count = batch.input.count
      let expectedMean = try GuardedBuffer(batch.mean.doubles)
      let expectedVariance = try GuardedBuffer(batch.variance.doubles)
      let expected = try GuardedBuffer<Double>(count)
      let expectedInference = try GuardedBuffer<Double>(count)
      let expectedD = try GuardedBuffer<Double>(count)
      let expectedGamma = try GuardedBuffer<Double>(batch.channels)
      let expectedBeta = try GuardedBuffer<Double>(batch.channels)
      let (x, gamma, beta) = (batch.input.wide.pointer, batch.gamma.wide.pointer, batch.beta.wide.pointer)
      reference_batch_norm_inference_forward(
        &norm, x, gamma, beta, expectedMean.pointer, expectedVariance.pointer, expectedInference.pointer)
      reference_batch_norm_training_forward(
        &norm, x, gamma, beta, expectedMean.pointer, expectedVariance.pointer, expected.pointer)
      reference_batch_norm_backward(
        &norm, x, gamma, batch.dOutput.wide.pointer, expectedD.pointer, expectedGamma.pointer, expectedBeta.pointer)
      var first: [GuardedBuffer<Float>]?
      for configuration in try Configuration.all() {
        var context = configuration.context
        let side = configuration.side
        let workspace = try GuardedBuffer<UInt8>(batch.workspace)
        let output = try GuardedBuffer<Float>(count, side)
        let runningMean = try GuardedBuffer(batch.mean.right.array, side)
        let runningVariance = try GuardedBuffer(batch.variance.right.array, side)
        let mean = try GuardedBuffer<Float>(batch.channels, side)
        let inverse = try GuardedBuffer<Float>(batch.channels, side)
        let dInput = try GuardedBuffer<Float>(count, side)
        let dGamma = try GuardedBuffer<Float>(batch.channels, side)
        let dBeta = try GuardedBuffer<Float>(batch.channels, side)
        try #require(
          mtlf_batch_norm_inference_forward_f32(
            &norm, batch.input[side], batch.gamma[side], batch.beta[side], batch.mean[side], batch.variance[side],
            output.pointer, workspace.pointer, batch.workspace, &context) == MTLF_OK)
        output.expectNear(
          expectedInference, bound: bound(terms: 16, expectedInference), "inference, \(configuration)")
        try #require(
          mtlf_batch_norm_training_forward_f32(
            &norm, batch.input[side], batch.gamma[side], batch.beta[side], runningMean.pointer,
            runningVariance.pointer, output.pointer, mean.pointer, inverse.pointer, workspace.pointer,
            batch.workspace, &context) == MTLF_OK)
        // With scale * x + shift both terms are as large as scale * 6, which is at most 6 / sqrt(epsilon) for one pixel.
        let largest = (0..<batch.channels).map { Double(inverse[$0]) }.max() ?? 1
        output.expectNear(expected, bound: 6 * Self.eps * (1 + largest), "output, \(configuration)")
        runningMean.expectNear(expectedMean, bound: 2 * Self.eps * 4, "running mean, \(configuration)")
        runningVariance.expectNear(
          expectedVariance, bound: bound(terms: 4, expectedVariance), "running variance, \(configuration)")
        try #require(
          mtlf_batch_norm_backward_f32(
            &norm, batch.input[side], batch.gamma[side], mean.pointer, inverse.pointer, batch.dOutput[side],
            dInput.pointer, dGamma.pointer, dBeta.pointer, workspace.pointer, batch.workspace, &context) == MTLF_OK)
        dBeta.expectNear(expectedBeta, bound: bound(terms: 1, expectedBeta), "d_beta, \(configuration)")
        // The mean is rounded to eps * 3 before it is taken from x, and then multiplied by 1 / deviation.
        let perPixel = 4 * Self.eps * (1 + largest)
        dGamma.expectNear(
          expectedGamma, bound: perPixel * Double(pixels).squareRoot() + bound(terms: 4, expectedGamma),
          "d_gamma, \(configuration)")
        dInput.expectNear(expectedD, bound: perPixel * (1 + largest), "d_input, \(configuration)")
        // The sums are plain C: the same bits by threads and by instruction set.
        let all = [output, runningMean, runningVariance, mean, inverse, dInput, dGamma, dBeta]
        if let first {
          for (a, b) in zip(all, first) { a.expectSameBits(as: b, "\(configuration)") }
        } else {
          first = all
        }
        // In place.
        let same = try GuardedBuffer(batch.dOutput.right.array, side)
        try #require(
          mtlf_batch_norm_backward_f32(
            &norm, batch.input[side], batch.gamma[side], mean.pointer, inverse.pointer, same.pointer, same.pointer,
            dGamma.pointer, dBeta.pointer, workspace.pointer, batch.workspace, &context) == MTLF_OK)
        same.expectSameBits(as: dInput, "d_input in place, \(configuration)")
      }
    }

    /// 1 and -1 in equal number have mean 0 and variance 1; with an epsilon of 3 the deviation is 2.
    @Test func isExactWhereNumbersAre() throws {
      var norm = mtlf_normalization(pixels: 8, channels: 3, momentum: 0.5, epsilon: 3)
      let x = try Operand((0..<24).map { $0 / 3 % 2 == 0 ? 1 : -1 })
      for configuration in try Configuration.all() {
        var context = configuration.context
        let workspace = try GuardedBuffer<UInt8>(mtlf_batch_norm_workspace_bytes(3))
        var mean: [Float] = [2, 2, 2]
        var variance: [Float] = [3, 3, 3]
        var y = [Float](repeating: 0, count: 24)
        var (own, inverse) = (mean, mean)
        try #require(
          mtlf_batch_norm_training_forward_f32(
            &norm, x.right.pointer, [4, 4, 4], [1, 1, 1], &mean, &variance, &y, &own, &inverse, workspace.pointer,
            workspace.byteCount, &context) == MTLF_OK)
        #expect(y == (0..<24).map { $0 / 3 % 2 == 0 ? 3 : -1 }, "\(configuration)")
        #expect(mean == [1, 1, 1] && variance == [2, 2, 2], "\(configuration)")
        #expect(own == [0, 0, 0] && inverse == [0.5, 0.5, 0.5], "\(configuration)")
      }
    }

    @Test func valuesThatAreAlikeGiveBeta() throws {
      var norm = mtlf_normalization(pixels: 100, channels: 1, momentum: 0, epsilon: 1e-5)
      let workspace = try GuardedBuffer<UInt8>(mtlf_batch_norm_workspace_bytes(1))
      var (mean, variance, own, inverse): (Float, Float, Float, Float) = (0, 0, 0, 0)
      var y = [Float](repeating: 0, count: 100)
      try #require(
        mtlf_batch_norm_training_forward_f32(
          &norm, [Float](repeating: 1000.1, count: 100), [1], [0.25], &mean, &variance, &y, &own, &inverse,
          workspace.pointer, workspace.byteCount, nil) == MTLF_OK)
      // scale * x and shift are 3e5 and cancel.
      #expect(y.allSatisfy { abs($0 - 0.25) < 0.1 } && variance < 1e-6 && mean == 1000.1)
    }

    @Test func referenceGradientsAreThoseOfItsOutput() throws {
      var norm = mtlf_normalization(pixels: 6, channels: 2, momentum: 0.5, epsilon: 1e-3)
      let x = try reals(12, seed: 1)
      let d = try reals(12, seed: 2)
      let gamma = [0.5, -2]
      let beta = [0.25, 1]
      func loss(_ x: [Double], _ gamma: [Double], _ beta: [Double]) -> Double {
        var (mean, variance) = ([0.0, 0], [1.0, 1])
        return dot(
          .filled(12) { reference_batch_norm_training_forward(&norm, x, gamma, beta, &mean, &variance, $0) }, d)
      }
      var (dGamma, dBeta) = ([0.0, 0], [0.0, 0])
      let dInput = [Double].filled(12) { reference_batch_norm_backward(&norm, x, gamma, d, $0, &dGamma, &dBeta) }
      expectGradient(dInput, of: { loss($0, gamma, beta) }, at: x, "d_input")
      expectGradient(dGamma, of: { loss(x, $0, beta) }, at: gamma, "d_gamma")
      expectGradient(dBeta, of: { loss(x, gamma, $0) }, at: beta, "d_beta")
    }

    @Test func wrongArgumentsAreRefused() throws {
      let batch = try Batch(4, 2)
      let outputs = try (0..<5).map { _ in try GuardedBuffer<Float>(8) }
      let workspace = try GuardedBuffer<UInt8>(batch.workspace)
      let (x, c) = (batch.input.right.pointer, batch.gamma.right.pointer)
      let y = outputs.map(\.pointer)
      let work = workspace.pointer
      let bytes = batch.workspace
      func training(_ norm: mtlf_normalization, work: UnsafeMutableRawPointer?, bytes: Int) -> mtlf_status {
        withUnsafePointer(to: norm) {
          mtlf_batch_norm_training_forward_f32($0, x, c, c, y[0], y[1], y[2], y[3], y[4], work, bytes, nil)
        }
      }
      func inference(_ norm: mtlf_normalization, work: UnsafeMutableRawPointer?, bytes: Int) -> mtlf_status {
        withUnsafePointer(to: norm) {
          mtlf_batch_norm_inference_forward_f32($0, x, c, c, c, c, y[0], work, bytes, nil)
        }
      }
      func backward(_ norm: mtlf_normalization, work: UnsafeMutableRawPointer?, bytes: Int) -> mtlf_status {
        withUnsafePointer(to: norm) {
          mtlf_batch_norm_backward_f32($0, x, c, c, c, x, y[0], y[1], y[2], work, bytes, nil)
        }
      }
      var norm = batch.norm
      var table: [(String, mtlf_status, () -> mtlf_status)] = [
        (
          "no shape", MTLF_ERR_NULL_POINTER,
          { mtlf_batch_norm_training_forward_f32(nil, x, c, c, y[0], y[1], y[2], y[3], y[4], work, bytes, nil) }
        ),
        (
          "no input", MTLF_ERR_NULL_POINTER,
          { mtlf_batch_norm_training_forward_f32(&norm, nil, c, c, y[0], y[1], y[2], y[3], y[4], work, bytes, nil) }
        ),
        (
          "no running mean", MTLF_ERR_NULL_POINTER,
          { mtlf_batch_norm_training_forward_f32(&norm, x, c, c, nil, y[1], y[2], y[3], y[4], work, bytes, nil) }
        ),
        (
          "no running variance to read", MTLF_ERR_NULL_POINTER,
          { mtlf_batch_norm_inference_forward_f32(&norm, x, c, c, c, nil, y[0], work, bytes, nil) }
        ),
        (
          "no d_output", MTLF_ERR_NULL_POINTER,
          { mtlf_batch_norm_backward_f32(&norm, x, c, c, c, nil, y[0], y[1], y[2], work, bytes, nil) }
        ),
        (
          "no d_gamma", MTLF_ERR_NULL_POINTER,
          { mtlf_batch_norm_backward_f32(&norm, x, c, c, c, x, y[0], nil, y[2], work, bytes, nil) }
        ),
      ]
      for (name, call) in [("training", training), ("inference", inference), ("backward", backward)] {
        func refuse(_ what: String, _ status: mtlf_status, _ change: (inout mtlf_normalization) -> Void) {
          var wrong = batch.norm
          change(&wrong)
          table.append(("\(name), \(what)", status, { [wrong] in call(wrong, work, bytes) }))
        }
        for value in [Int32(0), -1, 1 << 20 + 1, .max] {
          refuse("channels \(value)", MTLF_ERR_BAD_SHAPE) { $0.channels = value }
        }
        for value in [Int64(0), -1, .max] { refuse("pixels \(value)", MTLF_ERR_BAD_SHAPE) { $0.pixels = value } }
        for value in [Float(-0.1), 1.1, .nan] { refuse("momentum", MTLF_ERR_BAD_VALUE) { $0.momentum = value } }
        for value in [Float(0), -1, .nan, .infinity] { refuse("epsilon", MTLF_ERR_BAD_VALUE) { $0.epsilon = value } }
        table += [
          ("\(name), no workspace", MTLF_ERR_NULL_POINTER, { call(batch.norm, nil, bytes) }),
          ("\(name), misaligned", MTLF_ERR_MISALIGNED, { call(batch.norm, work + 4, bytes) }),
          ("\(name), small", MTLF_ERR_WORKSPACE_TOO_SMALL, { call(batch.norm, work, bytes - 1) }),
        ]
      }
      for (name, status, call) in table { expectRefusal(status, name, outputs: outputs, call) }
      #expect(mtlf_batch_norm_workspace_bytes(0) == 0 && mtlf_batch_norm_workspace_bytes(.max) == 0)
    }
  }
}
