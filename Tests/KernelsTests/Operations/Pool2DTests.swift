// SPDX-License-Identifier: Apache-2.0
// Max and average pooling, forward and backward, against the reference.

import CKernels
import CReference
import Testing

extension KernelTests {
  struct Pool2DTests {
    @Test(arguments: PoolShape.all) func maxEqualsTheReference(_ shape: PoolShape) throws {
      // Three values only, so that ties are common; and NaN, the first of which wins.
      for values in [Values.integers(1), .integersAndNaN(2)] {
        let input = try Operand(shape.input.elements, values, seed: 1)
        let dOutput = try Operand(shape.output.elements, .integers(4), seed: 2)
        let expected = try GuardedBuffer<Double>(shape.output.elements)
        let expectedArgmax = try GuardedBuffer<Int32>(shape.output.elements)
        let expectedDInput = try GuardedBuffer<Double>(shape.input.elements)
        var pool = shape.pool
        reference_max_pool2d_forward(&pool, input.wide.pointer, expected.pointer, expectedArgmax.pointer)
        reference_max_pool2d_backward(
          &pool, dOutput.wide.pointer, expectedArgmax.pointer, expectedDInput.pointer)
        for configuration in try Configuration.all() {
          var context = configuration.context
          let side = configuration.side
          let output = try GuardedBuffer<Float>(shape.output.elements, side)
          let argmax = try GuardedBuffer<Int32>(shape.output.elements, side)
          let dInput = try GuardedBuffer<Float>(shape.input.elements, side)
          try #require(mtlf_max_pool2d_forward_f32(&pool, input[side], output.pointer, nil, &context) == MTLF_OK)
          output.expectEqual(expected, "output without argmax, \(configuration)", shape: shape.output)
          output.forget()
          try #require(
            mtlf_max_pool2d_forward_f32(&pool, input[side], output.pointer, argmax.pointer, &context) == MTLF_OK)
          output.expectEqual(expected, "output, \(configuration)", shape: shape.output)
          #expect(argmax.hasSameBits(as: expectedArgmax), "argmax, \(configuration)")
          try #require(
            mtlf_max_pool2d_backward_f32(&pool, dOutput[side], argmax.pointer, dInput.pointer, &context) == MTLF_OK)
          dInput.expectEqual(expectedDInput, "d_input, \(configuration)", shape: shape.input)
        }
      }
    }

    @Test(arguments: PoolShape.all) func averageEqualsTheReference(_ shape: PoolShape) throws {
      let input = try Operand(shape.input.elements, .integers(8), seed: 1)
      let dOutput = try Operand(shape.output.elements, .integers(8), seed: 2)
      let expected = try GuardedBuffer<Double>(shape.output.elements)
      let expectedDInput = try GuardedBuffer<Double>(shape.input.elements)
      var pool = shape.pool
      reference_avg_pool2d_forward(&pool, input.wide.pointer, expected.pointer)
      reference_avg_pool2d_backward(&pool, dOutput.wide.pointer, expectedDInput.pointer)
      for configuration in try Configuration.all() {
        var context = configuration.context
        let side = configuration.side
        let output = try GuardedBuffer<Float>(shape.output.elements, side)
        let dInput = try GuardedBuffer<Float>(shape.input.elements, side)
        try #require(mtlf_avg_pool2d_forward_f32(&pool, input[side], output.pointer, &context) == MTLF_OK)
        try #require(mtlf_avg_pool2d_backward_f32(&pool, dOutput[side], dInput.pointer, &context) == MTLF_OK)
        if shape.sharesAreExact {
          output.expectEqual(expected, "output, \(configuration)", shape: shape.output)
          dInput.expectEqual(expectedDInput, "d_input, \(configuration)", shape: shape.input)
        } else {
          // One rounding of 1 / count and one of the product; backward also the sums of several windows.
          let windows = Int(shape.pool.pool_h * shape.pool.pool_w)
          output.expectNear(
            expected, bound: bound(terms: 2, expected), "output, \(configuration)", shape: shape.output)
          dInput.expectNear(
            expectedDInput, bound: bound(terms: 2 * windows, expectedDInput), "d_input, \(configuration)",
            shape: shape.input)
        }
      }
    }

    @Test func referenceGradientsAreThoseOfItsOutputs() throws {
      let shape = PoolShape(2, 5, 6, 2, window: (3, 2), stride: (2, 1), pads: [1, 0, 0, 1])
      var pool = shape.pool
      // Distinct by more than the step: no ties.
      let input = (0..<shape.input.elements).map { Double(($0 * 47) % 120) / 60 - 1 }
      let dOutput = try reals(shape.output.elements, seed: 4)
      var argmax = [Int32](repeating: 0, count: dOutput.count)
      func maxima(_ x: [Double]) -> [Double] {
        .filled(dOutput.count) { reference_max_pool2d_forward(&pool, x, $0, &argmax) }
      }
      func means(_ x: [Double]) -> [Double] {
        .filled(dOutput.count) { reference_avg_pool2d_forward(&pool, x, $0) }
      }
      _ = maxima(input)
      let dMax = [Double].filled(input.count) { reference_max_pool2d_backward(&pool, dOutput, argmax, $0) }
      let dMean = [Double].filled(input.count) { reference_avg_pool2d_backward(&pool, dOutput, $0) }
      expectGradient(dMax, of: { dot(maxima($0), dOutput) }, at: input, "d_input of max")
      expectGradient(dMean, of: { dot(means($0), dOutput) }, at: input, "d_input of average")
    }

    // MARK: Errors

    @Test func wrongArgumentsAreRefused() throws {
      let shape = PoolShape(2, 5, 6, 3, window: (2, 3), stride: (2, 2), pads: [1, 0, 1, 1])
      let x = try Operand(shape.input.elements, .integers(2), seed: 1).right
      let y = try GuardedBuffer<Float>(shape.input.elements)
      let argmax = try GuardedBuffer<Int32>(shape.output.elements)
      let taken = try GuardedBuffer([Int32](repeating: 0, count: shape.output.elements))
      var good = shape.pool
      var context = try mtlf_context(MTLF_ISA_BEST)
      var noKernels = context
      noKernels.kernels = nil
      var noThreads = context
      noThreads.threads = 0
      let table: [(String, mtlf_status, () -> mtlf_status)] = [
        ("max, no pool", MTLF_ERR_NULL_POINTER, { mtlf_max_pool2d_forward_f32(nil, x.pointer, y.pointer, nil, nil) }),
        ("max, no input", MTLF_ERR_NULL_POINTER, { mtlf_max_pool2d_forward_f32(&good, nil, y.pointer, nil, nil) }),
        ("max, no output", MTLF_ERR_NULL_POINTER, { mtlf_max_pool2d_forward_f32(&good, x.pointer, nil, nil, nil) }),
        (
          "max backward, no argmax", MTLF_ERR_NULL_POINTER,
          { mtlf_max_pool2d_backward_f32(&good, x.pointer, nil, y.pointer, nil) }
        ),
        (
          "max backward, no d_output", MTLF_ERR_NULL_POINTER,
          { mtlf_max_pool2d_backward_f32(&good, nil, taken.pointer, y.pointer, nil) }
        ),
        (
          "max backward, no d_input", MTLF_ERR_NULL_POINTER,
          { mtlf_max_pool2d_backward_f32(&good, x.pointer, taken.pointer, nil, nil) }
        ),
        ("average, no pool", MTLF_ERR_NULL_POINTER, { mtlf_avg_pool2d_forward_f32(nil, x.pointer, y.pointer, nil) }),
        ("average, no input", MTLF_ERR_NULL_POINTER, { mtlf_avg_pool2d_forward_f32(&good, nil, y.pointer, nil) }),
        ("average, no output", MTLF_ERR_NULL_POINTER, { mtlf_avg_pool2d_forward_f32(&good, x.pointer, nil, nil) }),
        ("average backward, no d", MTLF_ERR_NULL_POINTER, { mtlf_avg_pool2d_backward_f32(&good, nil, y.pointer, nil) }),
        (
          "no kernels", MTLF_ERR_NULL_POINTER,
          { mtlf_avg_pool2d_forward_f32(&good, x.pointer, y.pointer, &noKernels) }
        ),
        (
          "no threads", MTLF_ERR_BAD_VALUE,
          { mtlf_max_pool2d_forward_f32(&good, x.pointer, y.pointer, argmax.pointer, &noThreads) }
        ),
      ]
      for (name, status, call) in table { expectRefusal(status, name, outputs: [y, argmax], call) }
      for (name, pool) in PoolShape.impossible {
        var pool = pool
        let calls = [
          { mtlf_max_pool2d_forward_f32(&pool, x.pointer, y.pointer, argmax.pointer, &context) },
          { mtlf_max_pool2d_backward_f32(&pool, x.pointer, taken.pointer, y.pointer, &context) },
          { mtlf_avg_pool2d_forward_f32(&pool, x.pointer, y.pointer, &context) },
          { mtlf_avg_pool2d_backward_f32(&pool, x.pointer, y.pointer, &context) },
        ]
        for call in calls { expectRefusal(MTLF_ERR_BAD_SHAPE, name, outputs: [y, argmax], call) }
      }
    }
  }
}

/// A pooling window, described as "2x5x6x3 window 2x2 stride 2x2 pads 0,0,0,0".
struct PoolShape: CustomTestStringConvertible, Sendable {
  var pool: mtlf_pool2d

  init(
    _ batch: Int32, _ height: Int32, _ width: Int32, _ channels: Int32, window: (Int32, Int32) = (2, 2),
    stride: (Int32, Int32) = (2, 2), pads: [Int32] = [0, 0, 0, 0]
  ) {
    pool = mtlf_pool2d(
      batch: batch, height: height, width: width, channels: channels, pool_h: window.0, pool_w: window.1,
      stride_h: stride.0, stride_w: stride.1, pad_top: pads[0], pad_bottom: pads[1], pad_left: pads[2],
      pad_right: pads[3])
  }

  var testDescription: String {
    "\(pool.batch)x\(pool.height)x\(pool.width)x\(pool.channels) window \(pool.pool_h)x\(pool.pool_w) "
      + "stride \(pool.stride_h)x\(pool.stride_w) "
      + "pads \(pool.pad_top),\(pool.pad_bottom),\(pool.pad_left),\(pool.pad_right)"
  }

  var input: [Int32] { [pool.batch, pool.height, pool.width, pool.channels] }
  var output: [Int32] {
    withUnsafePointer(to: pool) {
      [pool.batch, mtlf_pool2d_output_height($0), mtlf_pool2d_output_width($0), pool.channels]
    }
  }

  /// Whether every window has 1, 2, 4 or 8 elements inside the image.
  var sharesAreExact: Bool {
    let isUnpadded = pool.pad_top + pool.pad_bottom + pool.pad_left + pool.pad_right == 0
    return isUnpadded && [1, 2, 4, 8].contains(pool.pool_h * pool.pool_w)
  }

  static let random: [PoolShape] = {
    var random = SplitMix(state: 5)
    var shapes: [PoolShape] = []
    while shapes.count < 40 {
      let window = (random.int(in: 1...4), random.int(in: 1...4))
      let pads = [window.0, window.0, window.1, window.1].map { random.int(in: 0...($0 - 1)) }
      let shape = PoolShape(
        random.int(in: 1...4), random.int(in: 1...9), random.int(in: 1...9), random.int(in: 1...20), window: window,
        stride: (random.int(in: 1...4), random.int(in: 1...4)), pads: pads)
      if shape.isPossible { shapes.append(shape) }
    }
    return shapes
  }()

  /// Whether the window fits.
  private var isPossible: Bool {
    pool.height + pool.pad_top + pool.pad_bottom >= pool.pool_h
      && pool.width + pool.pad_left + pool.pad_right >= pool.pool_w
  }

  static let all =
    [
      PoolShape(1, 1, 1, 1, window: (1, 1), stride: (1, 1)),
      PoolShape(1, 2, 2, 1), PoolShape(2, 4, 6, 3), PoolShape(3, 5, 7, 2), PoolShape(17, 3, 3, 5),
      PoolShape(33, 2, 2, 2),
      PoolShape(2, 7, 7, 5, window: (3, 3)), PoolShape(1, 6, 5, 3, window: (3, 3), stride: (1, 1), pads: [1, 1, 1, 1]),
      PoolShape(1, 7, 8, 2, window: (2, 3), stride: (2, 3), pads: [0, 1, 0, 1]),
      PoolShape(1, 8, 8, 2, stride: (3, 3)),
      PoolShape(1, 5, 6, 2, window: (3, 3), pads: [1, 0, 0, 2]),
      PoolShape(2, 3, 3, 17, window: (3, 3), stride: (3, 3)),
      PoolShape(1, 4, 4, 2, window: (4, 2), stride: (4, 2)),
      PoolShape(1, 9, 1, 4, window: (4, 1), stride: (2, 1), pads: [3, 3, 0, 0]),
    ] + [7, 8, 9, 15, 16, 17, 31, 32, 33, 50, 100].map { PoolShape(2, 4, 5, $0) } + random

  /// Descriptors that no pool has, each one step away from a good one.
  static var impossible: [(String, mtlf_pool2d)] {
    let good = PoolShape(2, 5, 6, 3).pool
    let sizes: [(String, WritableKeyPath<mtlf_pool2d, Int32>)] = [
      ("batch", \.batch), ("height", \.height), ("width", \.width), ("channels", \.channels), ("pool_h", \.pool_h),
      ("pool_w", \.pool_w), ("stride_h", \.stride_h), ("stride_w", \.stride_w),
    ]
    let pads: [(String, WritableKeyPath<mtlf_pool2d, Int32>)] = [
      ("pad_top", \.pad_top), ("pad_bottom", \.pad_bottom), ("pad_left", \.pad_left), ("pad_right", \.pad_right),
    ]
    var shapes: [(String, mtlf_pool2d)] = []
    for (fields, values) in [(sizes, [0, -1, .min, .max, 1 << 20 + 1]), (pads, [-1, 2, .min, Int32.max])] {
      for (name, field) in fields {
        for value in values {
          var pool = good
          pool[keyPath: field] = value
          shapes.append(("\(name) \(value)", pool))
        }
      }
    }
    let large: Int32 = 1 << 20
    shapes.append(("a window too high", PoolShape(1, 5, 6, 1, window: (6, 1)).pool))
    shapes.append(("a window too wide", PoolShape(1, 5, 6, 1, window: (1, 7)).pool))
    shapes.append(("more pixels than argmax can number", PoolShape(1, large, large, 1).pool))
    shapes.append(("more values than memory", PoolShape(large, 1 << 15, 1 << 15, large).pool))
    return shapes
  }
}
