// SPDX-License-Identifier: Apache-2.0
// Contexts: instruction sets, threads, environment variables, statuses, and the mode for denormal numbers.

import CKernels
import CReference
import Foundation
import Testing

extension KernelTests {
  struct ContextTests {
    @Test func everySupportedInstructionSetIsNamed() throws {
      #expect(mtlf_isa_is_supported(MTLF_ISA_BEST) == 1)
      #expect(mtlf_isa_is_supported(MTLF_ISA_SCALAR) == 1)
      for isa in mtlf_isa.supported {
        var context = try mtlf_context(isa)
        #expect(String(cString: mtlf_context_isa_name(&context)) == isa.name)
      }
    }

    @Test func theBestIsTheLastSupported() throws {
      guard ProcessInfo.processInfo.environment["MTLF_ISA"] == nil else { return }
      var context = try mtlf_context(MTLF_ISA_BEST)
      #expect(String(cString: mtlf_context_isa_name(&context)) == mtlf_isa.supported.last?.name)
    }

    @Test func unsupportedInstructionSetsAreRefused() {
      for isa in mtlf_isa.named + [mtlf_isa(rawValue: 99)] where mtlf_isa_is_supported(isa) == 0 {
        var context = mtlf_context(kernels: nil, threads: 7, keep_denormals: 7, conv_path: MTLF_CONV_IM2COL)
        #expect(mtlf_context_init(&context, isa, 1) == MTLF_ERR_UNSUPPORTED_ISA)
        #expect(context.kernels == nil && context.threads == 7 && context.keep_denormals == 7)
      }
    }

    @Test func wrongArgumentsAreRefused() {
      var context = mtlf_context(kernels: nil, threads: 7, keep_denormals: 7, conv_path: MTLF_CONV_IM2COL)
      #expect(mtlf_context_init(nil, MTLF_ISA_SCALAR, 1) == MTLF_ERR_NULL_POINTER)
      #expect(mtlf_context_init(&context, MTLF_ISA_SCALAR, -1) == MTLF_ERR_BAD_VALUE)
      #expect(context.kernels == nil && context.threads == 7)
      #expect(String(cString: mtlf_context_isa_name(&context)) == "unsupported")
      #expect(mtlf_panel_columns(&context) == 0)
      #expect(mtlf_packed_floats(1, 1, &context) == 0)
    }

    @Test func threadsDefaultToTheMachine() throws {
      #expect(try mtlf_context(MTLF_ISA_SCALAR, threads: 0).threads >= 1)
      #expect(try mtlf_context(MTLF_ISA_SCALAR, threads: 5).threads == 5)
    }

    @Test func everyStatusHasItsOwnText() {
      let texts = (MTLF_OK.rawValue...MTLF_ERR_UNSUPPORTED_ISA.rawValue).map { mtlf_status(rawValue: $0).text }
      #expect(Set(texts).count == 7)
      #expect(!texts.contains("unknown status"))
      #expect(mtlf_status(rawValue: 99).text == "unknown status")
    }

    // MARK: Environment. Each in a process of its own.

    @Test func isaVariableNamesTheDefault() async {
      await #expect(processExitsWith: .success) {
        setenv("MTLF_ISA", "scalar", 1)
        precondition(String(cString: mtlf_context_isa_name(nil)) == "scalar")
        var context = mtlf_context()
        precondition(mtlf_context_init(&context, MTLF_ISA_BEST, 1) == MTLF_OK)
        precondition(String(cString: mtlf_context_isa_name(&context)) == "scalar")
      }
    }

    @Test func unknownIsaVariableIsRefused() async {
      await #expect(processExitsWith: .success) {
        setenv("MTLF_ISA", "sse9", 1)
        var context = mtlf_context()
        precondition(mtlf_context_init(&context, MTLF_ISA_BEST, 1) == MTLF_ERR_UNSUPPORTED_ISA)
        precondition(mtlf_context_init(&context, MTLF_ISA_SCALAR, 1) == MTLF_OK)
        precondition(String(cString: mtlf_context_isa_name(nil)) == "unsupported")
        var (x, y): (Float, Float) = (1, 2)
        precondition(mtlf_relu_forward_f32(1, &x, &y, nil) == MTLF_ERR_UNSUPPORTED_ISA && y == 2)
      }
    }

    @Test func convVariableNamesThePath() async {
      await #expect(processExitsWith: .success) {
        setenv("MTLF_CONV", "im2col", 1)
        var context = mtlf_context()
        precondition(mtlf_context_init(&context, MTLF_ISA_BEST, 1) == MTLF_OK)
        precondition(context.conv_path == MTLF_CONV_IM2COL)
        var conv = ConvShape(1, 5, 5, 2, to: 3).conv
        // The default context, looked up once, says the same at the first call and later.
        let bytes = mtlf_conv2d_workspace_bytes(&conv, &context)
        precondition(mtlf_conv2d_workspace_bytes(&conv, nil) == bytes)
        precondition(mtlf_conv2d_workspace_bytes(&conv, nil) == bytes)
        setenv("MTLF_CONV", "winograd", 1)
        precondition(mtlf_context_init(&context, MTLF_ISA_BEST, 1) == MTLF_ERR_BAD_VALUE)
      }
    }

    // MARK: Denormal numbers

    @Test(arguments: [Int32(0), 1]) func denormalsAreFlushedUnlessKept(keep: Int32) throws {
      // Enough values for blocks on several threads.
      let n = 100_000
      let tiny = try Operand([Float](repeating: .leastNormalMagnitude / 16, count: n))
      let small = try Operand([Float](repeating: 1e-20, count: n))
      for configuration in try Configuration.all() {
        var context = configuration.context
        context.keep_denormals = keep
        func check(_ what: String, _ values: GuardedBuffer<Float>) {
          let isRight = values.array.allSatisfy { $0.isSubnormal == (keep == 1) && ($0 == 0) == (keep == 0) }
          #expect(isRight, "\(what), \(configuration)")
          #expect(keepsDenormals(.leastNormalMagnitude), "\(what) left the mode on, \(configuration)")
        }
        let output = try GuardedBuffer<Float>(n)
        try #require(
          mtlf_sigmoid_backward_f32(Int64(n), small.right.pointer, small.right.pointer, output.pointer, &context)
            == MTLF_OK)
        check("sigmoid backward", output)
        var adam = mtlf_adam(learning_rate: 0.1, beta1: 0.5, beta2: 0.5, epsilon: 1e-7, weight_decay: 0)
        let state = try (0..<3).map { _ in try GuardedBuffer([Float](repeating: 0, count: n)) }
        try #require(
          mtlf_adam_f32(
            &adam, 1, Int64(n), state[0].pointer, state[1].pointer, state[2].pointer, small.right.pointer, &context)
            == MTLF_OK)
        check("adam", state[2])
        var sgd = mtlf_sgd(learning_rate: 1, momentum: 0, weight_decay: 0)
        try #require(
          mtlf_sgd_f32(&sgd, Int64(n), state[0].pointer, state[1].pointer, tiny.right.pointer, &context) == MTLF_OK)
        check("sgd", state[1])
        let d = try GuardedBuffer([Float](repeating: 0, count: 2))
        var result = mtlf_cross_entropy()
        try #require(
          mtlf_softmax_cross_entropy_f32(1, 2, [0, 0], [0], nil, 2e-38, nil, d.pointer, &result, &context) == MTLF_OK)
        check("loss", d)
      }
    }

    @Test(arguments: [Int32(0), 1]) func sumsOfDenormalsAreFlushedUnlessKept(keep: Int32) throws {
      let shape = ConvShape(3, 4, 4, 1, to: 2, kernel: (1, 1))
      let dense = DenseShape(3, 1, 20)
      // Products of 1e-39.
      let input = try Operand([Float](repeating: 1e-20, count: 48))
      let other = try Operand([Float](repeating: 1e-19, count: 96))
      for configuration in try Configuration.all(paths: [MTLF_CONV_DIRECT, MTLF_CONV_IM2COL]) {
        var context = configuration.context
        context.keep_denormals = keep
        func check(_ what: String, _ values: GuardedBuffer<Float>) {
          let isRight = values.array.allSatisfy { $0.isSubnormal == (keep == 1) && ($0 == 0) == (keep == 0) }
          #expect(isRight, "\(what), \(configuration)")
          #expect(keepsDenormals(.leastNormalMagnitude), "\(what) left the mode on, \(configuration)")
        }
        var conv = shape.conv
        let workspace = try GuardedBuffer<UInt8>(mtlf_conv2d_workspace_bytes(&conv, &context))
        let output = try GuardedBuffer<Float>(shape.output.elements)
        try #require(
          mtlf_conv2d_forward_f32(
            &conv, input.right.pointer, other.right.pointer, nil, 0, output.pointer, workspace.pointer,
            workspace.count, &context) == MTLF_OK)
        check("conv2d", output)
        var layer = dense.dense
        let memory = try GuardedBuffer<UInt8>(mtlf_dense_workspace_bytes(&layer, &context))
        let units = try GuardedBuffer<Float>(dense.output.elements)
        try #require(
          mtlf_dense_forward_f32(
            &layer, input.right.pointer, other.right.pointer, nil, 0, units.pointer, memory.pointer, memory.count,
            &context) == MTLF_OK)
        check("dense", units)
      }
    }
  }
}

/// Whether this thread computes with denormal numbers. Never inlined, so that it is computed when it is called.
@inline(never) private func keepsDenormals(_ smallest: Float) -> Bool { smallest / 2 != 0 }
