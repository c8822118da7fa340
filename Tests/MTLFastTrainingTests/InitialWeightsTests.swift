// SPDX-License-Identifier: Apache-2.0
// Weights of another training as first ones: which are taken, which are left, and what doesn't fit.

import MTLFast
import MTLFastTraining
import Testing

@Suite struct InitialWeightsTests {
  /// A trunk that heads read; each has a layer of its own before its output.
  private func model(_ heads: [String], units: Int = 5, trunk: String = "trunk", seed: UInt64) throws -> MultiTaskModel
  {
    var graph = ModelGraph()
    let input = try graph.addInput("input", shape: [4])
    let end = try graph.add([Dense(units: units), Sigmoid(), Dense(units: 3)], prefix: trunk, reading: input)
    for name in heads {
      let own = try graph.add([Dense(units: 6)], prefix: name, reading: end)
      let logits = try graph.add(Dense(units: 2), named: "\(name).logits", reading: own)
      try graph.addHead(Head(name: name, logits: logits, task: .classification(classNames: ["a", "b"])))
    }
    return try MultiTaskModel(graph: graph, seed: seed)
  }

  private func state(_ model: MultiTaskModel) throws -> TrainingState {
    try Trainer(model, optimizer: .adam(), threads: 1).state()
  }

  private let trunk = ["trunk.dense_1.kernel", "trunk.dense_1.bias", "trunk.dense_2.kernel", "trunk.dense_2.bias"]

  /// Expects the named parameters to be those of `given`, and all others to be as drawn.
  private func expect(
    _ model: MultiTaskModel, takes names: [String], of given: MultiTaskModel, seed: UInt64, _ heads: [String]
  ) throws {
    let drawn = try self.model(heads, seed: seed)
    for parameter in model.parameters {
      let source = names.contains(parameter.name) ? given : drawn
      #expect(parameter.values == source[parameter: parameter.name]?.values, "\(parameter.name)")
    }
  }

  @Test func theTrunkAloneIsTaken() throws {
    let (given, started) = (try model(["item"], seed: 1), try model(["item", "group"], seed: 2))
    #expect(try started.start(from: state(given), node: nil, source: "run") == trunk)
    try expect(started, takes: trunk, of: given, seed: 2, ["item", "group"])
  }

  @Test func oneHeadIsTaken() throws {
    let (given, started) = (try model(["item", "group"], seed: 1), try model(["item", "group"], seed: 2))
    let head = ["group.dense_1.kernel", "group.dense_1.bias", "group.logits.kernel", "group.logits.bias"]
    #expect(try started.start(from: state(given), node: "group", source: "run:group") == head)
    try expect(started, takes: head, of: given, seed: 2, ["item", "group"])
  }

  @Test func oneLayerIsTaken() throws {
    let (given, started) = (try model(["item"], seed: 1), try model(["item"], seed: 2))
    let layer = ["trunk.dense_2.kernel", "trunk.dense_2.bias"]
    #expect(try started.start(from: state(given), node: "trunk.dense_2", source: "run") == layer)
    try expect(started, takes: layer, of: given, seed: 2, ["item"])
  }

  @Test(arguments: [
    (
      "trunck",
      "run: the model has no weights in 'trunck'. It has trunk.dense_1.kernel,"
        + " trunk.dense_1.bias, trunk.dense_2.kernel, trunk.dense_2.bias, item.dense_1.kernel, item.dense_1.bias,"
        + " item.logits.kernel, item.logits.bias."
    ),
    (
      "item",
      "run: the checkpoint has no 'item.dense_1.kernel' for 'item'. It has trunk.dense_1.kernel,"
        + " trunk.dense_1.bias, trunk.dense_2.kernel, trunk.dense_2.bias, group.dense_1.kernel, group.dense_1.bias,"
        + " group.logits.kernel, group.logits.bias."
    ),
  ])
  func anUnknownNodeIsRefused(node: String, message: String) throws {
    let started = try model(["item"], seed: 2)
    let given = try state(model(["group"], seed: 1))
    #expect(throws: MTLFastError(.usage, message, remedy: .changingInitialWeights)) {
      _ = try started.start(from: given, node: node, source: "run")
    }
    #expect(started.parameters.map(\.values) == (try model(["item"], seed: 2)).parameters.map(\.values))
  }

  @Test func shapesThatDoNotFitAreNamedAndNothingIsTaken() throws {
    let started = try model(["item"], seed: 2)
    let given = try state(model(["item"], units: 7, seed: 1))
    #expect(
      throws: MTLFastError(
        .usage,
        "run: shapes don't fit: 'trunk.dense_1.kernel' is [4, 7] there but [4, 5] in the model; 'trunk.dense_1.bias' is [7] there but [5] in the model; 'trunk.dense_2.kernel' is [7, 3] there but [5, 3] in the model. Use the same layers, or name a node that fits.",
        remedy: .changingInitialWeights)
    ) { _ = try started.start(from: given, node: nil, source: "run") }
    #expect(started.parameters.map(\.values) == (try model(["item"], seed: 2)).parameters.map(\.values))
    // What fits can be named.
    #expect(try started.start(from: given, node: "item", source: "run").count == 4)
  }

  @Test func nothingInCommonIsRefused() throws {
    let started = try model(["item"], seed: 2)
    let given = try state(model(["item"], trunk: "body", seed: 1))
    #expect(
      throws: MTLFastError(
        .usage,
        "run: model and checkpoint have no weights of the same name outside heads. Name a node: RUN:NODE.",
        remedy: .changingInitialWeights)
    ) { _ = try started.start(from: given, node: nil, source: "run") }
  }
}
