// SPDX-License-Identifier: Apache-2.0
// What the reference makes of a convolution.

import CKernels
import CReference
import Testing

/// A convolution's operands and what the reference makes of them.
struct ConvOracle {
  let shape: ConvShape
  let input: Operand
  let filter: Operand
  let bias: Operand
  let dOutput: Operand
  let plain: GuardedBuffer<Double>
  let activated: GuardedBuffer<Double>
  let dInput: GuardedBuffer<Double>
  let dFilter: GuardedBuffer<Double>
  let dBias: GuardedBuffer<Double>

  init(_ shape: ConvShape, _ values: Values, filter filterValues: Values? = nil) throws {
    try self.init(
      shape, input: Operand(shape.input.elements, values, seed: 1),
      filter: Operand(shape.filter.elements, filterValues ?? values, seed: 2),
      bias: Operand(shape.bias.elements, filterValues ?? values, seed: 3),
      dOutput: Operand(shape.output.elements, values, seed: 4))
  }

  /// A part of another's images with the same filter.
  init(_ shape: ConvShape, _ other: ConvOracle, imagesFrom first: Int) throws {
    let count = shape.input.elements
    try self.init(
      shape, input: Operand(count) { $0.update(from: other.input.right.pointer + first, count: count) },
      filter: other.filter, bias: other.bias, dOutput: Operand(shape.output.elements, .reals, seed: 4))
  }

  init(_ shape: ConvShape, input: Operand, filter: Operand, bias: Operand, dOutput: Operand) throws {
    self.shape = shape
    self.input = input
    self.filter = filter
    self.bias = bias
    self.dOutput = dOutput
    plain = try GuardedBuffer(shape.output.elements)
    activated = try GuardedBuffer(shape.output.elements)
    dInput = try GuardedBuffer(shape.input.elements)
    dFilter = try GuardedBuffer(shape.filter.elements)
    dBias = try GuardedBuffer(shape.bias.elements)
    var conv = shape.conv
    reference_conv2d_forward(&conv, input.wide.pointer, filter.wide.pointer, nil, 0, plain.pointer)
    reference_conv2d_forward(
      &conv, input.wide.pointer, filter.wide.pointer, bias.wide.pointer, 1, activated.pointer)
    reference_conv2d_d_input(&conv, filter.wide.pointer, dOutput.wide.pointer, dInput.pointer)
    reference_conv2d_d_filter(
      &conv, input.wide.pointer, dOutput.wide.pointer, dFilter.pointer, dBias.pointer)
  }

  func pooled(relu: Int32) throws -> (output: GuardedBuffer<Double>, gate: GuardedBuffer<UInt8>) {
    var conv = shape.conv
    let unpooled = try GuardedBuffer<Double>(shape.output.elements)
    let output = try GuardedBuffer<Double>(shape.pooled.elements)
    let gate = try GuardedBuffer<UInt8>(shape.pooled.elements)
    reference_conv2d_forward(
      &conv, input.wide.pointer, filter.wide.pointer, bias.wide.pointer, 0, unpooled.pointer)
    reference_conv2d_max_pool2d_forward(&conv, unpooled.pointer, relu, output.pointer, gate.pointer)
    return (output, gate)
  }

  /// bias + filter * input in fp32, one product after the other; windows are read as rows of im2col.
  func forwardInOrder(isFused: Bool) throws -> GuardedBuffer<Float> {
    var conv = shape.conv
    let pixels = Int(shape.outputHeight * shape.outputWidth)
    let units = Int(conv.channels_out)
    let output = try GuardedBuffer<Float>(shape.output.elements)
    let wide = try GuardedBuffer<Double>(pixels * shape.outputTerms)
    for n in 0..<Int(conv.batch) {
      reference_im2col(&conv, input.wide.pointer + n * (shape.input.elements / Int(conv.batch)), wide.pointer)
      let columns = try GuardedBuffer<Float>(wide.array.map(Float.init))
      for pixel in 0..<pixels {
        for unit in 0..<units {
          output[(n * pixels + pixel) * units + unit] = reference_dot_in_order(
            Int64(shape.outputTerms), columns.pointer + pixel * shape.outputTerms, 1, filter.right.pointer + unit,
            units, bias.right[unit], isFused ? 1 : 0)
        }
      }
    }
    return output
  }
}
