// SPDX-License-Identifier: Apache-2.0
// The convolutions that the tests run: around the tiles' edges, odd kernels, strides and pads, and a random sweep.

import CKernels
import Testing

/// A convolution, described as "17x5x6x3 -> 20 kernel 3x3 stride 1x1 pads 1,1,1,1" (top, bottom, left, right).
struct ConvShape: CustomTestStringConvertible, Sendable {
  var conv: mtlf_conv2d

  init(
    _ batch: Int32, _ height: Int32, _ width: Int32, _ channelsIn: Int32, to channelsOut: Int32,
    kernel: (Int32, Int32) = (3, 3), stride: (Int32, Int32) = (1, 1), pads: [Int32] = [0, 0, 0, 0]
  ) {
    conv = mtlf_conv2d(
      batch: batch, height: height, width: width, channels_in: channelsIn, channels_out: channelsOut,
      kernel_h: kernel.0, kernel_w: kernel.1, stride_h: stride.0, stride_w: stride.1, pad_top: pads[0],
      pad_bottom: pads[1], pad_left: pads[2], pad_right: pads[3])
  }

  var testDescription: String {
    "\(conv.batch)x\(conv.height)x\(conv.width)x\(conv.channels_in) -> \(conv.channels_out) "
      + "kernel \(conv.kernel_h)x\(conv.kernel_w) stride \(conv.stride_h)x\(conv.stride_w) "
      + "pads \(conv.pad_top),\(conv.pad_bottom),\(conv.pad_left),\(conv.pad_right)"
  }

  private func withConv<T>(_ body: (UnsafePointer<mtlf_conv2d>) -> T) -> T { withUnsafePointer(to: conv, body) }
  var outputHeight: Int32 { withConv { mtlf_conv2d_output_height($0) } }
  var outputWidth: Int32 { withConv { mtlf_conv2d_output_width($0) } }

  /// [N, H, W, C_in]
  var input: [Int32] { [conv.batch, conv.height, conv.width, conv.channels_in] }
  /// [KH, KW, C_in, C_out]
  var filter: [Int32] { [conv.kernel_h, conv.kernel_w, conv.channels_in, conv.channels_out] }
  /// [C_out]
  var bias: [Int32] { [conv.channels_out] }
  /// [N, OH, OW, C_out]
  var output: [Int32] { [conv.batch, outputHeight, outputWidth, conv.channels_out] }
  /// [N, OH/2, OW/2, C_out]
  var pooled: [Int32] { [conv.batch, outputHeight / 2, outputWidth / 2, conv.channels_out] }

  var isPadded: Bool { conv.pad_top + conv.pad_bottom + conv.pad_left + conv.pad_right > 0 }

  /// Products in an output's, a d_input's and a d_filter's sum, at most.
  var outputTerms: Int { Int(conv.kernel_h * conv.kernel_w * conv.channels_in) }
  var inputTerms: Int { Int(conv.kernel_h * conv.kernel_w * conv.channels_out) }
  var filterTerms: Int { Int(conv.batch * outputHeight * outputWidth) }
}

extension ConvShape {
  /// Keras's padding that keeps ceil(size / stride) positions: the odd pixel at the bottom and right.
  static func same(
    _ batch: Int32, _ height: Int32, _ width: Int32, _ channelsIn: Int32, to channelsOut: Int32,
    kernel: (Int32, Int32) = (3, 3), stride: (Int32, Int32) = (1, 1)
  ) -> ConvShape {
    func pads(_ size: Int32, _ kernel: Int32, _ stride: Int32) -> [Int32] {
      let total = max(0, ((size + stride - 1) / stride - 1) * stride + kernel - size)
      return [total / 2, total - total / 2]
    }
    return ConvShape(
      batch, height, width, channelsIn, to: channelsOut, kernel: kernel, stride: stride,
      pads: pads(height, kernel.0, stride.0) + pads(width, kernel.1, stride.1))
  }

  static let smallest = [
    ConvShape(1, 1, 1, 1, to: 1, kernel: (1, 1)),
    ConvShape(1, 1, 1, 5, to: 1, kernel: (1, 1)),
    ConvShape(17, 1, 1, 3, to: 2, kernel: (1, 1)),
    ConvShape(3, 3, 3, 1, to: 1),
    .same(1, 1, 1, 1, to: 1),
    .same(3, 1, 1, 3, to: 9),
    .same(2, 1, 7, 2, to: 3),
    .same(2, 7, 1, 2, to: 3),
    .same(1, 2, 2, 1, to: 1, kernel: (5, 5)),
  ]

  /// One row of 1...14, 24 and 25 pixels: every number of rows of a tile, and one more than full tiles.
  static let everyRowCount = (Array(1...14) + [24, 25]).map { ConvShape(1, 1, $0, 3, to: 5, kernel: (1, 1)) }

  /// Around panels of 8, 16 and 32 channels, primes, and what networks have.
  static let everyColumnCount = [
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 16, 17, 20, 23, 24, 25, 31, 32, 33, 37, 48, 50, 63, 64, 65, 97, 100,
  ].map { ConvShape(1, 3, 5, 2, to: $0, kernel: (2, 2)) }

  /// The same for the input's channels, which are the columns of d_input and the rows of d_filter.
  static let everyInputCount = [2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 16, 17, 20, 31, 33, 50].map {
    ConvShape.same(2, 4, 3, $0, to: 7, kernel: (3, 2))
  }

  /// Groups of images: as many as there are up to 16, then of unequal sizes.
  static let everyBatch = [1, 2, 3, 15, 16, 17, 31, 33].map { ConvShape.same($0, 4, 5, 2, to: 6) }

  /// More pixels than a strip, in one image and over several.
  static let strips = [
    ConvShape(1, 13, 14, 2, to: 9, kernel: (2, 3)),
    ConvShape(2, 11, 11, 3, to: 17, kernel: (1, 1)),
    .same(3, 16, 17, 1, to: 8),
    .same(1, 23, 25, 1, to: 3, kernel: (5, 5)),
  ]

  static let odd = [
    ConvShape(2, 6, 6, 2, to: 3, kernel: (2, 2)),
    ConvShape(2, 7, 8, 3, to: 10, kernel: (4, 4)),
    .same(2, 7, 8, 3, to: 10, kernel: (4, 4)),
    .same(2, 6, 9, 2, to: 5, kernel: (2, 2)),
    .same(2, 6, 9, 2, to: 5, kernel: (6, 1)),
    .same(1, 6, 9, 2, to: 5, kernel: (1, 6)),
    ConvShape(2, 9, 9, 3, to: 4, kernel: (2, 2), stride: (3, 3)),
    ConvShape(2, 9, 9, 3, to: 4, kernel: (1, 1), stride: (2, 3)),
    ConvShape(2, 10, 11, 3, to: 20, stride: (2, 2)),
    ConvShape(2, 10, 11, 3, to: 20, stride: (5, 4)),
    .same(2, 10, 11, 3, to: 20, stride: (2, 2)),
    .same(2, 10, 9, 3, to: 20, kernel: (5, 3), stride: (3, 2)),
    .same(2, 8, 7, 2, to: 3, kernel: (3, 2), stride: (2, 3)),
    ConvShape(2, 5, 4, 2, to: 3, pads: [2, 0, 1, 2]),
    ConvShape(2, 5, 4, 2, to: 3, pads: [0, 2, 2, 0]),
    ConvShape(2, 6, 5, 2, to: 3, kernel: (3, 4), stride: (2, 1), pads: [0, 1, 3, 0]),
    ConvShape(2, 6, 5, 2, to: 3, kernel: (4, 4), stride: (3, 3), pads: [3, 3, 3, 3]),
    ConvShape(1, 8, 3, 1, to: 2, kernel: (2, 7), pads: [1, 0, 6, 6]),
  ]

  /// Small pieces of the built-in recipes' nets.
  static let real = [
    ConvShape(3, 28, 28, 1, to: 32),
    ConvShape(2, 13, 13, 16, to: 32),
    .same(1, 16, 16, 3, to: 32),
    .same(1, 8, 8, 32, to: 64),
    ConvShape(1, 12, 12, 20, to: 50, kernel: (5, 5)),
    ConvShape(17, 5, 5, 20, to: 20),
  ]

  /// Shapes drawn at random, the same in every run.
  static let random: [ConvShape] = {
    var random = SplitMix(state: 20_110_911)
    return (0..<80).map { _ in
      let kernel = (random.int(in: 1...5), random.int(in: 1...5))
      let pads = [kernel.0, kernel.0, kernel.1, kernel.1].map { random.int(in: 0...($0 - 1)) }
      let height = random.int(in: max(1, kernel.0 - pads[0] - pads[1])...12)
      let width = random.int(in: max(1, kernel.1 - pads[2] - pads[3])...12)
      return ConvShape(
        random.int(in: 1...5), height, width, random.int(in: 1...9), to: random.int(in: 1...40), kernel: kernel,
        stride: (random.int(in: 1...4), random.int(in: 1...4)), pads: pads)
    }
  }()

  static let all =
    smallest + everyRowCount + everyColumnCount + everyInputCount + everyBatch + strips + odd + real + random
  static let few = [smallest[3]] + [everyColumnCount[9], everyInputCount[10]] + everyBatch.suffix(2) + strips + odd
}

extension ConvShape {
  /// Descriptors that no convolution has, each one step away from a good one.
  static var impossible: [(String, mtlf_conv2d)] {
    let good = ConvShape(2, 5, 6, 3, to: 4, pads: [1, 1, 1, 1]).conv
    let sizes: [(String, WritableKeyPath<mtlf_conv2d, Int32>)] = [
      ("batch", \.batch), ("height", \.height), ("width", \.width), ("channels_in", \.channels_in),
      ("channels_out", \.channels_out), ("kernel_h", \.kernel_h), ("kernel_w", \.kernel_w),
      ("stride_h", \.stride_h), ("stride_w", \.stride_w),
    ]
    let pads: [(String, WritableKeyPath<mtlf_conv2d, Int32>)] = [
      ("pad_top", \.pad_top), ("pad_bottom", \.pad_bottom), ("pad_left", \.pad_left), ("pad_right", \.pad_right),
    ]
    var shapes: [(String, mtlf_conv2d)] = []
    for (fields, values) in [(sizes, [0, -1, .min, .max, 1 << 20 + 1]), (pads, [-1, 3, .min, Int32.max])] {
      for (name, field) in fields {
        for value in values {
          var conv = good
          conv[keyPath: field] = value
          shapes.append(("\(name) \(value)", conv))
        }
      }
    }
    let large: Int32 = 1 << 20
    shapes.append(("a window higher than the padded image", ConvShape(1, 5, 6, 1, to: 1, kernel: (6, 1)).conv))
    shapes.append(("a window wider than the padded image", ConvShape(1, 5, 6, 1, to: 1, kernel: (1, 7)).conv))
    shapes.append(("a filter too large", ConvShape(1, 1, large, large, to: 1, kernel: (1, large)).conv))
    shapes.append(("a batch too large", ConvShape(large, 1 << 15, 1 << 15, large, to: 1, kernel: (1, 1)).conv))
    shapes.append(("an output too large", ConvShape(large, large, large, 1, to: large, kernel: (1, 1)).conv))
    shapes.append(("an image too large", ConvShape(1, large, large, large, to: 1, kernel: (1, 1)).conv))
    return shapes
  }
}

/// splitmix64: small random numbers for shapes.
struct SplitMix {
  var state: UInt64

  mutating func int(in range: ClosedRange<Int32>) -> Int32 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var x = state
    x = (x ^ (x >> 30)) &* 0xBF58_476D_1CE4_E5B9
    x = (x ^ (x >> 27)) &* 0x94D0_49BB_1331_11EB
    x ^= x >> 31
    return range.lowerBound + Int32(x % UInt64(range.upperBound - range.lowerBound + 1))
  }
}

extension [Int32] {
  /// The number of elements of a shape.
  var elements: Int { reduce(1) { $0 * Int($1) } }
}
