// SPDX-License-Identifier: Apache-2.0
// Convolution forward, d_input, d_filter, and fused with 2x2 max-pool, against the reference.

import CKernels
import CReference
import Foundation
import Testing

extension KernelTests {
  struct Conv2DTests {
    @Test(arguments: ConvShape.all) func integersEqualTheReference(_ shape: ConvShape) throws {
      let oracle = try ConvOracle(shape, .integers(4))
      let runs = try ConvRuns(shape)
      for configuration in try Configuration.all(paths: [MTLF_CONV_DIRECT, MTLF_CONV_IM2COL]) {
        let run = runs[configuration.side]
        let plain = try run.forward(oracle, hasBias: false, relu: 0, configuration)
        plain.expectEqual(oracle.plain, "output, \(configuration)", shape: shape.output)
        let activated = try run.forward(oracle, hasBias: true, relu: 1, configuration)
        activated.expectEqual(oracle.activated, "output with bias and ReLU, \(configuration)", shape: shape.output)
        let dInput = try run.dInput(oracle, configuration)
        dInput.expectEqual(oracle.dInput, "d_input, \(configuration)", shape: shape.input)
        let (dFilter, dBias) = try run.dFilter(oracle, hasBias: true, configuration)
        dFilter.expectEqual(oracle.dFilter, "d_filter, \(configuration)", shape: shape.filter)
        dBias.expectEqual(oracle.dBias, "d_bias, \(configuration)")
      }
    }

    @Test(arguments: ConvShape.all.filter { $0.pooled.elements > 0 })
    func fusedPoolEqualsTheReference(_ shape: ConvShape) throws {
      let oracle = try ConvOracle(shape, .integers(2))
      let runs = try ConvRuns(shape)
      for relu in [Int32(0), 1] {
        let expected = try oracle.pooled(relu: relu)
        for configuration in try Configuration.all(paths: [MTLF_CONV_DIRECT, MTLF_CONV_IM2COL]) {
          let (output, gate) = try runs[configuration.side].pooled(oracle, relu: relu, configuration)
          output.expectEqual(expected.output, "pooled, relu \(relu), \(configuration)", shape: shape.pooled)
          #expect(gate.hasSameBits(as: expected.gate), "gate, relu \(relu), \(configuration)")
        }
      }
    }

    @Test(arguments: ConvShape.few + ConvShape.real) func realsAreNearTheReference(_ shape: ConvShape) throws {
      let oracle = try ConvOracle(shape, .reals)
      let runs = try ConvRuns(shape)
      for configuration in try Configuration.all(paths: [MTLF_CONV_DIRECT, MTLF_CONV_IM2COL], threads: [1]) {
        let run = runs[configuration.side]
        try run.forward(oracle, hasBias: true, relu: 1, configuration).expectNear(
          oracle.activated, bound: bound(terms: shape.outputTerms + 1, oracle.activated), "output, \(configuration)",
          shape: shape.output)
        try run.dInput(oracle, configuration).expectNear(
          oracle.dInput, bound: bound(terms: shape.inputTerms, oracle.dInput), "d_input, \(configuration)",
          shape: shape.input)
        let (dFilter, dBias) = try run.dFilter(oracle, hasBias: true, configuration)
        dFilter.expectNear(
          oracle.dFilter, bound: bound(terms: shape.filterTerms, oracle.dFilter), "d_filter, \(configuration)",
          shape: shape.filter)
        dBias.expectNear(
          oracle.dBias, bound: bound(terms: shape.filterTerms, oracle.dBias), "d_bias, \(configuration)")
      }
    }

    @Test(arguments: ConvShape.few + ConvShape.real) func bitsDoNotDependOnThreads(_ shape: ConvShape) throws {
      let oracle = try ConvOracle(shape, .reals)
      for isa in mtlf_isa.supported {
        for path in [MTLF_CONV_DIRECT, MTLF_CONV_IM2COL] {
          var context = try mtlf_context(isa)
          context.conv_path = path
          let first = try ConvRuns(shape).right
          let others = try ConvRuns(shape)
          let one = Configuration(context: context, isa: isa, side: REFERENCE_FLUSH_RIGHT)
          try first.all(oracle, one)
          for threads in [Int32(2), 3] {
            context.threads = threads
            let side = threads == 2 ? REFERENCE_FLUSH_LEFT : REFERENCE_FLUSH_RIGHT
            let configuration = Configuration(context: context, isa: isa, side: side)
            let run = others[side]
            try run.all(oracle, configuration)
            run.output.expectSameBits(as: first.output, "output, \(configuration)", shape: shape.output)
            run.dInput.expectSameBits(as: first.dInput, "d_input, \(configuration)", shape: shape.input)
            run.dFilter.expectSameBits(as: first.dFilter, "d_filter, \(configuration)", shape: shape.filter)
            run.dBias.expectSameBits(as: first.dBias, "d_bias, \(configuration)")
          }
        }
      }
    }

    /// Each sum starts at the bias and runs over (r, s, c) in order: so paths and instruction sets give the same bits.
    @Test(arguments: ConvShape.few + ConvShape.real) func forwardSumsRunInOrder(_ shape: ConvShape) throws {
      let oracle = try ConvOracle(shape, .reals)
      let runs = try ConvRuns(shape)
      for isFused in [false, true] {
        let configurations = try Configuration.all(paths: [MTLF_CONV_DIRECT, MTLF_CONV_IM2COL], threads: [1])
          .filter { $0.isa.isFused == isFused }
        guard !configurations.isEmpty else { continue }
        let expected = try oracle.forwardInOrder(isFused: isFused)
        for configuration in configurations {
          let output = try runs[configuration.side].forward(oracle, hasBias: true, relu: 0, configuration)
          output.expectSameBits(as: expected, "output, \(configuration)", shape: shape.output)
        }
      }
    }

    @Test(arguments: [ConvShape.everyBatch[6], ConvShape.real[1], ConvShape.odd[10]])
    func imageAloneEqualsImageInBatch(_ shape: ConvShape) throws {
      let oracle = try ConvOracle(shape, .reals)
      var alone = shape
      alone.conv.batch = 1
      let imageFloats = alone.input.elements
      for configuration in try Configuration.all(paths: [MTLF_CONV_DIRECT, MTLF_CONV_IM2COL], threads: [2]) {
        let all = try ConvRuns(shape).left.forward(oracle, hasBias: true, relu: 1, configuration)
        for n in 0..<Int(shape.conv.batch) {
          let image = try ConvOracle(alone, oracle, imagesFrom: n * imageFloats)
          let single = try ConvRuns(alone).left.forward(image, hasBias: true, relu: 1, configuration)
          let row = all.pointer + n * single.count
          #expect(memcmp(row, single.pointer, single.byteCount) == 0, "image \(n), \(configuration)")
        }
      }
    }

    @Test(arguments: ConvShape.few) func propagatesNaN(_ shape: ConvShape) throws {
      let oracle = try ConvOracle(shape, .integersAndNaN(3), filter: .integers(3))
      let runs = try ConvRuns(shape)
      for configuration in try Configuration.all(paths: [MTLF_CONV_DIRECT, MTLF_CONV_IM2COL], threads: [1, 2]) {
        let run = runs[configuration.side]
        try run.forward(oracle, hasBias: true, relu: 1, configuration).expectEqual(
          oracle.activated, "output, \(configuration)", shape: shape.output)
        try run.dInput(oracle, configuration).expectEqual(
          oracle.dInput, "d_input, \(configuration)", shape: shape.input)
        // Padding times NaN is NaN, and the reference doesn't multiply padding.
        if !shape.isPadded {
          try run.dFilter(oracle, hasBias: true, configuration).dFilter.expectEqual(
            oracle.dFilter, "d_filter, \(configuration)", shape: shape.filter)
        }
        guard shape.pooled.elements > 0 else { continue }
        for relu in [Int32(0), 1] {
          let expected = try oracle.pooled(relu: relu)
          let (output, gate) = try run.pooled(oracle, relu: relu, configuration)
          output.expectEqual(expected.output, "pooled, relu \(relu), \(configuration)", shape: shape.pooled)
          #expect(gate.hasSameBits(as: expected.gate), "gate, relu \(relu), \(configuration)")
        }
      }
    }

    @Test func poolTakesTheFirstOfEquals() throws {
      // A 1x1 filter of 1 leaves the image as it is; all pixels are equal.
      let shape = ConvShape(1, 4, 4, 1, to: 1, kernel: (1, 1))
      let oracle = try ConvOracle(shape, .integers(0))
      for configuration in try Configuration.all(threads: [1]) {
        let (_, open) = try ConvRuns(shape).right.pooled(oracle, relu: 0, configuration)
        #expect(open.array == [0, 0, 0, 0], "\(configuration)")
        let (_, cut) = try ConvRuns(shape).right.pooled(oracle, relu: 1, configuration)
        #expect(cut.array == [4, 4, 4, 4], "\(configuration)")
      }
    }

    @Test func referenceGradientsAreThoseOfItsOutputs() throws {
      let shape = ConvShape(2, 5, 4, 2, to: 3, kernel: (3, 2), stride: (2, 1), pads: [1, 0, 0, 1])
      var conv = shape.conv
      let input = try reals(shape.input.elements, seed: 1)
      let filter = try reals(shape.filter.elements, seed: 2)
      let bias = try reals(shape.bias.elements, seed: 3)
      let dOutput = try reals(shape.output.elements, seed: 4)
      func loss(_ input: [Double], _ filter: [Double], _ bias: [Double]) -> Double {
        dot(.filled(shape.output.elements) { reference_conv2d_forward(&conv, input, filter, bias, 0, $0) }, dOutput)
      }
      var dBias = [Double](repeating: 0, count: bias.count)
      let dInput = [Double].filled(input.count) { reference_conv2d_d_input(&conv, filter, dOutput, $0) }
      let dFilter = [Double].filled(filter.count) { reference_conv2d_d_filter(&conv, input, dOutput, $0, &dBias) }
      expectGradient(dInput, of: { loss($0, filter, bias) }, at: input, "d_input")
      expectGradient(dFilter, of: { loss(input, $0, bias) }, at: filter, "d_filter")
      expectGradient(dBias, of: { loss(input, filter, $0) }, at: bias, "d_bias")
    }

    @Test(arguments: [Int32(0), 1]) func referencePoolGradientIsThatOfItsOutput(relu: Int32) throws {
      let shape = ConvShape(2, 5, 6, 1, to: 3, kernel: (1, 1))
      var conv = shape.conv
      // Distinct by more than the step, and none near 0: no kink, no tie.
      let unpooled = (0..<shape.output.elements).map { Double(($0 * 37) % 180) / 90 - 0.995 }
      let dOutput = try reals(shape.pooled.elements, seed: 4)
      var gate = [UInt8](repeating: 0, count: dOutput.count)
      func pooled(_ x: [Double]) -> [Double] {
        .filled(dOutput.count) { reference_conv2d_max_pool2d_forward(&conv, x, relu, $0, &gate) }
      }
      _ = pooled(unpooled)
      let dUnpooled = [Double].filled(unpooled.count) {
        reference_conv2d_max_pool2d_backward(&conv, dOutput, gate, $0)
      }
      expectGradient(dUnpooled, of: { dot(pooled($0), dOutput) }, at: unpooled, "d_unpooled")
    }

    @Test(arguments: [1, 3, 33, 64, 100], [(2, 2), (5, 6), (4, 3)])
    func poolGradientEqualsTheReference(channels: Int32, size: (Int32, Int32)) throws {
      let shape = ConvShape(3, size.0, size.1, 1, to: channels, kernel: (1, 1))
      var conv = shape.conv
      let dOutput = (0..<shape.pooled.elements).map { Double($0 % 17) - 8 }
      let gate = (0..<shape.pooled.elements).map { UInt8(($0 * 7) % 5) }
      let expected = [Double].filled(shape.output.elements) {
        reference_conv2d_max_pool2d_backward(&conv, dOutput, gate, $0)
      }
      for configuration in try Configuration.all(threads: [1, 3]) {
        var context = configuration.context
        var found = [Float](repeating: .nan, count: shape.output.elements)
        #expect(mtlf_conv2d_max_pool2d_backward_f32(&conv, dOutput.map(Float.init), gate, &found, &context) == MTLF_OK)
        #expect(found.map(Double.init) == expected, "\(configuration)")
      }
      var small = conv
      small.height = 1
      var untouched: [Float] = [7]
      #expect(
        mtlf_conv2d_max_pool2d_backward_f32(&small, dOutput.map(Float.init), gate, &untouched, nil)
          == MTLF_ERR_BAD_SHAPE)
      #expect(untouched == [7])
      #expect(mtlf_conv2d_output_height(nil) == 0)
      small.stride_w = 0
      #expect(mtlf_conv2d_output_width(&small) == 0)
    }

    // MARK: Errors

    @Test func wrongArgumentsAreRefused() throws {
      let shape = ConvShape(2, 5, 6, 3, to: 4, pads: [1, 1, 1, 1])
      for configuration in try Configuration.all(paths: [MTLF_CONV_DIRECT, MTLF_CONV_IM2COL], threads: [1]) {
        let good = try ConvArguments(shape, configuration)
        let table: [(String, mtlf_status, [ConvPass], (inout ConvArguments) -> Void)] = [
          ("no descriptor", MTLF_ERR_NULL_POINTER, ConvPass.allCases, { $0.conv = nil }),
          ("no input", MTLF_ERR_NULL_POINTER, [.forward, .pooled, .dFilter], { $0.input = nil }),
          ("no filter", MTLF_ERR_NULL_POINTER, [.forward, .pooled, .dInput], { $0.filter = nil }),
          ("no d_output", MTLF_ERR_NULL_POINTER, [.dInput, .dFilter], { $0.dOutput = nil }),
          ("no output", MTLF_ERR_NULL_POINTER, ConvPass.allCases, { $0.output = nil }),
          ("no gate", MTLF_ERR_NULL_POINTER, [.pooled], { $0.gate = nil }),
          ("no workspace", MTLF_ERR_NULL_POINTER, ConvPass.allCases, { $0.workspace = nil }),
          ("no kernels", MTLF_ERR_NULL_POINTER, ConvPass.allCases, { $0.context.kernels = nil }),
          ("relu 2", MTLF_ERR_BAD_VALUE, [.forward, .pooled], { $0.relu = 2 }),
          ("relu -1", MTLF_ERR_BAD_VALUE, [.forward, .pooled], { $0.relu = -1 }),
          ("no threads", MTLF_ERR_BAD_VALUE, ConvPass.allCases, { $0.context.threads = 0 }),
          ("misaligned", MTLF_ERR_MISALIGNED, ConvPass.allCases, { $0.workspace = $0.workspace.map { $0 + 4 } }),
          ("too small", MTLF_ERR_WORKSPACE_TOO_SMALL, ConvPass.allCases, { $0.workspaceBytes -= 1 }),
          ("no bytes", MTLF_ERR_WORKSPACE_TOO_SMALL, ConvPass.allCases, { $0.workspaceBytes = 0 }),
        ]
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
      let good = try ConvArguments(ConvShape(2, 5, 6, 3, to: 4, pads: [1, 1, 1, 1]), Configuration.all()[0])
      for (name, conv) in ConvShape.impossible {
        var arguments = good
        arguments.conv = conv
        var conv = conv
        #expect(mtlf_conv2d_workspace_bytes(&conv, nil) == 0, "\(name)")
        for pass in ConvPass.allCases {
          expectRefusal(MTLF_ERR_BAD_SHAPE, "\(pass), \(name)", outputs: good.outputs) { arguments.call(pass) }
        }
      }
      #expect(mtlf_conv2d_workspace_bytes(nil, nil) == 0)
    }

    @Test func poolNeedsTwoRowsAndColumns() throws {
      for shape in [ConvShape(1, 3, 6, 1, to: 1), ConvShape(1, 6, 3, 1, to: 1)] {
        let arguments = try ConvArguments(shape, Configuration.all()[0])
        expectRefusal(MTLF_ERR_BAD_SHAPE, shape.testDescription, outputs: arguments.outputs) { arguments.call(.pooled) }
      }
    }
  }
}
