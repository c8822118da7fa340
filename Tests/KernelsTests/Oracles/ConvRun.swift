// SPDX-License-Identifier: Apache-2.0
// Calls of the convolution kernels, with buffers of exactly the sizes that they may touch.

import CKernels
import CReference
import Testing

/// Outputs of a convolution's passes on both sides.
struct ConvRuns {
  let right: ConvRun
  let left: ConvRun

  init(_ shape: ConvShape) throws {
    right = try ConvRun(shape, REFERENCE_FLUSH_RIGHT)
    left = try ConvRun(shape, REFERENCE_FLUSH_LEFT)
  }

  subscript(side: reference_side) -> ConvRun { side == REFERENCE_FLUSH_LEFT ? left : right }
}

/// Runs the kernels of a convolution into buffers of exactly its sizes.
struct ConvRun {
  let side: reference_side
  let shape: ConvShape
  let output: GuardedBuffer<Float>
  let dInput: GuardedBuffer<Float>
  let dFilter: GuardedBuffer<Float>
  let dBias: GuardedBuffer<Float>

  init(_ shape: ConvShape, _ side: reference_side) throws {
    self.side = side
    self.shape = shape
    output = try GuardedBuffer(shape.output.elements, side)
    dInput = try GuardedBuffer(shape.input.elements, side)
    dFilter = try GuardedBuffer(shape.filter.elements, side)
    dBias = try GuardedBuffer(shape.bias.elements, side)
  }

  /// Memory for one call: of the size that the kernel asks for, and full of NaN.
  private func workspace(_ configuration: Configuration) throws -> GuardedBuffer<UInt8> {
    var conv = shape.conv
    var context = configuration.context
    let bytes = mtlf_conv2d_workspace_bytes(&conv, &context)
    try #require(bytes > 0 && bytes % Int(MTLF_ALIGNMENT) == 0)
    return try GuardedBuffer(bytes, side)
  }

  func forward(_ oracle: ConvOracle, hasBias: Bool, relu: Int32, _ configuration: Configuration) throws
    -> GuardedBuffer<Float>
  {
    var conv = shape.conv
    var context = configuration.context
    let memory = try workspace(configuration)
    output.forget()
    try #require(
      mtlf_conv2d_forward_f32(
        &conv, oracle.input[side], oracle.filter[side], hasBias ? oracle.bias[side] : nil, relu, output.pointer,
        memory.pointer, memory.count, &context) == MTLF_OK)
    return output
  }

  func pooled(_ oracle: ConvOracle, relu: Int32, _ configuration: Configuration) throws
    -> (output: GuardedBuffer<Float>, gate: GuardedBuffer<UInt8>)
  {
    var conv = shape.conv
    var context = configuration.context
    let memory = try workspace(configuration)
    let pooled = try GuardedBuffer<Float>(shape.pooled.elements, side)
    let gate = try GuardedBuffer<UInt8>(shape.pooled.elements, side)
    try #require(
      mtlf_conv2d_max_pool2d_forward_f32(
        &conv, oracle.input[side], oracle.filter[side], oracle.bias[side], relu, pooled.pointer, gate.pointer,
        memory.pointer, memory.count, &context) == MTLF_OK)
    return (pooled, gate)
  }

  func dInput(_ oracle: ConvOracle, _ configuration: Configuration) throws -> GuardedBuffer<Float> {
    var conv = shape.conv
    var context = configuration.context
    let memory = try workspace(configuration)
    dInput.forget()
    try #require(
      mtlf_conv2d_d_input_f32(
        &conv, oracle.filter[side], oracle.dOutput[side], dInput.pointer, memory.pointer, memory.count, &context)
        == MTLF_OK)
    return dInput
  }

  func dFilter(_ oracle: ConvOracle, hasBias: Bool, _ configuration: Configuration) throws
    -> (dFilter: GuardedBuffer<Float>, dBias: GuardedBuffer<Float>)
  {
    var conv = shape.conv
    var context = configuration.context
    let memory = try workspace(configuration)
    dFilter.forget()
    dBias.forget()
    try #require(
      mtlf_conv2d_d_filter_f32(
        &conv, oracle.input[side], oracle.dOutput[side], dFilter.pointer, hasBias ? dBias.pointer : nil,
        memory.pointer, memory.count, &context) == MTLF_OK)
    return (dFilter, dBias)
  }

  func all(_ oracle: ConvOracle, _ configuration: Configuration) throws {
    _ = try forward(oracle, hasBias: true, relu: 1, configuration)
    _ = try dInput(oracle, configuration)
    _ = try dFilter(oracle, hasBias: true, configuration)
  }
}

/// The arguments of every function of a convolution, all right until changed.
struct ConvArguments {
  var conv: mtlf_conv2d?
  var input: UnsafePointer<Float>?
  var filter: UnsafePointer<Float>?
  var dOutput: UnsafePointer<Float>?
  var output: UnsafeMutablePointer<Float>?
  var gate: UnsafeMutablePointer<UInt8>?
  var relu: Int32 = 0
  var workspace: UnsafeMutablePointer<UInt8>?
  var workspaceBytes: Int
  var context: mtlf_context
  let oracle: ConvOracle
  let result: GuardedBuffer<Float>
  let gates: GuardedBuffer<UInt8>
  let memory: GuardedBuffer<UInt8>

  init(_ shape: ConvShape, _ configuration: Configuration) throws {
    conv = shape.conv
    context = configuration.context
    var conv = shape.conv
    workspaceBytes = mtlf_conv2d_workspace_bytes(&conv, &context)
    oracle = try ConvOracle(shape, .integers(2))
    result = try GuardedBuffer(max(shape.input.elements, shape.output.elements, shape.filter.elements))
    gates = try GuardedBuffer(shape.output.elements)
    memory = try GuardedBuffer(workspaceBytes)
    input = oracle.input[REFERENCE_FLUSH_RIGHT]
    filter = oracle.filter[REFERENCE_FLUSH_RIGHT]
    dOutput = oracle.dOutput[REFERENCE_FLUSH_RIGHT]
    output = result.pointer
    gate = gates.pointer
    workspace = memory.pointer
  }

  var outputs: [any Untouchable] { [result, gates, memory] }

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
    case .forward:
      mtlf_conv2d_forward_f32(conv, input, filter, nil, relu, output, workspace, workspaceBytes, context)
    case .pooled:
      mtlf_conv2d_max_pool2d_forward_f32(
        conv, input, filter, nil, relu, output, gate, workspace, workspaceBytes, context)
    case .dInput: mtlf_conv2d_d_input_f32(conv, filter, dOutput, output, workspace, workspaceBytes, context)
    case .dFilter: mtlf_conv2d_d_filter_f32(conv, input, dOutput, output, nil, workspace, workspaceBytes, context)
    }
  }
}

enum ConvPass: CaseIterable {
  case forward, pooled, dInput, dFilter
}
