// SPDX-License-Identifier: Apache-2.0
// Plans of many graphs: the step that a plan takes must lower the loss as its gradients say, and views must not change it.

import Kernels
import MTLFast
import MTLFastData
import MTLFastTraining
import Testing

@Suite struct PlanGradientTests {
  struct Net: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let build: @Sendable (inout ModelGraph, Int) throws -> [(name: String, logits: Int)]
  }

  static func trunk(_ name: String, _ layers: [any Layer]) -> Net {
    Net(testDescription: name) { graph, input in
      let trunk = try graph.add(layers, prefix: "trunk", reading: input)
      return [
        ("item", try graph.add(Dense(units: 10), named: "item.logits", reading: trunk)),
        ("group", try graph.add(Dense(units: 3), named: "group.logits", reading: trunk)),
      ]
    }
  }

  static let nets: [Net] = [
    trunk("input only", [Flatten()]),
    trunk(
      "same padding",
      [
        Conv2D(filters: 5, kernelSize: 3, padding: .same),
        Conv2D(filters: 4, kernelSize: 5, padding: .same, activation: .sigmoid), Flatten(),
      ]),
    trunk(
      "odd pads and strides",
      [
        Conv2D(
          filters: 6, kernelSize: (4, 3), stride: (3, 2), padding: .explicit(top: 1, bottom: 2, left: 0, right: 1)),
        Sigmoid(), Flatten(),
      ]),
    trunk(
      "fused pool into a padded convolution",
      [
        Conv2D(filters: 8, kernelSize: 3, activation: .relu), MaxPool2D(poolSize: 2),
        Conv2D(filters: 6, kernelSize: 3, padding: .same, activation: .relu), MaxPool2D(poolSize: 2), Flatten(),
      ]),
    trunk(
      "pools",
      [
        Conv2D(filters: 4, kernelSize: 3), MaxPool2D(poolSize: 3, stride: 2, padding: .same),
        AvgPool2D(poolSize: 3, stride: 2, padding: .same), Conv2D(filters: 3, kernelSize: 3, padding: .same),
        AvgPool2D(poolSize: 2), Flatten(),
      ]),
    trunk(
      "dropout of nothing before a padded convolution",
      [
        Dropout(rate: 0), Conv2D(filters: 4, kernelSize: 3, padding: .same), Dropout(rate: 0),
        Conv2D(filters: 4, kernelSize: 3, padding: .same), Flatten(),
      ]),
    trunk(
      "dense layers in blocks",
      [Flatten(), Dense(units: 70, activation: .sigmoid), Dense(units: 300, activation: .relu)]),
    Net(testDescription: "a head reads another's logits") { graph, input in
      let flat = try graph.add([Flatten(), Dense(units: 40, activation: .sigmoid)], prefix: "trunk", reading: input)
      let item = try graph.add(Dense(units: 10), named: "item.logits", reading: flat)
      return [("item", item), ("group", try graph.add(Dense(units: 3), named: "group.logits", reading: item))]
    },
    Net(testDescription: "one node, many readers") { graph, input in
      let image = try graph.add([Conv2D(filters: 4, kernelSize: 3)], prefix: "trunk", reading: input)
      let padded = try graph.add(
        [Conv2D(filters: 3, kernelSize: 3, padding: .same), AvgPool2D(poolSize: 2), Flatten()], prefix: "padded",
        reading: image)
      let flat = try graph.add([Flatten()], prefix: "flat", reading: image)
      let wide = try graph.add([Dense(units: 30, activation: .sigmoid)], prefix: "wide", reading: flat)
      return [
        ("item", try graph.add(Dense(units: 10), named: "item.logits", reading: padded)),
        ("group", try graph.add(Dense(units: 3), named: "group.logits", reading: wide)),
        ("parity", try graph.add(Dense(units: 2), named: "parity.logits", reading: flat)),
        ("again", try graph.add(Dense(units: 10), named: "again.logits", reading: wide)),
      ]
    },
  ]

  static func model(_ net: Net) throws -> MultiTaskModel {
    var graph = ModelGraph()
    let input = try graph.addInput("input", shape: .image(height: 14, width: 14, channels: 2))
    for (index, head) in try net.build(&graph, input).enumerated() {
      let classes = graph.nodes[head.logits].shape.elementCount
      try graph.addHead(
        Head(
          name: head.name, logits: head.logits,
          task: .classification(classNames: (0..<classes).map(String.init)), weight: index == 0 ? 0.7 : 1))
    }
    return try MultiTaskModel(graph: graph, seed: 11)
  }

  static func samples(_ count: Int, of model: MultiTaskModel) -> Samples {
    let pixels = RandomStream(seed: 3, purpose: "pixels").uniform(count: count * 392, limit: 1)
    var labels: [String: LabelColumn] = [:]
    for head in model.graph.heads {
      guard case .classification(let names) = head.task else { continue }
      labels[head.name] = LabelColumn(
        values: (0..<count).map { $0 % 7 == 3 ? -1 : Int32($0 * 5 % names.count) }, classNames: names)
    }
    return Samples(
      name: "random", count: count,
      inputs: ["input": .init(column: .floats(shape: [14, 14, 2], values: pixels))], labels: labels)
  }

  /// Along its own gradient g, a loss falls by rate * |g|^2 to first order. Every parameter is tried alone, so that a
  /// wrong gradient can't hide behind the others.
  @Test(arguments: nets, [1, 17]) func everyGradientIsThatOfTheLoss(net: Net, count: Int) throws {
    let model = try Self.model(net)
    let samples = Self.samples(count, of: model)
    let rate: Float = 1e-3
    let trainer = try Trainer(model, optimizer: .sgd(learningRate: rate), threads: 2)
    _ = try trainer.fit(samples, epochs: 1, batchSize: count)
    let evaluator = { (model: MultiTaskModel) in
      try Evaluator(model, batchSize: 5, threads: 1).evaluate(samples).loss
    }
    for (parameter, stepped) in zip(model.parameters, try trainer.state().parameters) {
      let gradient = zip(parameter.values, stepped.values).map { ($0 - $1) / rate }
      let square = gradient.reduce(0) { $0 + Double($1) * Double($1) }
      guard square > 1e-8 else {
        #expect(net.testDescription != "input only", "\(parameter.name) has no gradient")
        continue
      }
      // A step both ways whose effect on the loss is far above the rounding of float32, and far below its curvature.
      let size = Float(0.004 / square.squareRoot() / square.squareRoot())
      func loss(_ sign: Float) throws -> Double {
        let moved = try MultiTaskModel(graph: model.graph, seed: 11)
        try moved.setParameter(parameter.name, to: zip(parameter.values, gradient).map { $0 - sign * size * $1 })
        return try evaluator(moved)
      }
      let fall = try loss(-1) - loss(1)
      let expected = 2 * Double(size) * square
      #expect(abs(fall - expected) <= 0.02 * expected, "\(parameter.name): \(fall), expected \(expected)")
    }
  }

  /// In evaluation a dropout is the identity, also where a padded convolution reads it.
  @Test func dropoutIsAViewInEvaluation() throws {
    func model(rate: Float?) throws -> MultiTaskModel {
      let dropout: [any Layer] = rate.map { [Dropout(rate: $0)] } ?? []
      return try Self.model(
        Self.trunk(
          "",
          dropout + [Conv2D(filters: 4, kernelSize: 3, padding: .same)] + dropout
            + [Conv2D(filters: 4, kernelSize: 5, padding: .same), Flatten()] + dropout))
    }
    let (plain, dropped) = (try model(rate: nil), try model(rate: 0.4))
    #expect(plain.parameters.map(\.values) == dropped.parameters.map(\.values))
    let samples = Self.samples(23, of: plain)
    let expected = try Evaluator(plain, batchSize: 7, threads: 2, predicts: true).predict(samples, at: Array(0..<23))
    let found = try Evaluator(dropped, batchSize: 7, threads: 2, predicts: true).predict(samples, at: Array(0..<23))
    #expect(found.map(\.probabilities) == expected.map(\.probabilities))
  }

  @Test func trainedWeightsGoBackIntoTheModel() throws {
    let model = try Self.model(Self.nets[6])
    let samples = Self.samples(20, of: model)
    let trainer = try Trainer(model, optimizer: .adam(), threads: 1)
    _ = try trainer.fit(samples, epochs: 2, batchSize: 8)
    let before = try Evaluator(model, threads: 1).evaluate(samples)
    try trainer.updateModel()
    let after = try Evaluator(model, threads: 1).evaluate(samples)
    #expect(before != after)
    #expect(after == (try trainer.evaluate(samples)))
  }

  @Test func wrongArgumentsAreErrors() throws {
    let model = try Self.model(Self.nets[0])
    let samples = Self.samples(4, of: model)
    for size in [-1, 0, 1 << 21] {
      #expect(throws: MTLFastError(.usage, "The batch size is \(size). Use 1...1048576.")) {
        _ = try Evaluator(model, batchSize: size)
      }
    }
    let misspelt = Samples(
      name: "random", count: 4, inputs: samples.inputs, labels: ["itm": try #require(samples.labels["item"])])
    #expect(throws: MTLFastError(.usage, "random: labels are given for 'itm' but the heads are item, group.")) {
      _ = try Evaluator(model).evaluate(misspelt)
    }
    var graph = ModelGraph()
    let input = try graph.addInput("input", shape: [1 << 16])
    #expect(throws: MTLFastError.self) { _ = try graph.add(ReLU(), named: "far", reading: 7) }
    let wide = try graph.add(Dense(units: 1 << 24), named: "wide", reading: input)
    let logits = try graph.add(Dense(units: 2), named: "logits", reading: wide)
    try graph.addHead(Head(name: "item", logits: logits, task: .classification(classNames: ["a", "b"])))
    #expect(
      throws: MTLFastError(
        .usage,
        "Parameter 'wide.kernel' of shape [65536, 16777216] brings the model above 2147483648 weights. Use fewer units, filters or inputs."
      )
    ) { _ = try MultiTaskModel(graph: graph, seed: 0) }
  }

  @Test func aQuotaBecomesWholeCPUs() {
    #expect(wholeCPUs(quota: "200000", period: "100000") == 2)
    #expect(wholeCPUs(quota: "150000", period: "100000") == 2)
    #expect(wholeCPUs(quota: "5000", period: "100000") == 1)
    #expect(wholeCPUs(quota: "max", period: "100000") == nil)
    #expect(wholeCPUs(quota: "-1", period: "100000") == nil)
  }
}
