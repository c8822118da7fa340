// SPDX-License-Identifier: Apache-2.0
// Evaluation and prediction where inputs are absent or streams have unequal lengths.

import Kernels
import MTLFast
import MTLFastTraining
import Testing

@Suite struct EvaluatorTests {
  /// Two inputs with a head each, and a head of both.
  private func model(joint: Bool = true) throws -> MultiTaskModel {
    var graph = ModelGraph()
    let a = try graph.add(
      [Dense(units: 6, activation: .sigmoid)], prefix: "left", reading: try graph.addInput("a", shape: [4]))
    let b = try graph.add(
      [Conv2D(filters: 3, kernelSize: 3, padding: .same), BatchNorm(), ReLU(), Flatten()], prefix: "right",
      reading: try graph.addInput("b", shape: [5, 5, 1]))
    let both = try graph.add(Concatenate(), named: "both", reading: [a, b])
    var heads: [(String, Head.Task, Int)] = [
      ("kind", .classification(classNames: ["cat", "dog", "cow"]), a),
      ("size", .regression([RegressionTarget("size", mean: 100, standardDeviation: 10)]), b),
    ]
    if joint { heads.append(("joint", .classification(classNames: ["no", "yes"]), both)) }
    for (name, task, node) in heads {
      let logits = try graph.addOutput(task, loss: nil, named: name, reading: node)
      try graph.addHead(Head(name: name, logits: logits, task: task))
    }
    return try MultiTaskModel(graph: graph, seed: 2)
  }

  private func input(_ name: String, count: Int) -> (String, Samples.Input) {
    let shape: Shape = name == "a" ? [4] : [5, 5, 1]
    let values = RandomStream(seed: 5, purpose: name).uniform(count: count * shape.elementCount, limit: 1)
    return (name, .init(column: .floats(shape: shape, values: values)))
  }

  private func stream(_ name: String, _ inputs: [String], count: Int, labels: Bool = false) -> Samples.Stream {
    var targets: [String: TargetColumn] = [:]
    if labels, inputs.contains("a") {
      targets["kind"] = .classes(
        LabelColumn(values: (0..<count).map { Int32($0 % 3) }, classNames: ["cat", "dog", "cow"]))
    }
    if labels, inputs.contains("b") {
      targets["size"] = .values(ValueColumn(names: ["size"], values: (0..<count).map { 80 + Float($0) }))
    }
    return Samples.Stream(
      name: name, count: count,
      inputs: Dictionary(uniqueKeysWithValues: inputs.map { input($0, count: count) }), targets: targets)
  }

  @Test func headsWithoutTheirInputsAreLeftOut() throws {
    let model = try model()
    func predict(_ inputs: [String]) throws -> [(head: String, values: [[Float]])] {
      try Evaluator(model, batchSize: 4, threads: 2, predicts: true)
        .predict(Samples(name: "rows", streams: [stream("rows", inputs, count: 11)]), at: Array(0..<11))
    }
    let all = try predict(["a", "b"])
    #expect(all.map(\.head) == ["kind", "size", "joint"])
    #expect(all.allSatisfy { $0.values.count == 11 })
    for (inputs, head) in [(["a"], "kind"), (["b"], "size")] {
      let some = try predict(inputs)
      #expect(some.map(\.head) == [head])
      #expect(some[0].values == all.first { $0.head == head }?.values, "what isn't there changes nothing")
    }
    #expect(all[0].values.allSatisfy { abs($0.reduce(0, +) - 1) < 1e-5 })
    #expect(
      throws: MTLFastError(.usage, "rows: no head can be predicted. They need a, b, a and b as inputs.")
    ) { _ = try predict([]) }
  }

  /// A sample that a shorter stream doesn't have has no values for its heads.
  @Test func aShorterStreamHasNoValuesBeyondItsEnd() throws {
    let samples = Samples(name: "two", streams: [stream("short", ["a"], count: 2), stream("long", ["b"], count: 5)])
    let found = try Evaluator(model(joint: false), batchSize: 2, threads: 1, predicts: true).predict(
      samples, at: [4, 1, 2])
    #expect(found.map(\.head) == ["kind", "size"])
    #expect(found[0].values.map(\.count) == [0, 3, 0])
    #expect(found[1].values.map(\.count) == [1, 1, 1])
  }

  @Test func wrongCallsAreErrors() throws {
    let model = try model()
    let samples = Samples(name: "rows", streams: [stream("rows", ["a", "b"], count: 3, labels: true)])
    let predicting = try Evaluator(model, threads: 1, predicts: true)
    #expect(throws: MTLFastError(.usage, "rows: there is no sample 3. Use 0...2.")) {
      _ = try predicting.predict(samples, at: [0, 3])
    }
    #expect(throws: MTLFastError(.usage, "This evaluator was made to predict, not to evaluate.")) {
      _ = try predicting.evaluate(samples)
    }
    #expect(throws: MTLFastError(.usage, "This evaluator was made to evaluate, not to predict.")) {
      _ = try Evaluator(model, threads: 1).predict(samples, at: [0])
    }
    #expect(throws: MTLFastError(.badData, "rows: input 'a' is 5x5x1 but the model expects 4.")) {
      let swapped = Samples(
        name: "rows", count: 3, inputs: ["a": input("b", count: 3).1], targets: [:])
      _ = try predicting.predict(swapped, at: [0])
    }
  }

  /// Each row of each stream is scored once, and the longer stream's rows don't count for the shorter one's head.
  @Test(arguments: [1, 4, 32]) func streamsOfUnequalLengthAreScoredRowByRow(batchSize: Int) throws {
    let model = try model(joint: false)
    let (left, right) = (
      stream("left", ["a"], count: 29, labels: true), stream("right", ["b"], count: 10, labels: true)
    )
    func scores(_ streams: [Samples.Stream]) throws -> Scores {
      try Evaluator(model, batchSize: batchSize, threads: 2)
        .evaluate(Samples(name: "streams", streams: streams), collectsConfusion: true)
    }
    let both = try scores([left, right])
    let kind = try #require(both["kind"])
    #expect(kind.present == 29)
    #expect(kind.confusion?.map { $0.reduce(0, +) } == [10, 10, 9])
    #expect(both["size"]?.present == 10)
    // The same as each alone.
    #expect(kind == (try scores([left]))["kind"])
    #expect(try scores([left])["size"]?.present == 0)
    let alone = try #require(try scores([right])["size"])
    let size = try #require(both["size"])
    #expect(size.metrics.map(\.value) == alone.metrics.map(\.value) && size.loss == alone.loss)
    #expect(abs(both.loss - (try #require(kind.loss)) - (try #require(size.loss))) < 1e-12)
  }

  /// The metrics of an evaluation are those of its predictions.
  @Test func scoresAreThoseOfThePredictions() throws {
    let model = try model(joint: false)
    let samples = Samples(name: "rows", streams: [stream("rows", ["a", "b"], count: 17, labels: true)])
    let scores = try Evaluator(model, batchSize: 5, threads: 2).evaluate(samples)
    let predicted = try Evaluator(model, batchSize: 5, threads: 2, predicts: true).predict(samples, at: Array(0..<17))
    let right = predicted[0].values.enumerated().count { row, values in values[row % 3] == values.max() }
    #expect(scores["kind"]?.accuracy == Double(right) / 17)
    let errors = predicted[1].values.enumerated().map { row, values in abs(Double(values[0]) - 80 - Double(row)) }
    let mean = errors.reduce(0, +) / 17
    #expect(abs(try #require(scores["size"]?[.meanAbsoluteError]) - mean) < 1e-4, "in the target's unit")
    let square = (errors.reduce(0) { $0 + $1 * $1 } / 17).squareRoot()
    #expect(abs(try #require(scores["size"]?[.rootMeanSquaredError]) - square) < 1e-4)
    // The labels 80, 81, ... 96 have a sum of squared deviations of 408.
    #expect(abs(try #require(scores["size"]?[.r2]) - (1 - square * square * 17 / 408)) < 1e-4)
  }
}
