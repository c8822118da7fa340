// SPDX-License-Identifier: Apache-2.0
// A dense net in bf16, from the arena to the update, against double precision on values rounded at the same places.

import Kernels
import MTLFast
import MTLFastStep
import Testing

@testable import MTLFastTraining

@Suite struct BFloat16StepTests {
  /// 96 inputs, dense 256 and 128 with ReLU, 128 numbers: every layer runs in blocks.
  static let sizes = [96, 256, 128, 128]
  static let batch = 16

  static func model() throws -> MultiTaskModel {
    var graph = ModelGraph()
    let input = try graph.addInput("input", shape: .vector(sizes[0]))
    let hidden = try graph.add(
      [Dense(units: sizes[1], activation: .relu), Dense(units: sizes[2], activation: .relu)], prefix: "trunk",
      reading: input)
    let node = try graph.add(Dense(units: sizes[3]), named: "values", reading: hidden)
    let targets = (0..<sizes[3]).map { RegressionTarget("t\($0)") }
    try graph.addHead(Head(name: "head", logits: node, task: .regression(targets)))
    return try MultiTaskModel(graph: graph, seed: 4)
  }

  /// Small whole numbers over a power of two, so that sums in fp32 are exact.
  static func whole(_ count: Int, _ purpose: String, of largest: Int, over divisor: Float) -> [Float] {
    RandomStream(seed: 8, purpose: purpose).words(count: count).map {
      Float(Int($0 % UInt32(2 * largest + 1)) - largest) / divisor
    }
  }

  static func real(_ count: Int, _ purpose: String) -> [Float] {
    RandomStream(seed: 8, purpose: purpose).uniform(count: count, limit: 1)
  }

  static func rounded(_ x: Double) -> Double {
    let bits = Float(x).bitPattern
    return Double(Float(bitPattern: (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000))
  }

  /// One step of SGD in double precision, rounded to bf16 where the step stores bf16.
  struct Reference {
    var kernels: [[Double]], biases: [[Double]]

    mutating func step(inputs: [Float], targets: [Float], rate: Double) {
      let (sizes, batch) = (BFloat16StepTests.sizes, BFloat16StepTests.batch)
      let stored = kernels.map { $0.map(BFloat16StepTests.rounded) }
      var values = [inputs.map { BFloat16StepTests.rounded(Double($0)) }]
      for layer in 0..<3 {
        let (from, to) = (sizes[layer], sizes[layer + 1])
        var output = [Double](repeating: 0, count: batch * to)
        for n in 0..<batch {
          for unit in 0..<to {
            var sum = biases[layer][unit]
            for k in 0..<from { sum += values[layer][n * from + k] * stored[layer][k * to + unit] }
            output[n * to + unit] = layer < 2 ? BFloat16StepTests.rounded(max(0, sum)) : sum
          }
        }
        values.append(output)
      }
      let scale = 2 / Double(sizes[3] * batch)
      var d = zip(values[3], targets).map { BFloat16StepTests.rounded(($0 - Double($1)) * scale) }
      for layer in [2, 1, 0] {
        let (from, to) = (sizes[layer], sizes[layer + 1])
        var dInput = [Double](repeating: 0, count: batch * from)
        if layer > 0 {
          for n in 0..<batch {
            for k in 0..<from where values[layer][n * from + k] > 0 {
              var sum = 0.0
              for unit in 0..<to { sum += d[n * to + unit] * stored[layer][k * to + unit] }
              dInput[n * from + k] = BFloat16StepTests.rounded(sum)
            }
          }
        }
        for unit in 0..<to {
          for k in 0..<from {
            var sum = 0.0
            for n in 0..<batch { sum += values[layer][n * from + k] * d[n * to + unit] }
            kernels[layer][k * to + unit] -= rate * sum
          }
          biases[layer][unit] -= rate * (0..<batch).reduce(0) { $0 + d[$1 * to + unit] }
        }
        d = dInput
      }
    }
  }

  static func train(
    _ model: MultiTaskModel, inputs: [Float], targets: [Float], rate: Float, epochs: Int,
    precision: ElementType = .bfloat16, threads: Int = 2
  ) throws -> [[Float]] {
    let trainer = try Trainer(
      model, optimizer: .sgd(learningRate: rate), threads: threads, precision: precision, host: nil)
    let names = (0..<sizes[3]).map { "t\($0)" }
    let samples = Samples(
      name: "numbers", count: batch, inputs: ["input": .init(column: .floats(shape: [sizes[0]], values: inputs))],
      targets: ["head": .values(ValueColumn(names: names, values: targets))])
    _ = try trainer.fit(samples, epochs: epochs, batchSize: batch)
    return try trainer.state().parameters.map(\.values)
  }

  static func largestDifference(_ found: [[Float]], _ reference: Reference) -> Double {
    let expected = zip(reference.kernels, reference.biases).flatMap { [$0, $1] }
    return zip(found.joined(), expected.joined()).reduce(0) { max($0, abs(Double($1.0) - $1.1)) }
  }

  static func reference(of model: MultiTaskModel) -> Reference {
    let values = model.parameters.map { $0.values.map(Double.init) }
    return Reference(kernels: [values[0], values[2], values[4]], biases: [values[1], values[3], values[5]])
  }

  @Test func aStepOnWholeNumbersIsThatOfTheReference() throws {
    let model = try Self.model()
    for parameter in model.parameters where parameter.specification.role == .kernel {
      try model.setParameter(
        parameter.name, to: Self.whole(parameter.values.count, parameter.name, of: 3, over: 16))
    }
    let inputs = Self.whole(Self.batch * Self.sizes[0], "inputs", of: 4, over: 4)
    let targets = Self.whole(Self.batch * Self.sizes[3], "targets", of: 8, over: 4)
    var reference = Self.reference(of: model)
    reference.step(inputs: inputs, targets: targets, rate: 0.5)
    for threads in [1, 3] {
      let found = try Self.train(model, inputs: inputs, targets: targets, rate: 0.5, epochs: 1, threads: threads)
      #expect(Self.largestDifference(found, reference) < 1e-7)
    }
  }

  /// The update refreshes the stored form: later steps go on from the new weights, rounded.
  @Test func fiveStepsOnRealNumbersKeepToTheReference() throws {
    let model = try Self.model()
    let inputs = Self.real(Self.batch * Self.sizes[0], "inputs")
    let targets = Self.real(Self.batch * Self.sizes[3], "targets")
    let start = Self.reference(of: model)
    var reference = start
    let rate: Float = 0.5
    for _ in 0..<5 { reference.step(inputs: inputs, targets: targets, rate: Double(rate)) }
    let found = try Self.train(model, inputs: inputs, targets: targets, rate: rate, epochs: 5)
    let plain = try Self.train(model, inputs: inputs, targets: targets, rate: rate, epochs: 5, precision: .float32)
    let moved = Self.largestDifference(found, start)
    // A sum that is near the middle of two bf16 values may be rounded the other way in fp32.
    #expect(Self.largestDifference(found, reference) < 0.01 * moved)
    #expect(Self.largestDifference(plain, reference) > 2 * Self.largestDifference(found, reference))
  }

  @Test func activationsTakeHalfTheRoom() throws {
    let model = try Self.model()
    func step(_ precision: ElementType) throws -> (program: Program, forms: [Int: Set<WeightForm>]) {
      var settings = StepSettings()
      settings.precision = precision
      let lowering = try Lowering(graph: model.graph, purpose: .training(seed: 0), settings: settings)
      return (lowering.program, lowering.program.forms)
    }
    let lowered = try step(.bfloat16)
    let names = lowered.program.values.filter { $0.element == .bfloat16 }.map(\.name)
    #expect(
      Set(names) == [
        "input.bfloat16", "trunk.dense_1", "trunk.dense_2", "head.d_logits.bfloat16", "d_trunk.dense_2",
        "d_trunk.dense_1",
      ])
    #expect(lowered.forms.values.allSatisfy { $0 == [WeightForm(.packed, .bfloat16)] } && lowered.forms.count == 3)
    #expect(try step(.float32).program.values.allSatisfy { $0.element == .float32 })
  }
}
