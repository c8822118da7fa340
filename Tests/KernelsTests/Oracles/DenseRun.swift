// SPDX-License-Identifier: Apache-2.0
// Calls of the dense kernels, with buffers of exactly the sizes that they may touch.

import CKernels
import CReference
import Testing

/// Runs the kernels of a layer into buffers of exactly its sizes.
struct DenseRun {
  let side: reference_side
  let shape: DenseShape
  let output: GuardedBuffer<Float>
  let dInput: GuardedBuffer<Float>
  let dKernel: GuardedBuffer<Float>
  let dBias: GuardedBuffer<Float>

  init(_ shape: DenseShape, _ side: reference_side) throws {
    self.side = side
    self.shape = shape
    output = try GuardedBuffer(shape.output.elements, side)
    dInput = try GuardedBuffer(shape.input.elements, side)
    dKernel = try GuardedBuffer(shape.kernel.elements, side)
    dBias = try GuardedBuffer(Int(shape.dense.units), side)
  }

  private func workspace(_ configuration: Configuration) throws -> GuardedBuffer<UInt8> {
    var dense = shape.dense
    var context = configuration.context
    let bytes = mtlf_dense_workspace_bytes(&dense, &context)
    try #require(bytes > 0 && bytes % Int(MTLF_ALIGNMENT) == 0)
    return try GuardedBuffer(bytes, side)
  }

  func forward(_ oracle: DenseOracle, hasBias: Bool, relu: Int32, _ configuration: Configuration) throws
    -> GuardedBuffer<Float>
  {
    var dense = shape.dense
    var context = configuration.context
    let memory = try workspace(configuration)
    output.forget()
    try #require(
      mtlf_dense_forward_f32(
        &dense, oracle.input[side], oracle.kernel[side], hasBias ? oracle.bias[side] : nil, relu, output.pointer,
        memory.pointer, memory.count, &context) == MTLF_OK)
    return output
  }

  func dInput(_ oracle: DenseOracle, _ configuration: Configuration) throws -> GuardedBuffer<Float> {
    var dense = shape.dense
    var context = configuration.context
    let memory = try workspace(configuration)
    dInput.forget()
    try #require(
      mtlf_dense_d_input_f32(
        &dense, oracle.kernel[side], oracle.dOutput[side], dInput.pointer, memory.pointer, memory.count, &context)
        == MTLF_OK)
    return dInput
  }

  func dKernel(_ oracle: DenseOracle, hasBias: Bool, _ configuration: Configuration) throws
    -> (dKernel: GuardedBuffer<Float>, dBias: GuardedBuffer<Float>)
  {
    var dense = shape.dense
    var context = configuration.context
    let memory = try workspace(configuration)
    dKernel.forget()
    dBias.forget()
    try #require(
      mtlf_dense_d_kernel_f32(
        &dense, oracle.input[side], oracle.dOutput[side], dKernel.pointer, hasBias ? dBias.pointer : nil,
        memory.pointer, memory.count, &context) == MTLF_OK)
    return (dKernel, dBias)
  }
}

/// The arguments of every function of a dense layer, all right until changed.
struct DenseArguments {
  var dense: mtlf_dense?
  var input: UnsafePointer<Float>?
  var kernel: UnsafePointer<Float>?
  var dOutput: UnsafePointer<Float>?
  var output: UnsafeMutablePointer<Float>?
  var relu: Int32 = 0
  var workspace: UnsafeMutablePointer<UInt8>?
  var workspaceBytes: Int
  var context: mtlf_context
  let oracle: DenseOracle
  let result: GuardedBuffer<Float>
  let memory: GuardedBuffer<UInt8>

  init(_ shape: DenseShape, _ configuration: Configuration) throws {
    dense = shape.dense
    context = configuration.context
    var dense = shape.dense
    workspaceBytes = mtlf_dense_workspace_bytes(&dense, &context)
    oracle = try DenseOracle(shape, .integers(2))
    result = try GuardedBuffer(max(shape.input.elements, shape.kernel.elements, shape.output.elements))
    memory = try GuardedBuffer(workspaceBytes)
    input = oracle.input[REFERENCE_FLUSH_RIGHT]
    kernel = oracle.kernel[REFERENCE_FLUSH_RIGHT]
    dOutput = oracle.dOutput[REFERENCE_FLUSH_RIGHT]
    output = result.pointer
    workspace = memory.pointer
  }

  var outputs: [any Untouchable] { [result, memory] }

  func call(_ pass: DensePass) -> mtlf_status {
    withUnsafePointer(to: context) { context in
      guard let dense else { return call(pass, nil, context) }
      return withUnsafePointer(to: dense) { call(pass, $0, context) }
    }
  }

  private func call(
    _ pass: DensePass, _ dense: UnsafePointer<mtlf_dense>?, _ context: UnsafePointer<mtlf_context>
  ) -> mtlf_status {
    switch pass {
    case .forward: mtlf_dense_forward_f32(dense, input, kernel, nil, relu, output, workspace, workspaceBytes, context)
    case .dInput: mtlf_dense_d_input_f32(dense, kernel, dOutput, output, workspace, workspaceBytes, context)
    case .dKernel: mtlf_dense_d_kernel_f32(dense, input, dOutput, output, nil, workspace, workspaceBytes, context)
    }
  }
}

enum DensePass: CaseIterable {
  case forward, dInput, dKernel
}
