// SPDX-License-Identifier: Apache-2.0
// Plans of many graphs: the step that a plan takes must lower the loss as its gradients say, and views must not change it.

import Kernels
import MTLFast
import MTLFastTraining
import Testing

@Suite struct PlanGradientTests {
  struct Net: CustomTestStringConvertible, Sendable {
    let testDescription: String
    /// The factor of every head's weight: a step along a small gradient would leave the straight part of the loss.
    var weight: Float = 1
    let build: @Sendable (inout ModelGraph, Int) throws -> [Head]
  }

  static func classes(_ name: String, _ node: Int, of graph: ModelGraph) -> Head {
    let names = (0..<graph.nodes[node].shape.elementCount).map(String.init)
    return Head(name: name, logits: node, task: .classification(classNames: names))
  }

  static func trunk(_ name: String, weight: Float = 1, _ layers: [any Layer]) -> Net {
    Net(testDescription: name, weight: weight) { graph, input in
      let trunk = try graph.add(layers, prefix: "trunk", reading: input)
      return [
        classes("item", try graph.add(Dense(units: 10), named: "item.logits", reading: trunk), of: graph),
        classes("group", try graph.add(Dense(units: 3), named: "group.logits", reading: trunk), of: graph),
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
      return [
        classes("item", item, of: graph),
        classes("group", try graph.add(Dense(units: 3), named: "group.logits", reading: item), of: graph),
      ]
    },
    Net(testDescription: "one node, many readers") { graph, input in
      let image = try graph.add([Conv2D(filters: 4, kernelSize: 3)], prefix: "trunk", reading: input)
      let padded = try graph.add(
        [Conv2D(filters: 3, kernelSize: 3, padding: .same), AvgPool2D(poolSize: 2), Flatten()], prefix: "padded",
        reading: image)
      let flat = try graph.add([Flatten()], prefix: "flat", reading: image)
      let wide = try graph.add([Dense(units: 30, activation: .sigmoid)], prefix: "wide", reading: flat)
      return [
        classes("item", try graph.add(Dense(units: 10), named: "item.logits", reading: padded), of: graph),
        classes("group", try graph.add(Dense(units: 3), named: "group.logits", reading: wide), of: graph),
        classes("parity", try graph.add(Dense(units: 2), named: "parity.logits", reading: flat), of: graph),
        classes("again", try graph.add(Dense(units: 10), named: "again.logits", reading: wide), of: graph),
      ]
    },
  ]

  /// Layers and losses of every kind.
  static let others: [Net] = [
    trunk(
      "activations", weight: 60,
      [
        Conv2D(filters: 5, kernelSize: 3, padding: .same, activation: .gelu), SiLU(),
        Conv2D(filters: 4, kernelSize: 3, padding: .same, activation: .tanh), Tanh(), Flatten(),
        Dense(units: 40, activation: .silu), Dense(units: 30, activation: .leakyReLU), GELU(),
      ]),
    trunk(
      "depthwise convolutions", weight: 10,
      [
        DepthwiseConv2D(kernelSize: 3, padding: .same, activation: .sigmoid), Conv2D(filters: 5, kernelSize: 1),
        DepthwiseConv2D(kernelSize: (2, 3), stride: (2, 1), padding: .explicit(top: 1, bottom: 0, left: 0, right: 2)),
        DepthwiseConv2D(kernelSize: 3, stride: 2, activation: .tanh), Flatten(),
      ]),
    trunk(
      "layer normalisation", weight: 10,
      [
        LayerNorm(epsilon: 0.1), Conv2D(filters: 5, kernelSize: 3, activation: .sigmoid), LayerNorm(epsilon: 0.01),
        Conv2D(filters: 4, kernelSize: 3, padding: .same), Flatten(), Dense(units: 40), LayerNorm(), Sigmoid(),
      ]),
    trunk(
      "batch normalisation", weight: 10,
      [
        Conv2D(filters: 5, kernelSize: 3), BatchNorm(), ReLU(), Conv2D(filters: 4, kernelSize: 3, padding: .same),
        BatchNorm(momentum: 0.5, epsilon: 0.1), Flatten(), Dense(units: 30), BatchNorm(), Sigmoid(),
      ]),
    Net(testDescription: "residual sum") { graph, input in
      let stem = try graph.add(
        [Conv2D(filters: 4, kernelSize: 3, padding: .same, activation: .sigmoid)], prefix: "stem", reading: input)
      let branch = try graph.add(
        [Conv2D(filters: 4, kernelSize: 3, padding: .same), Sigmoid()], prefix: "branch", reading: stem)
      let sum = try graph.add(Add(), named: "sum", reading: [stem, branch, stem])
      let tail = try graph.add(
        [Conv2D(filters: 3, kernelSize: 3, padding: .same), GlobalAveragePool2D()], prefix: "tail", reading: sum)
      let flat = try graph.add([Flatten()], prefix: "flat", reading: branch)
      return [
        classes("item", try graph.add(Dense(units: 4), named: "item.logits", reading: tail), of: graph),
        classes("group", try graph.add(Dense(units: 3), named: "group.logits", reading: flat), of: graph),
      ]
    },
    Net(testDescription: "gates", weight: 10) { graph, input in
      let a = try graph.add([Conv2D(filters: 4, kernelSize: 3, padding: .same)], prefix: "a", reading: input)
      let gate = try graph.add(
        [Conv2D(filters: 4, kernelSize: 1, activation: .sigmoid)], prefix: "gate", reading: input)
      let gated = try graph.add(Multiply(), named: "gated", reading: [a, gate])
      let squared = try graph.add(Multiply(), named: "squared", reading: [gated, gated])
      let padded = try graph.add(
        [Conv2D(filters: 3, kernelSize: 3, padding: .same), AvgPool2D(poolSize: 2), Flatten()], prefix: "padded",
        reading: squared)
      let flat = try graph.add([Flatten()], prefix: "flat", reading: gated)
      return [
        classes("item", try graph.add(Dense(units: 10), named: "item.logits", reading: padded), of: graph),
        classes("group", try graph.add(Dense(units: 3), named: "group.logits", reading: flat), of: graph),
      ]
    },
    Net(testDescription: "concatenations") { graph, input in
      let a = try graph.add([Conv2D(filters: 3, kernelSize: 3, padding: .same)], prefix: "a", reading: input)
      let b = try graph.add(
        [Conv2D(filters: 5, kernelSize: 5, padding: .same, activation: .sigmoid)], prefix: "b", reading: input)
      let images = try graph.add(Concatenate(), named: "images", reading: [a, b, a])
      let padded = try graph.add(
        [Conv2D(filters: 4, kernelSize: 3, padding: .same), AvgPool2D(poolSize: 2), Flatten()], prefix: "padded",
        reading: images)
      let wide = try graph.add([Dense(units: 100, activation: .sigmoid)], prefix: "wide", reading: padded)
      let pooled = try graph.add(GlobalAveragePool2D(), named: "pooled", reading: images)
      let vectors = try graph.add(Concatenate(), named: "vectors", reading: [wide, pooled, padded])
      return [
        classes("item", try graph.add(Dense(units: 100), named: "item.logits", reading: vectors), of: graph),
        classes("group", try graph.add(Dense(units: 3), named: "group.logits", reading: vectors), of: graph),
      ]
    },
    Net(testDescription: "decoder of masks", weight: 10) { graph, input in
      let encoded = try graph.add(
        [Conv2D(filters: 6, kernelSize: 3, padding: .same, activation: .sigmoid), AvgPool2D(poolSize: 2)],
        prefix: "encoder", reading: input)
      let decoded = try graph.add(
        [Upsample2D(), Conv2D(filters: 4, kernelSize: 3, padding: .same, activation: .sigmoid)], prefix: "decoder",
        reading: encoded)
      let scene = try graph.addOutput(
        .segmentation(classNames: ["a", "b", "c"]), loss: nil, named: "scene", reading: decoded)
      let masks = Head.Task.masks(names: ["a", "b"])
      let out = try graph.addOutput(masks, loss: nil, named: "out", reading: decoded)
      return [
        Head(
          name: "scene", logits: scene, task: .segmentation(classNames: ["a", "b", "c"]), weight: 20,
          labelSmoothing: 0.1,
          classWeights: [0.5, 1, 2]),
        Head(name: "out", logits: out, task: masks, classWeights: [1, 3]),
        Head(name: "overlap", logits: out, task: masks, loss: .dice, weight: 10),
        Head(name: "both", logits: out, task: masks, loss: .binaryCrossEntropyDice, labelSmoothing: 0.2),
      ]
    },
    Net(testDescription: "masks of a vector") { graph, input in
      let flat = try graph.add(
        [
          Conv2D(filters: 3, kernelSize: 3), Flatten(), Reshape([8, 6, 9]),
          Conv2D(filters: 2, kernelSize: 3, padding: .same), Flatten(),
        ],
        prefix: "trunk", reading: input)
      let task = Head.Task.masks(names: ["a", "b", "c"])
      let node = try graph.addOutput(task, loss: nil, named: "masks", reading: flat, maskSize: (7, 5))
      return [Head(name: "masks", logits: node, task: task)]
    },
    Net(testDescription: "numbers and single logits") { graph, input in
      let flat = try graph.add([Flatten(), Dense(units: 40, activation: .sigmoid)], prefix: "trunk", reading: input)
      let targets = [RegressionTarget("a", mean: 1, standardDeviation: 2), RegressionTarget("b")]
      let values = try graph.add(Dense(units: 2), named: "values", reading: flat)
      let logit = try graph.add(Dense(units: 1), named: "logit", reading: flat)
      return [
        Head(name: "squared", logits: values, task: .regression(targets)),
        Head(name: "huber", logits: values, task: .regression(targets), loss: .huber(delta: 0.5)),
        Head(
          name: "yes", logits: logit, task: .classification(classNames: ["no", "yes"]), loss: .binaryCrossEntropy,
          labelSmoothing: 0.1, classWeights: [1, 3]),
        Head(
          name: "smooth", logits: values, task: .classification(classNames: ["a", "b"]), labelSmoothing: 0.2,
          classWeights: [0.5, 2]),
      ]
    },
  ]

  static func model(_ net: Net) throws -> MultiTaskModel {
    var graph = ModelGraph()
    let input = try graph.addInput("input", shape: .image(height: 14, width: 14, channels: 2))
    for (index, head) in try net.build(&graph, input).enumerated() {
      var head = head
      head.weight *= net.weight * (index == 0 ? 0.7 : 1)
      try graph.addHead(head)
    }
    return try MultiTaskModel(graph: graph, seed: 11)
  }

  static func samples(_ count: Int, of model: MultiTaskModel) -> Samples {
    let pixels = RandomStream(seed: 3, purpose: "pixels").uniform(count: count * 392, limit: 1)
    var targets: [String: TargetColumn] = [:]
    for head in model.graph.heads {
      let shape = model.graph.nodes[head.logits].shape
      func values(_ size: Int) -> [UInt32] {
        (0..<count * size).map { UInt32(truncatingIfNeeded: $0 &* 2_654_435_761) >> 20 }
      }
      switch head.task {
      case .classification(let names):
        targets[head.name] = .classes(
          LabelColumn(
            values: (0..<count).map { $0 % 7 == 3 ? -1 : Int32($0 * 5 % names.count) }, classNames: names))
      case .regression(let wanted):
        targets[head.name] = .values(
          ValueColumn(
            names: wanted.map(\.name),
            values: values(wanted.count).map { $0 % 5 == 0 ? .nan : Float($0 % 64) / 8 - 3 }))
      case .segmentation(let names):
        targets[head.name] = .mask(
          MaskColumn(
            shape: [shape.height, shape.width, 1],
            values: values(shape.height * shape.width).map { $0 % 6 == 0 ? 255 : UInt8(Int($0) % names.count) },
            classNames: names))
      case .masks(let names):
        targets[head.name] = .mask(
          MaskColumn(
            shape: shape, values: values(shape.elementCount).map { $0 % 6 == 0 ? 255 : UInt8($0 % 2) },
            classNames: names
          ))
      }
    }
    return Samples(
      name: "random", count: count,
      inputs: ["input": .init(column: .floats(shape: [14, 14, 2], values: pixels))], targets: targets)
  }

  /// Along its own gradient g, a loss falls by rate * |g|^2 to first order. Every parameter is tried alone, so that a
  /// wrong gradient can't hide behind the others.
  @Test(arguments: nets + others, [1, 17]) func everyGradientIsThatOfTheLoss(net: Net, count: Int) throws {
    let model = try Self.model(net)
    let samples = Self.samples(count, of: model)
    let rate: Float = 1e-3
    let trainer = try Trainer(model, optimizer: .sgd(learningRate: rate), threads: 2)
    _ = try trainer.fit(samples, epochs: 1, batchSize: count)
    // Statistics of a minibatch are those of training: the loss of a step that hardly moves.
    let isNormalised = model.parameters.contains { $0.specification.role == .gamma }
    let evaluator = { (model: MultiTaskModel) in
      guard isNormalised else { return try Evaluator(model, batchSize: 5, threads: 1).evaluate(samples).loss }
      let still = try Trainer(model, optimizer: .sgd(learningRate: 1e-30), threads: 1)
      return try still.fit(samples, epochs: 1, batchSize: count).epochs[0].training.loss
    }
    for (parameter, stepped) in zip(model.parameters, try trainer.state().parameters)
    where parameter.specification.role.isTrained {
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
    #expect(found.map(\.values) == expected.map(\.values))
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
      name: "random", count: 4, inputs: samples.streams[0].inputs,
      targets: ["itm": try #require(samples.target(of: "item"))])
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
}
