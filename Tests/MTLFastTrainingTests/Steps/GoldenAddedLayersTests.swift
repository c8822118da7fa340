// SPDX-License-Identifier: Apache-2.0
// Ten training steps of a net with every depthwise, normalising and gating layer against PyTorch's: added_layers.json.

import Foundation
import MTLFast
import MTLFastTraining
import TestSupport
import Testing

@Suite struct GoldenAddedLayersTests {
  struct Golden: Decodable {
    struct Parameter: Decodable {
      let name: String, shape: [Int]
      let stream: UInt32
      let base: Float, scale: Float
      let sum: Double, sumOfSquares: Double
    }
    struct Case: Decodable {
      let learningRate: Float
      let steps: [Step]
      let final: [Checksum]
    }
    struct Step: Decodable {
      let itemLoss: Double, groupLoss: Double
      let itemCorrect: Int, groupCorrect: Int
    }
    struct Checksum: Decodable {
      let name: String
      let sum: Double, sumOfSquares: Double
    }
    struct Check: Decodable {
      let pixelSum: Int
      let labelSums: [String: Int]
    }
    let check: Check
    let parameters: [Parameter]
    let cases: [String: Case]
  }

  static let golden = Result {
    let file = packageFolder.appendingPathComponent("Tests/Golden/added_layers.json")
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(Golden.self, from: try Data(contentsOf: file))
  }

  static func values(_ parameter: Golden.Parameter) -> [Float] {
    (0..<UInt32(parameter.shape.reduce(1, *))).map {
      let unit = Float(Int32(bitPattern: mixed($0, parameter.stream) >> 8) - 8_388_608) * 0x1p-23
      return parameter.base + unit * parameter.scale
    }
  }

  static func samples(first: Int, count: Int) -> Samples {
    var pixels: [UInt8] = []
    var items: [Int32] = []
    for n in first..<first + count {
      let item = mixed(UInt32(n), 90) % 5
      items.append(Int32(item))
      for row in 0..<12 {
        for column in 0..<12 {
          for channel in 0..<3 {
            let noise = mixed(UInt32(n * 432 + row * 36 + column * 3 + channel), 91) % 64
            let cell = row / 3 * 4 + column / 3
            let pattern = mixed(item * 48 + UInt32(cell * 3 + channel), 92) & 1
            pixels.append(UInt8(noise + (pattern == 1 ? 192 : 0)))
          }
        }
      }
    }
    let groups = items.map { [0, 1, 2, 0, 1][Int($0)] as Int32 }
    let names = { (count: Int) in (0..<count).map(String.init) }
    return Samples(
      name: "formula", count: count,
      inputs: ["input": .init(column: .bytes(shape: [12, 12, 3], values: pixels), scale: Float(1.0 / 255.0))],
      labels: [
        "item": LabelColumn(values: items, classNames: names(5)),
        "group": LabelColumn(values: groups, classNames: names(3)),
      ])
  }

  func model() throws -> MultiTaskModel {
    var graph = ModelGraph()
    let input = try graph.addInput("input", shape: .image(height: 12, width: 12, channels: 3))
    let trunk = try graph.add(
      [
        Conv2D(filters: 8, kernelSize: 3, padding: .same, activation: .gelu),
        DepthwiseConv2D(kernelSize: 3, padding: .same, activation: .silu), LayerNorm(),
      ], prefix: "trunk", reading: input)
    let value = try graph.add(
      [Conv2D(filters: 8, kernelSize: 1, activation: .leakyReLU)], prefix: "value", reading: trunk)
    let gate = try graph.add([Conv2D(filters: 8, kernelSize: 1), Sigmoid()], prefix: "gate", reading: trunk)
    let gated = try graph.add(Multiply(), named: "gated", reading: [value, gate])
    let body = try graph.add(
      [
        DepthwiseConv2D(kernelSize: 3, stride: 2, activation: .tanh), Flatten(), Dense(units: 32, activation: .gelu),
        LayerNorm(), Dense(units: 24, activation: .silu), Tanh(),
      ], prefix: "body", reading: gated)
    let heads: [(name: String, classes: Int, layers: [any Layer])] = [
      ("item", 5, [Dense(units: 16, activation: .leakyReLU)]),
      ("group", 3, [Dense(units: 12), GELU(), Dense(units: 10), SiLU(), Dense(units: 8), LeakyReLU()]),
    ]
    for head in heads {
      let hidden = try graph.add(head.layers, prefix: head.name, reading: body)
      let task = Head.Task.classification(classNames: (0..<head.classes).map(String.init))
      let logits = try graph.addOutput(task, loss: nil, named: head.name, reading: hidden)
      try graph.addHead(Head(name: head.name, logits: logits, task: task, weight: 0.5))
    }
    let model = try MultiTaskModel(graph: graph, seed: 0)
    for parameter in try Self.golden.get().parameters {
      let specification = try #require(model[parameter: parameter.name]?.specification, "\(parameter.name)")
      #expect(specification.dimensions == parameter.shape, "\(parameter.name)")
      try model.setParameter(parameter.name, to: Self.values(parameter))
    }
    return model
  }

  @Test func formulaIsTheGenerators() throws {
    let golden = try Self.golden.get()
    #expect(try Set(model().parameters.map(\.name)) == Set(golden.parameters.map(\.name)))
    for parameter in golden.parameters {
      let values = Self.values(parameter).map(Double.init)
      #expect(abs(values.reduce(0, +) - parameter.sum) < 1e-9, "\(parameter.name)")
      #expect(abs(values.reduce(0) { $0 + $1 * $1 } - parameter.sumOfSquares) < 1e-9, "\(parameter.name)")
    }
    let samples = Self.samples(first: 0, count: 160)
    guard case .bytes(_, let pixels)? = samples.input(named: "input")?.column else {
      Issue.record("the formula makes bytes")
      return
    }
    #expect(pixels.reduce(0) { $0 + Int($1) } == golden.check.pixelSum)
  }

  @Test(arguments: ["fast", "gentle"], [1, 2])
  func tenSteps(name: String, threads: Int) throws {
    let golden = try Self.golden.get()
    let expected = try #require(golden.cases[name])
    let trainer = try Trainer(
      model(), optimizer: .adam(learningRate: expected.learningRate, beta1: 0.9, beta2: 0.999, epsilon: 1e-7),
      threads: threads)
    let recorder = StepRecorder()
    for step in 0..<10 {
      _ = try trainer.fit(
        Self.samples(first: step * 16, count: 16), epochs: step + 1, batchSize: 16, callbacks: [recorder])
    }
    #expect(recorder.steps.count == 10)
    for (index, (record, step)) in zip(recorder.steps, expected.steps).enumerated() {
      for (task, loss, correct) in [
        ("item", step.itemLoss, step.itemCorrect), ("group", step.groupLoss, step.groupCorrect),
      ] {
        let score = try #require(record.scores[task])
        let found = try #require(score.loss)
        #expect(abs(found - loss) <= 1e-5 * loss, "\(name) step \(index + 1) \(task): \(found), PyTorch \(loss)")
        #expect(abs(try #require(score.accuracy) * Double(score.present) - Double(correct)) < 0.5)
      }
    }
    let state = try trainer.state()
    for checksum in expected.final {
      let values = try #require(state.parameters.first { $0.name == checksum.name }).values.map(Double.init)
      let (sum, squares) = (values.reduce(0, +), values.reduce(0) { $0 + $1 * $1 })
      let scale = (Double(values.count) * checksum.sumOfSquares).squareRoot()
      #expect(abs(sum - checksum.sum) <= 1e-5 * scale, "\(name) \(checksum.name)")
      #expect(abs(squares - checksum.sumOfSquares) <= 1e-5 * checksum.sumOfSquares, "\(name) \(checksum.name)")
    }
  }
}
