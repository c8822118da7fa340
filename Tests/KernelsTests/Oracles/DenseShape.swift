// SPDX-License-Identifier: Apache-2.0
// The dense layers that the tests run, and what the reference makes of them.

import CKernels
import CReference
import Testing

/// A dense layer, described as "33x20 -> 17".
struct DenseShape: CustomTestStringConvertible, Sendable {
  var dense: mtlf_dense

  init(_ batch: Int32, _ inputs: Int32, _ units: Int32) {
    dense = mtlf_dense(batch: batch, inputs: inputs, units: units)
  }

  var testDescription: String { "\(dense.batch)x\(dense.inputs) -> \(dense.units)" }

  var input: [Int32] { [dense.batch, dense.inputs] }
  var kernel: [Int32] { [dense.inputs, dense.units] }
  var output: [Int32] { [dense.batch, dense.units] }

  /// Around tiles of 4, 6, 8 and 12 rows, blocks of 96, and chunks of 256 samples.
  static let everyBatch = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 17, 24, 25, 31, 32, 33, 47, 48, 95, 96, 97, 143, 144, 145, 200, 255, 256,
    257, 513,
  ].map { DenseShape($0, 5, 9) }
  static let everyInputCount = [1, 2, 3, 4, 6, 7, 8, 11, 12, 13, 16, 17, 32, 95, 96, 97, 193, 300].map {
    DenseShape(6, $0, 10)
  }
  static let everyUnitCount = [
    1, 2, 3, 4, 5, 7, 8, 9, 10, 15, 16, 17, 20, 31, 32, 33, 50, 63, 64, 65, 97, 100, 127, 128, 129,
  ].map { DenseShape(7, 11, $0) }
  static let real = [DenseShape(17, 400, 120), DenseShape(33, 257, 65), DenseShape(200, 100, 10)]

  static let random: [DenseShape] = {
    var random = SplitMix(state: 1847)
    return (0..<40).map { _ in
      DenseShape(random.int(in: 1...70), random.int(in: 1...130), random.int(in: 1...130))
    }
  }()

  static let all = everyBatch + everyInputCount + everyUnitCount + real + random
  static let few =
    [everyBatch[0], everyBatch[28], everyBatch[29], everyInputCount[15], everyUnitCount[18], DenseShape(520, 20, 35)]
    + real + random.prefix(10)
}

/// A layer's operands and what the reference makes of them.
struct DenseOracle {
  let input: Operand
  let kernel: Operand
  let bias: Operand
  let dOutput: Operand
  let plain: GuardedBuffer<Double>
  let activated: GuardedBuffer<Double>
  let dInput: GuardedBuffer<Double>
  let dKernel: GuardedBuffer<Double>
  let dBias: GuardedBuffer<Double>

  init(_ shape: DenseShape, _ values: Values) throws {
    try self.init(
      shape, input: Operand(shape.input.elements, values, seed: 1),
      kernel: Operand(shape.kernel.elements, values, seed: 2), bias: Operand(Int(shape.dense.units), values, seed: 3),
      dOutput: Operand(shape.output.elements, values, seed: 4))
  }

  init(_ shape: DenseShape, input: Operand, kernel: Operand, bias: Operand, dOutput: Operand) throws {
    self.input = input
    self.kernel = kernel
    self.bias = bias
    self.dOutput = dOutput
    plain = try GuardedBuffer(shape.output.elements)
    activated = try GuardedBuffer(shape.output.elements)
    dInput = try GuardedBuffer(shape.input.elements)
    dKernel = try GuardedBuffer(shape.kernel.elements)
    dBias = try GuardedBuffer(Int(shape.dense.units))
    var dense = shape.dense
    reference_dense_forward(&dense, input.wide.pointer, kernel.wide.pointer, nil, 0, plain.pointer)
    reference_dense_forward(
      &dense, input.wide.pointer, kernel.wide.pointer, bias.wide.pointer, 1, activated.pointer)
    reference_dense_d_input(&dense, kernel.wide.pointer, dOutput.wide.pointer, dInput.pointer)
    reference_dense_d_kernel(
      &dense, input.wide.pointer, dOutput.wide.pointer, dKernel.pointer, dBias.pointer)
  }
}
