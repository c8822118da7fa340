// SPDX-License-Identifier: Apache-2.0
// Depthwise convolution forward, d_input and d_filter against the reference, plain and as operations of a plan.

import CKernels
import CReference
import Foundation
import Testing

extension KernelTests {
  struct DepthwiseConv2DTests {
    @Test(arguments: ConvShape.depthwise) func integersEqualTheReference(_ shape: ConvShape) throws {
      let oracle = try DepthwiseOracle(shape, .integers(4))
      for configuration in try Configuration.all() {
        let run = try DepthwiseRun(oracle, configuration)
        try run.forward(hasBias: false, relu: 0).expectEqual(
          oracle.plain, "output, \(configuration)", shape: shape.output)
        try run.forward(hasBias: true, relu: 1).expectEqual(
          oracle.activated, "output with bias and ReLU, \(configuration)", shape: shape.output)
        try run.backward()
        run.dInput.expectEqual(oracle.dInput, "d_input, \(configuration)", shape: shape.input)
        run.dFilter.expectEqual(oracle.dFilter, "d_filter, \(configuration)", shape: shape.depthwiseFilter)
        run.dBias.expectEqual(oracle.dBias, "d_bias, \(configuration)")
      }
    }

    @Test(arguments: ConvShape.fewDepthwise) func realsAreNearTheReferenceForAnyNumberOfThreads(_ shape: ConvShape)
      throws
    {
      let oracle = try DepthwiseOracle(shape, .reals)
      let taps = Int(shape.conv.kernel_h * shape.conv.kernel_w)
      for isa in mtlf_isa.supported {
        let runs = try Configuration.all().filter { $0.isa == isa }.map { try DepthwiseRun(oracle, $0) }
        for run in runs {
          _ = try run.forward(hasBias: true, relu: 1)
          try run.backward()
          run.output.expectSameBits(as: runs[0].output, "output, \(run.configuration)", shape: shape.output)
          run.dInput.expectSameBits(as: runs[0].dInput, "d_input, \(run.configuration)", shape: shape.input)
          run.dFilter.expectSameBits(as: runs[0].dFilter, "d_filter, \(run.configuration)")
          run.dBias.expectSameBits(as: runs[0].dBias, "d_bias, \(run.configuration)")
        }
        runs[0].output.expectNear(
          oracle.activated, bound: bound(terms: taps + 1, oracle.activated), "output, \(isa.name)",
          shape: shape.output)
        runs[0].dInput.expectNear(
          oracle.dInput, bound: bound(terms: taps, oracle.dInput), "d_input, \(isa.name)", shape: shape.input)
        runs[0].dFilter.expectNear(
          oracle.dFilter, bound: bound(terms: shape.filterTerms, oracle.dFilter), "d_filter, \(isa.name)")
        runs[0].dBias.expectNear(
          oracle.dBias, bound: bound(terms: shape.filterTerms, oracle.dBias), "d_bias, \(isa.name)")
      }
    }

    @Test(arguments: ConvShape.fewDepthwise) func propagatesNaN(_ shape: ConvShape) throws {
      let oracle = try DepthwiseOracle(shape, .integersAndNaN(3), filter: .integers(3))
      for configuration in try Configuration.all(threads: [1, 2]) {
        let run = try DepthwiseRun(oracle, configuration)
        try run.forward(hasBias: true, relu: 1).expectEqual(
          oracle.activated, "output, \(configuration)", shape: shape.output)
        try run.backward()
        run.dInput.expectEqual(oracle.dInput, "d_input, \(configuration)", shape: shape.input)
        // Padding times NaN is NaN, and the reference doesn't multiply padding.
        guard !shape.isPadded else { continue }
        run.dFilter.expectEqual(oracle.dFilter, "d_filter, \(configuration)", shape: shape.depthwiseFilter)
      }
    }

    /// Whole numbers again: through shards, packed parameters and halos of which nothing but the windows may be touched.
    @Test(arguments: ConvShape.fewDepthwise) func operationsEqualTheReference(_ shape: ConvShape) throws {
      let oracle = try DepthwiseOracle(shape, .integers(4))
      let conv = shape.conv
      let window = mtlf_window(
        kernel_h: conv.kernel_h, kernel_w: conv.kernel_w, stride_h: conv.stride_h, stride_w: conv.stride_w,
        pad_top: conv.pad_top, pad_left: conv.pad_left)
      let pads = [conv.pad_top, conv.pad_bottom, conv.pad_left, conv.pad_right]
      for configuration in try Configuration.all() {
        let side = configuration.side
        let weight = try PlanWeight(
          inputs: conv.kernel_h * conv.kernel_w, units: conv.channels_in, kernel: oracle.filter.right.array,
          bias: oracle.bias.right.array, configuration)
        let input = try HaloImages(shape.input, pads: pads, halo: 0, oracle.input.right.array, side)
        let dOutput = try HaloImages(shape.output, pads: [1, 0, 2, 1], oracle.dOutput.right.array, side)
        let output = try HaloImages(shape.output, pads: [0, 1, 1, 2], halo: 7, nil, side)
        let dInput = try HaloImages(
          shape.input, pads: pads, halo: 0, [Float](repeating: 1, count: shape.input.elements), side)
        try withUnsafePointer(to: weight.value) { value in
          try configuration.run(
            mtlf_depthwise_conv2d_op(
              window: window, weight: value, relu: 1, input: input.tensor, output: output.tensor),
            shard: mtlf_depthwise_conv2d_shard, batch: conv.batch)
          try configuration.run(
            mtlf_depthwise_conv2d_d_input_op(
              window: window, weight: value, d_output: dOutput.tensor, d_input: dInput.tensor),
            shard: mtlf_depthwise_conv2d_d_input_shard, batch: conv.batch)
          try configuration.run(
            mtlf_depthwise_conv2d_d_filter_op(
              window: window, weight: value, input: input.tensor, d_output: dOutput.tensor),
            shard: mtlf_depthwise_conv2d_d_filter_shard, batch: conv.batch)
        }
        #expect(output.values == oracle.activated.array.map(Float.init), "output, \(configuration)")
        #expect(output.halo.allSatisfy { $0 == 7 }, "halo of output, \(configuration)")
        #expect(dInput.values == oracle.dInput.array.map { Float($0) + 1 }, "d_input, \(configuration)")
        let groups = min(Int(conv.batch), MTLF_MAX_GROUPS)
        let gradient = try weight.summedGradient(groups: groups)
        #expect(gradient.kernel == oracle.dFilter.array.map(Float.init), "d_filter, \(configuration)")
        #expect(gradient.bias == oracle.dBias.array.map(Float.init), "d_bias, \(configuration)")
      }
    }

    @Test func referenceGradientsAreThoseOfItsOutputs() throws {
      let shape = ConvShape(2, 5, 4, 3, to: 3, kernel: (3, 2), stride: (2, 1), pads: [1, 0, 0, 1])
      var conv = shape.conv
      let input = try reals(shape.input.elements, seed: 1)
      let filter = try reals(shape.depthwiseFilter.elements, seed: 2)
      let bias = try reals(shape.bias.elements, seed: 3)
      let dOutput = try reals(shape.output.elements, seed: 4)
      func loss(_ input: [Double], _ filter: [Double], _ bias: [Double]) -> Double {
        dot(
          .filled(dOutput.count) { reference_depthwise_conv2d_forward(&conv, input, filter, bias, 0, $0) }, dOutput)
      }
      var dBias = [Double](repeating: 0, count: bias.count)
      let dInput = [Double].filled(input.count) { reference_depthwise_conv2d_d_input(&conv, filter, dOutput, $0) }
      let dFilter = [Double].filled(filter.count) {
        reference_depthwise_conv2d_d_filter(&conv, input, dOutput, $0, &dBias)
      }
      expectGradient(dInput, of: { loss($0, filter, bias) }, at: input, "d_input")
      expectGradient(dFilter, of: { loss(input, $0, bias) }, at: filter, "d_filter")
      expectGradient(dBias, of: { loss(input, filter, $0) }, at: bias, "d_bias")
    }

    // MARK: Errors

    @Test func wrongArgumentsAreRefused() throws {
      let oracle = try DepthwiseOracle(ConvShape(2, 5, 6, 3, to: 3, pads: [1, 1, 1, 1]), .integers(2))
      let all = ConvPass.depthwise
      let table: [(String, mtlf_status, [ConvPass], (inout DepthwiseArguments) -> Void)] = [
        ("no descriptor", MTLF_ERR_NULL_POINTER, all, { $0.conv = nil }),
        ("no input", MTLF_ERR_NULL_POINTER, [.forward, .dFilter], { $0.input = nil }),
        ("no filter", MTLF_ERR_NULL_POINTER, [.forward, .dInput], { $0.filter = nil }),
        ("no d_output", MTLF_ERR_NULL_POINTER, [.dInput, .dFilter], { $0.dOutput = nil }),
        ("no output", MTLF_ERR_NULL_POINTER, all, { $0.output = nil }),
        ("no workspace", MTLF_ERR_NULL_POINTER, all, { $0.workspace = nil }),
        ("no kernels", MTLF_ERR_NULL_POINTER, all, { $0.context.kernels = nil }),
        ("relu 2", MTLF_ERR_BAD_VALUE, [.forward], { $0.relu = 2 }),
        ("relu -1", MTLF_ERR_BAD_VALUE, [.forward], { $0.relu = -1 }),
        ("no threads", MTLF_ERR_BAD_VALUE, all, { $0.context.threads = 0 }),
        ("misaligned", MTLF_ERR_MISALIGNED, all, { $0.workspace = $0.workspace.map { $0 + 4 } }),
        ("too small", MTLF_ERR_WORKSPACE_TOO_SMALL, all, { $0.workspaceBytes -= 1 }),
        ("no bytes", MTLF_ERR_WORKSPACE_TOO_SMALL, all, { $0.workspaceBytes = 0 }),
        ("fewer channels", MTLF_ERR_BAD_SHAPE, all, { $0.conv?.channels_in = 2 }),
      ]
      for configuration in try Configuration.all(threads: [1]) {
        let good = try DepthwiseArguments(oracle, configuration)
        for (name, status, passes, change) in table {
          var arguments = good
          change(&arguments)
          for pass in passes {
            expectRefusal(status, "\(pass), \(name), \(configuration)", outputs: good.outputs) { arguments.call(pass) }
          }
        }
      }
    }

    @Test func impossibleShapesAreRefused() throws {
      let oracle = try DepthwiseOracle(ConvShape(2, 5, 6, 4, to: 4, pads: [1, 1, 1, 1]), .integers(2))
      let good = try DepthwiseArguments(oracle, Configuration.all()[0])
      for (name, conv) in ConvShape.impossible {
        var arguments = good
        arguments.conv = conv
        var conv = conv
        #expect(mtlf_depthwise_conv2d_workspace_bytes(&conv, nil) == 0, "\(name)")
        for pass in ConvPass.depthwise {
          expectRefusal(MTLF_ERR_BAD_SHAPE, "\(pass), \(name)", outputs: good.outputs) { arguments.call(pass) }
        }
      }
      #expect(mtlf_depthwise_conv2d_workspace_bytes(nil, nil) == 0)
    }
  }
}
