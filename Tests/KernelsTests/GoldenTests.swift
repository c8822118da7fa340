// SPDX-License-Identifier: Apache-2.0
// The kernels and their reference against PyTorch: Tests/Golden/kernels.json, described in its README.

import CKernels
import CReference
import Foundation
import TestSupport
import Testing

extension KernelTests {
  struct GoldenTests {
    @Test(arguments: GoldenCase.all) func equalsPyTorch(_ golden: GoldenCase) throws {
      for configuration in try Configuration.all(paths: [MTLF_CONV_DIRECT, MTLF_CONV_IM2COL], threads: [1, 2]) {
        switch golden.op {
        case "conv2d": try conv2d(golden, configuration)
        case "dense": try dense(golden, configuration)
        case "max_pool2d", "avg_pool2d": try pool2d(golden, configuration)
        case "softmax_cross_entropy": try softmaxCrossEntropy(golden, configuration)
        case "sigmoid": try sigmoid(golden, configuration)
        case "adam", "sgd": try optimizer(golden, configuration)
        default: Issue.record("no test for \(golden.op)")
        }
      }
    }

    @Test func everyOperationHasCases() {
      #expect(
        Set(GoldenCase.all.map(\.op)) == [
          "conv2d", "dense", "max_pool2d", "avg_pool2d", "softmax_cross_entropy", "sigmoid", "adam", "sgd",
        ])
    }

    @Test func formulaIsThatOfTheGenerator() {
      #expect((0...3).map { mixed($0, stream: 1) } == [2_612_203_797, 2_362_583_817, 570_061_382, 32_070_931])
    }

    private func conv2d(_ golden: GoldenCase, _ configuration: Configuration) throws {
      let shape = ConvShape(golden)
      let run = try ConvRun(shape, configuration.side)
      let hasRelu = golden["relu"] as Bool? ?? false
      let input = try golden.operand(0, shape.input)
      let filter = try golden.operand(1, shape.filter)
      let bias = try golden.operand(2, shape.bias)
      var dOutput = try golden.operand(3, shape.output)
      let forward = try ConvOracle(shape, input: input, filter: filter, bias: bias, dOutput: dOutput)
      let output = try run.forward(forward, hasBias: true, relu: hasRelu ? 1 : 0, configuration)
      try golden.expectExact("output", output, configuration)
      if hasRelu { dOutput = try throughReLU(dOutput, output, configuration) }
      let backward = try ConvOracle(shape, input: input, filter: filter, bias: bias, dOutput: dOutput)
      try golden.expectExact("d_input", run.dInput(backward, configuration), configuration)
      let (dFilter, dBias) = try run.dFilter(backward, hasBias: true, configuration)
      try golden.expectExact("d_filter", dFilter, configuration)
      try golden.expectExact("d_bias", dBias, configuration)
      // The reference too is PyTorch's.
      if hasRelu { try golden.expectExact("output", forward.activated) }
      try golden.expectExact("d_input", backward.dInput)
      try golden.expectExact("d_filter", backward.dFilter)
      try golden.expectExact("d_bias", backward.dBias)
    }

    private func dense(_ golden: GoldenCase, _ configuration: Configuration) throws {
      let shape = DenseShape(try golden.int("batch"), try golden.int("inputs"), try golden.int("units"))
      let run = try DenseRun(shape, configuration.side)
      let hasRelu = golden["relu"] as Bool? ?? false
      let input = try golden.operand(0, shape.input)
      let kernel = try golden.operand(1, shape.kernel)
      let bias = try golden.operand(2, [shape.dense.units])
      var dOutput = try golden.operand(3, shape.output)
      let forward = try DenseOracle(shape, input: input, kernel: kernel, bias: bias, dOutput: dOutput)
      let output = try run.forward(forward, hasBias: true, relu: hasRelu ? 1 : 0, configuration)
      try golden.expectExact("output", output, configuration)
      if hasRelu { dOutput = try throughReLU(dOutput, output, configuration) }
      let backward = try DenseOracle(shape, input: input, kernel: kernel, bias: bias, dOutput: dOutput)
      try golden.expectExact("d_input", run.dInput(backward, configuration), configuration)
      let (dKernel, dBias) = try run.dKernel(backward, hasBias: true, configuration)
      try golden.expectExact("d_kernel", dKernel, configuration)
      try golden.expectExact("d_bias", dBias, configuration)
      if hasRelu { try golden.expectExact("output", forward.activated) }
      try golden.expectExact("d_input", backward.dInput)
      try golden.expectExact("d_kernel", backward.dKernel)
      try golden.expectExact("d_bias", backward.dBias)
    }

    private func throughReLU(
      _ dOutput: Operand, _ output: GuardedBuffer<Float>, _ configuration: Configuration
    ) throws -> Operand {
      var context = configuration.context
      let result = try GuardedBuffer<Float>(dOutput.count)
      try #require(
        mtlf_relu_backward_f32(
          Int64(dOutput.count), output.pointer, dOutput.right.pointer, result.pointer, &context) == MTLF_OK)
      return try Operand(result.array)
    }

    private func pool2d(_ golden: GoldenCase, _ configuration: Configuration) throws {
      let shape = try PoolShape(golden)
      var pool = shape.pool
      var context = configuration.context
      let side = configuration.side
      let input = try golden.operand(0, shape.input)
      let dOutput = try golden.operand(3, shape.output)
      let output = try GuardedBuffer<Float>(shape.output.elements, side)
      let dInput = try GuardedBuffer<Float>(shape.input.elements, side)
      if golden.op == "max_pool2d" {
        let argmax = try GuardedBuffer<Int32>(shape.output.elements, side)
        try #require(
          mtlf_max_pool2d_forward_f32(&pool, input[side], output.pointer, argmax.pointer, &context) == MTLF_OK)
        try #require(
          mtlf_max_pool2d_backward_f32(&pool, dOutput[side], argmax.pointer, dInput.pointer, &context) == MTLF_OK)
        try golden.expectExact("output", output, configuration)
        try golden.expectExact("d_input", dInput, configuration)
      } else {
        try #require(mtlf_avg_pool2d_forward_f32(&pool, input[side], output.pointer, &context) == MTLF_OK)
        try #require(mtlf_avg_pool2d_backward_f32(&pool, dOutput[side], dInput.pointer, &context) == MTLF_OK)
        try golden.expectNear("output", output, units: 2, configuration)
        try golden.expectNear("d_input", dInput, units: 4, at: 2, configuration)
      }
    }

    private func softmaxCrossEntropy(_ golden: GoldenCase, _ configuration: Configuration) throws {
      let (batch, classes) = (try golden.int("batch"), try golden.int("classes"))
      var context = configuration.context
      let logits = try golden.operand(0, [batch, classes], scale: golden.double("logit_scale"))
      let missing = UInt32(try golden.int("missing"))
      let labels = (0..<UInt32(batch)).map { n -> Int32 in
        if missing > 0, mixed(n, stream: golden.stream(5)) % missing == 0 { return -1 }
        return Int32(mixed(n, stream: golden.stream(4)) % UInt32(classes))
      }
      let isWeighted = golden["row_weights"] as Bool? ?? false
      let weights = (0..<UInt32(batch)).map {
        isWeighted ? Float(1 + mixed($0, stream: golden.stream(6)) % 4) / 2 : 1
      }
      let present = zip(labels, weights).reduce(0) { $1.0 < 0 ? $0 : $0 + Double($1.1) }
      let scale = try present > 0 ? golden.double("head_weight") / present : 0
      let d = try GuardedBuffer([Float](repeating: 0, count: logits.count), configuration.side)
      var result = mtlf_cross_entropy()
      try #require(
        mtlf_softmax_cross_entropy_f32(
          batch, classes, logits[configuration.side], labels, isWeighted ? weights : nil, Float(scale), nil, d.pointer,
          &result, &context) == MTLF_OK)
      #expect(try result.present == golden.int("present"), "\(configuration)")
      #expect(try result.correct == golden.int("correct"), "\(configuration)")
      if let loss = golden["loss"] as Double? {
        #expect(abs(result.loss_sum / result.weight_sum - loss) <= 4 * 0x1p-23 * (1 + loss), "\(configuration)")
      } else {
        #expect(result.weight_sum == 0 && result.loss_sum == 0)
      }
      try golden.expectNear("d_logits", d, units: 6, configuration)
    }

    private func sigmoid(_ golden: GoldenCase, _ configuration: Configuration) throws {
      let n = Int64(try golden.int("n"))
      var context = configuration.context
      let x = try golden.operand(0, [Int32(n)], scale: golden.double("input_scale"))
      let dOutput = try golden.operand(3, [Int32(n)])
      let y = try GuardedBuffer<Float>(Int(n), configuration.side)
      let dInput = try GuardedBuffer<Float>(Int(n), configuration.side)
      try #require(mtlf_sigmoid_forward_f32(n, x[configuration.side], y.pointer, &context) == MTLF_OK)
      try #require(
        mtlf_sigmoid_backward_f32(n, y.pointer, dOutput[configuration.side], dInput.pointer, &context) == MTLF_OK)
      try golden.expectNear("output", y, units: 4, configuration)
      // 1 - y loses what y was rounded by, times a d_output of 2 at most.
      try golden.expectNear("d_input", dInput, units: 2, at: 2, configuration)
    }

    private func optimizer(_ golden: GoldenCase, _ configuration: Configuration) throws {
      let n = Int64(try golden.int("n"))
      var context = configuration.context
      let zeros = [Float](repeating: 0, count: Int(n))
      let w = try GuardedBuffer(golden.operand(0, [Int32(n)]).right.array, configuration.side)
      let (m, v) = (try GuardedBuffer(zeros, configuration.side), try GuardedBuffer(zeros, configuration.side))
      let learningRate = Float(try golden.double("learning_rate"))
      for step in 1...3 {
        let g = try golden.operand(UInt32(step), [Int32(n)])
        if golden.op == "adam" {
          var adam = mtlf_adam(
            learning_rate: learningRate, beta1: Float(try golden.double("beta1")),
            beta2: Float(try golden.double("beta2")), epsilon: Float(try golden.double("epsilon")), weight_decay: 0)
          try #require(
            mtlf_adam_f32(
              &adam, Int64(step), n, w.pointer, m.pointer, v.pointer, g[configuration.side], &context) == MTLF_OK)
        } else {
          var sgd = mtlf_sgd(
            learning_rate: learningRate, momentum: Float(try golden.double("momentum")), weight_decay: 0)
          try #require(
            mtlf_sgd_f32(&sgd, n, w.pointer, m.pointer, g[configuration.side], &context) == MTLF_OK)
        }
        try golden.expectNear("step_\(step)", w, units: 4, configuration)
      }
      if golden.op == "adam" {
        try golden.expectNear("m", m, units: 4, configuration)
        // 1 - 0.999 in fp32 differs from 0.001 by 2^-24 / 0.001 of it.
        try golden.expectNear("v", v, units: 200, configuration)
      } else if golden.outputs["velocity"] != nil {
        try golden.expectNear("velocity", m, units: 4, configuration)
      }
    }
  }
}

/// One line of kernels.json.
struct GoldenCase: CustomTestStringConvertible, @unchecked Sendable {
  let op: String
  let seed: UInt32
  /// Flat tensors by name.
  let outputs: [String: [Double]]
  private let values: [String: Any]

  var testDescription: String { "\(op) \(seed)" }

  static let all: [GoldenCase] = {
    let file = packageFolder.appending(path: "Tests/Golden/kernels.json")
    guard let data = try? Data(contentsOf: file),
      let lines = try? JSONSerialization.jsonObject(with: data) as? [[String: Any]]
    else { return [] }
    return lines.map(GoldenCase.init)
  }()

  private init(_ values: [String: Any]) {
    self.values = values
    op = values["op"] as? String ?? ""
    seed = (values["seed"] as? NSNumber)?.uint32Value ?? 0
    outputs = values.compactMapValues { ($0 as? [NSNumber])?.map(\.doubleValue) }
  }

  subscript(name: String) -> Bool? { values[name] as? Bool }
  subscript(name: String) -> Double? { (values[name] as? NSNumber)?.doubleValue }
  func double(_ name: String) throws -> Double { try #require(self[name]) }
  func int(_ name: String) throws -> Int32 { Int32(try double(name)) }

  func stream(_ tensor: UInt32) -> UInt32 { 16 * seed + tensor }

  /// Tensor number `number` of the case, times a scale.
  func operand(_ number: UInt32, _ shape: [Int32], scale: Double = 1) throws -> Operand {
    try Operand(
      (0..<UInt32(shape.elements)).map {
        Float((Double(mixed($0, stream: stream(number)) % 17) - 8) / 4 * scale)
      })
  }

  /// Equal bit for bit, but for the sign of zero.
  func expectExact(_ name: String, _ actual: GuardedBuffer<Float>, _ configuration: Configuration) throws {
    let expected = try GuardedBuffer(#require(outputs[name]))
    try #require(expected.count == actual.count)
    actual.expectNear(expected, bound: 0, "\(testDescription), \(name), \(configuration)")
  }

  func expectExact(_ name: String, _ actual: GuardedBuffer<Double>) throws {
    #expect(try actual.array == #require(outputs[name]), "the reference's \(name)")
  }

  /// Within some units in the last place of fp32 at the expected value, or at `magnitude` where sums may cancel.
  func expectNear(
    _ name: String, _ actual: GuardedBuffer<Float>, units: Double, at magnitude: Double? = nil,
    _ configuration: Configuration
  ) throws {
    let expected = try #require(outputs[name])
    try #require(expected.count == actual.count)
    for (index, value) in expected.enumerated() {
      let error = abs(Double(actual[index]) - value)
      // Below 1e-37 kernels may clamp or flush.
      if !(error <= units * 0x1p-23 * (magnitude ?? abs(value)) + 1e-37) {
        Issue.record("\(testDescription), \(name)[\(index)]: \(actual[index]) instead of \(value), \(configuration)")
        return
      }
    }
  }
}

extension ConvShape {
  fileprivate init(_ golden: GoldenCase) {
    self.init(1, 1, 1, 1, to: 1)
    for (name, field) in [
      ("batch", \mtlf_conv2d.batch), ("height", \.height), ("width", \.width), ("channels_in", \.channels_in),
      ("channels_out", \.channels_out), ("kernel_h", \.kernel_h), ("kernel_w", \.kernel_w), ("stride_h", \.stride_h),
      ("stride_w", \.stride_w), ("pad_top", \.pad_top), ("pad_bottom", \.pad_bottom), ("pad_left", \.pad_left),
      ("pad_right", \.pad_right),
    ] { conv[keyPath: field] = Int32(golden[name] ?? 0.0) }
  }
}

extension PoolShape {
  fileprivate init(_ golden: GoldenCase) throws {
    self.init(1, 1, 1, 1)
    for (name, field) in [
      ("batch", \mtlf_pool2d.batch), ("height", \.height), ("width", \.width), ("channels", \.channels),
      ("pool_h", \.pool_h), ("pool_w", \.pool_w), ("stride_h", \.stride_h), ("stride_w", \.stride_w),
      ("pad_top", \.pad_top), ("pad_bottom", \.pad_bottom), ("pad_left", \.pad_left), ("pad_right", \.pad_right),
    ] { pool[keyPath: field] = try golden.int(name) }
  }
}

/// The integer formula of Tests/Golden/README.md.
private func mixed(_ i: UInt32, stream: UInt32) -> UInt32 {
  var x = i &* 2_654_435_761 &+ stream &* 2_246_822_519
  x = (x ^ (x >> 16)) &* 0x85EB_CA6B
  x = (x ^ (x >> 13)) &* 0xC2B2_AE35
  return x ^ (x >> 16)
}
