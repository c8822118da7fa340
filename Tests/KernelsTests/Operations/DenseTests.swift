// SPDX-License-Identifier: Apache-2.0
// Dense layers forward, d_input and d_kernel against the reference.

import CKernels
import CReference
import Foundation
import Testing

extension KernelTests {
  struct DenseTests {
    @Test(arguments: DenseShape.all) func integersEqualTheReference(_ shape: DenseShape) throws {
      let oracle = try DenseOracle(shape, .integers(4))
      let right = try DenseRun(shape, REFERENCE_FLUSH_RIGHT)
      let left = try DenseRun(shape, REFERENCE_FLUSH_LEFT)
      for configuration in try Configuration.all() {
        let run = configuration.side == REFERENCE_FLUSH_LEFT ? left : right
        try run.forward(oracle, hasBias: false, relu: 0, configuration).expectEqual(
          oracle.plain, "output, \(configuration)", shape: shape.output)
        try run.forward(oracle, hasBias: true, relu: 1, configuration).expectEqual(
          oracle.activated, "output with bias and ReLU, \(configuration)", shape: shape.output)
        try run.dInput(oracle, configuration).expectEqual(
          oracle.dInput, "d_input, \(configuration)", shape: shape.input)
        let (dKernel, dBias) = try run.dKernel(oracle, hasBias: true, configuration)
        dKernel.expectEqual(oracle.dKernel, "d_kernel, \(configuration)", shape: shape.kernel)
        dBias.expectEqual(oracle.dBias, "d_bias, \(configuration)")
      }
    }

    @Test(arguments: DenseShape.few) func realsAreNearTheReferenceOnAnyThreads(_ shape: DenseShape) throws {
      let oracle = try DenseOracle(shape, .reals)
      for isa in mtlf_isa.supported {
        let first = try DenseRun(shape, REFERENCE_FLUSH_RIGHT)
        let others = try DenseRun(shape, REFERENCE_FLUSH_LEFT)
        for threads in [Int32(1), 2, 3] {
          let run = threads == 1 ? first : others
          let context = try mtlf_context(isa, threads: threads)
          let configuration = Configuration(context: context, isa: isa, side: run.side)
          _ = try run.forward(oracle, hasBias: true, relu: 1, configuration)
          _ = try run.dInput(oracle, configuration)
          _ = try run.dKernel(oracle, hasBias: true, configuration)
          guard threads == 1 else {
            run.output.expectSameBits(as: first.output, "output, \(configuration)", shape: shape.output)
            run.dInput.expectSameBits(as: first.dInput, "d_input, \(configuration)", shape: shape.input)
            run.dKernel.expectSameBits(as: first.dKernel, "d_kernel, \(configuration)", shape: shape.kernel)
            run.dBias.expectSameBits(as: first.dBias, "d_bias, \(configuration)")
            continue
          }
          run.output.expectNear(
            oracle.activated, bound: bound(terms: Int(shape.dense.inputs) + 1, oracle.activated),
            "output, \(configuration)", shape: shape.output)
          run.dInput.expectNear(
            oracle.dInput, bound: bound(terms: Int(shape.dense.units), oracle.dInput), "d_input, \(configuration)",
            shape: shape.input)
          run.dKernel.expectNear(
            oracle.dKernel, bound: bound(terms: Int(shape.dense.batch), oracle.dKernel), "d_kernel, \(configuration)",
            shape: shape.kernel)
          run.dBias.expectNear(
            oracle.dBias, bound: bound(terms: Int(shape.dense.batch), oracle.dBias), "d_bias, \(configuration)")
        }
      }
    }

    @Test(arguments: [Int32(2), 11, 12, 13, 33, 95, 200]) func rowAloneEqualsRowInBatch(batch: Int32) throws {
      let shape = DenseShape(batch, 67, 45)
      let oracle = try DenseOracle(shape, .reals)
      var one = shape.dense
      one.batch = 1
      for configuration in try Configuration.all(threads: [2]) {
        let all = try DenseRun(shape, REFERENCE_FLUSH_RIGHT).forward(oracle, hasBias: true, relu: 1, configuration)
        var context = configuration.context
        let workspace = try GuardedBuffer<UInt8>(mtlf_dense_workspace_bytes(&one, &context))
        let row = try GuardedBuffer<Float>(Int(one.units))
        for n in 0..<Int(batch) {
          let input = oracle.input.right.pointer + n * Int(one.inputs)
          try #require(
            mtlf_dense_forward_f32(
              &one, input, oracle.kernel.right.pointer, oracle.bias.right.pointer, 1, row.pointer, workspace.pointer,
              workspace.count, &context) == MTLF_OK)
          #expect(memcmp(row.pointer, all.pointer + n * row.count, row.byteCount) == 0, "row \(n), \(configuration)")
        }
      }
    }

    @Test(arguments: DenseShape.few) func propagatesNaN(_ shape: DenseShape) throws {
      let oracle = try DenseOracle(shape, .integersAndNaN(3))
      for configuration in try Configuration.all(threads: [1, 2]) {
        let run = try DenseRun(shape, configuration.side)
        try run.forward(oracle, hasBias: true, relu: 1, configuration).expectEqual(
          oracle.activated, "output, \(configuration)", shape: shape.output)
        try run.dInput(oracle, configuration).expectEqual(
          oracle.dInput, "d_input, \(configuration)", shape: shape.input)
        try run.dKernel(oracle, hasBias: true, configuration).dKernel.expectEqual(
          oracle.dKernel, "d_kernel, \(configuration)", shape: shape.kernel)
      }
    }

    @Test func dBiasMayBeNull() throws {
      let shape = DenseShape(13, 20, 35)
      let oracle = try DenseOracle(shape, .integers(4))
      for configuration in try Configuration.all() {
        let run = try DenseRun(shape, configuration.side)
        try run.dKernel(oracle, hasBias: false, configuration).dKernel.expectEqual(
          oracle.dKernel, "d_kernel, \(configuration)", shape: shape.kernel)
        #expect(run.dBias.isUntouched)
      }
    }

    @Test func referenceGradientsAreThoseOfItsOutputs() throws {
      var dense = mtlf_dense(batch: 3, inputs: 4, units: 5)
      let input = try reals(12, seed: 1)
      let kernel = try reals(20, seed: 2)
      let bias = try reals(5, seed: 3)
      let dOutput = try reals(15, seed: 4)
      func loss(_ input: [Double], _ kernel: [Double], _ bias: [Double]) -> Double {
        dot(.filled(15) { reference_dense_forward(&dense, input, kernel, bias, 0, $0) }, dOutput)
      }
      var dBias = [Double](repeating: 0, count: 5)
      let dInput = [Double].filled(12) { reference_dense_d_input(&dense, kernel, dOutput, $0) }
      let dKernel = [Double].filled(20) { reference_dense_d_kernel(&dense, input, dOutput, $0, &dBias) }
      expectGradient(dInput, of: { loss($0, kernel, bias) }, at: input, "d_input")
      expectGradient(dKernel, of: { loss(input, $0, bias) }, at: kernel, "d_kernel")
      expectGradient(dBias, of: { loss(input, kernel, $0) }, at: bias, "d_bias")
    }

    // MARK: Errors

    @Test func wrongArgumentsAreRefused() throws {
      for configuration in try Configuration.all(threads: [1, 2]) {
        let good = try DenseArguments(DenseShape(3, 5, 7), configuration)
        let table: [(String, mtlf_status, [DensePass], (inout DenseArguments) -> Void)] = [
          ("no descriptor", MTLF_ERR_NULL_POINTER, DensePass.allCases, { $0.dense = nil }),
          ("no input", MTLF_ERR_NULL_POINTER, [.forward, .dKernel], { $0.input = nil }),
          ("no kernel", MTLF_ERR_NULL_POINTER, [.forward, .dInput], { $0.kernel = nil }),
          ("no d_output", MTLF_ERR_NULL_POINTER, [.dInput, .dKernel], { $0.dOutput = nil }),
          ("no output", MTLF_ERR_NULL_POINTER, DensePass.allCases, { $0.output = nil }),
          ("no workspace", MTLF_ERR_NULL_POINTER, DensePass.allCases, { $0.workspace = nil }),
          ("no kernels", MTLF_ERR_NULL_POINTER, DensePass.allCases, { $0.context.kernels = nil }),
          ("batch 0", MTLF_ERR_BAD_SHAPE, DensePass.allCases, { $0.dense?.batch = 0 }),
          ("batch -1", MTLF_ERR_BAD_SHAPE, DensePass.allCases, { $0.dense?.batch = -1 }),
          ("inputs 0", MTLF_ERR_BAD_SHAPE, DensePass.allCases, { $0.dense?.inputs = 0 }),
          ("units 0", MTLF_ERR_BAD_SHAPE, DensePass.allCases, { $0.dense?.units = 0 }),
          ("largest batch", MTLF_ERR_BAD_SHAPE, DensePass.allCases, { $0.dense?.batch = .max }),
          ("largest inputs", MTLF_ERR_BAD_SHAPE, DensePass.allCases, { $0.dense?.inputs = .max }),
          ("largest units", MTLF_ERR_BAD_SHAPE, DensePass.allCases, { $0.dense?.units = .max }),
          ("relu 2", MTLF_ERR_BAD_VALUE, [.forward], { $0.relu = 2 }),
          ("no threads", MTLF_ERR_BAD_VALUE, DensePass.allCases, { $0.context.threads = 0 }),
          ("misaligned", MTLF_ERR_MISALIGNED, DensePass.allCases, { $0.workspace = $0.workspace.map { $0 + 32 } }),
          ("too small", MTLF_ERR_WORKSPACE_TOO_SMALL, DensePass.allCases, { $0.workspaceBytes -= 1 }),
        ]
        for (name, status, passes, change) in table {
          var arguments = good
          change(&arguments)
          for pass in passes {
            expectRefusal(status, "\(pass), \(name), \(configuration)", outputs: good.outputs) { arguments.call(pass) }
          }
          guard status == MTLF_ERR_BAD_SHAPE, var dense = arguments.dense else { continue }
          #expect(mtlf_dense_workspace_bytes(&dense, nil) == 0, "\(name)")
        }
      }
      #expect(mtlf_dense_workspace_bytes(nil, nil) == 0)
    }
  }
}
