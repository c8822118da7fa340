// SPDX-License-Identifier: Apache-2.0
// Depthwise convolutions for the tests: their shapes, what the reference makes of them, and calls of the kernels.

import CKernels
import CReference
import Testing

extension ConvShape {
  /// The same with a filter for each of channels_out channels.
  private var ofEachChannel: ConvShape {
    var shape = self
    shape.conv.channels_in = conv.channels_out
    return shape
  }

  /// [KH, KW, C]
  var depthwiseFilter: [Int32] { [conv.kernel_h, conv.kernel_w, conv.channels_in] }

  /// Every number of pixels of a tile and one more than two of them, for each kind of tile.
  private static let everyWidth = (1...17).flatMap { width in
    [
      ConvShape.same(2, 3, width, 1, to: 5), .same(1, 4, width, 1, to: 9, kernel: (3, 5)),
      .same(1, 5, width, 1, to: 17, stride: (2, 2)), .same(1, 2, width, 1, to: 3, kernel: (7, 7), stride: (1, 3)),
    ]
  }

  /// Several panels of every instruction set.
  private static let panels = [33, 64, 70, 100].flatMap { channels in
    [ConvShape.same(2, 5, 11, 1, to: channels), .same(3, 9, 9, 1, to: channels, kernel: (5, 5), stride: (2, 1))]
  }

  static let depthwise = all.map(\.ofEachChannel) + everyWidth.map(\.ofEachChannel) + panels.map(\.ofEachChannel)
  static let fewDepthwise = few.map(\.ofEachChannel) + panels.map(\.ofEachChannel) + real.suffix(1).map(\.ofEachChannel)
}

extension ConvPass {
  static let depthwise = [ConvPass.forward, .dInput, .dFilter]
}

/// A depthwise convolution's operands and what the reference makes of them.
struct DepthwiseOracle {
  let shape: ConvShape
  let input, filter, bias, dOutput: Operand
  let plain, activated, dInput, dFilter, dBias: GuardedBuffer<Double>

  init(_ shape: ConvShape, _ values: Values, filter filterValues: Values? = nil) throws {
    self.shape = shape
    input = try Operand(shape.input.elements, values, seed: 1)
    filter = try Operand(shape.depthwiseFilter.elements, filterValues ?? values, seed: 2)
    bias = try Operand(shape.bias.elements, filterValues ?? values, seed: 3)
    dOutput = try Operand(shape.output.elements, values, seed: 4)
    plain = try GuardedBuffer(dOutput.count)
    activated = try GuardedBuffer(dOutput.count)
    dInput = try GuardedBuffer(input.count)
    dFilter = try GuardedBuffer(filter.count)
    dBias = try GuardedBuffer(bias.count)
    var conv = shape.conv
    let (input, filter, dOutput) = (input.wide.pointer, filter.wide.pointer, dOutput.wide.pointer)
    reference_depthwise_conv2d_forward(&conv, input, filter, nil, 0, plain.pointer)
    reference_depthwise_conv2d_forward(&conv, input, filter, bias.wide.pointer, 1, activated.pointer)
    reference_depthwise_conv2d_d_input(&conv, filter, dOutput, dInput.pointer)
    reference_depthwise_conv2d_d_filter(&conv, input, dOutput, dFilter.pointer, dBias.pointer)
  }
}

/// Runs the kernels of a depthwise convolution into buffers of exactly its sizes.
struct DepthwiseRun {
  let oracle: DepthwiseOracle
  let configuration: Configuration
  let output, dInput, dFilter, dBias: GuardedBuffer<Float>

  init(_ oracle: DepthwiseOracle, _ configuration: Configuration) throws {
    self.oracle = oracle
    self.configuration = configuration
    output = try GuardedBuffer(oracle.dOutput.count, configuration.side)
    dInput = try GuardedBuffer(oracle.input.count, configuration.side)
    dFilter = try GuardedBuffer(oracle.filter.count, configuration.side)
    dBias = try GuardedBuffer(oracle.bias.count, configuration.side)
  }

  /// Calls a function with memory of the size that it asks for, and full of NaN.
  private func call(
    _ body: (
      UnsafePointer<mtlf_conv2d>, UnsafeMutableRawPointer, Int, UnsafePointer<mtlf_context>
    ) -> mtlf_status
  ) throws {
    var conv = oracle.shape.conv
    var context = configuration.context
    let bytes = mtlf_depthwise_conv2d_workspace_bytes(&conv, &context)
    try #require(bytes > 0 && bytes % Int(MTLF_ALIGNMENT) == 0)
    let memory = try GuardedBuffer<UInt8>(bytes, configuration.side)
    try #require(body(&conv, memory.pointer, memory.count, &context) == MTLF_OK)
  }

  func forward(hasBias: Bool, relu: Int32) throws -> GuardedBuffer<Float> {
    let side = configuration.side
    output.forget()
    try call {
      mtlf_depthwise_conv2d_forward_f32(
        $0, oracle.input[side], oracle.filter[side], hasBias ? oracle.bias[side] : nil, relu, output.pointer, $1, $2,
        $3)
    }
    return output
  }

  func backward() throws {
    let side = configuration.side
    try call {
      mtlf_depthwise_conv2d_d_input_f32($0, oracle.filter[side], oracle.dOutput[side], dInput.pointer, $1, $2, $3)
    }
    try call {
      mtlf_depthwise_conv2d_d_filter_f32(
        $0, oracle.input[side], oracle.dOutput[side], dFilter.pointer, dBias.pointer, $1, $2, $3)
    }
    let alone = try GuardedBuffer<Float>(dFilter.count, side)
    try call {
      mtlf_depthwise_conv2d_d_filter_f32(
        $0, oracle.input[side], oracle.dOutput[side], alone.pointer, nil, $1, $2, $3)
    }
    alone.expectSameBits(as: dFilter, "d_filter without bias, \(configuration)")
  }
}

/// The arguments of every function of a depthwise convolution, all right until changed.
struct DepthwiseArguments {
  var conv: mtlf_conv2d?
  var input, filter, dOutput: UnsafePointer<Float>?
  var output: UnsafeMutablePointer<Float>?
  var relu: Int32 = 0
  var workspace: UnsafeMutablePointer<UInt8>?
  var workspaceBytes: Int
  var context: mtlf_context
  private let oracle: DepthwiseOracle
  private let result: GuardedBuffer<Float>
  private let memory: GuardedBuffer<UInt8>

  init(_ oracle: DepthwiseOracle, _ configuration: Configuration) throws {
    self.oracle = oracle
    conv = oracle.shape.conv
    context = configuration.context
    var conv = oracle.shape.conv
    workspaceBytes = mtlf_depthwise_conv2d_workspace_bytes(&conv, &context)
    result = try GuardedBuffer(max(oracle.input.count, oracle.dOutput.count, oracle.filter.count))
    memory = try GuardedBuffer(workspaceBytes)
    input = oracle.input[REFERENCE_FLUSH_RIGHT]
    filter = oracle.filter[REFERENCE_FLUSH_RIGHT]
    dOutput = oracle.dOutput[REFERENCE_FLUSH_RIGHT]
    output = result.pointer
    workspace = memory.pointer
  }

  var outputs: [any Untouchable] { [result, memory] }

  func call(_ pass: ConvPass) -> mtlf_status {
    withUnsafePointer(to: context) { context in
      guard let conv else { return call(pass, nil, context) }
      return withUnsafePointer(to: conv) { call(pass, $0, context) }
    }
  }

  private func call(
    _ pass: ConvPass, _ conv: UnsafePointer<mtlf_conv2d>?, _ context: UnsafePointer<mtlf_context>
  ) -> mtlf_status {
    switch pass {
    case .dInput: mtlf_depthwise_conv2d_d_input_f32(conv, filter, dOutput, output, workspace, workspaceBytes, context)
    case .dFilter:
      mtlf_depthwise_conv2d_d_filter_f32(conv, input, dOutput, output, nil, workspace, workspaceBytes, context)
    default:
      mtlf_depthwise_conv2d_forward_f32(conv, input, filter, nil, relu, output, workspace, workspaceBytes, context)
    }
  }
}
