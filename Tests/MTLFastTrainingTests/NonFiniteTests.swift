// SPDX-License-Identifier: Apache-2.0
// A training that meets NaN or infinity stops at once and says where.

import MTLFast
import MTLFastTraining
import Testing

@Suite struct NonFiniteTests {
  private func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "no error"
    } catch let error as MTLFastError {
      return error.kind == .nonFinite ? error.message : "\(error.kind): \(error.message)"
    } catch {
      return "\(error)"
    }
  }

  @Test(arguments: [1, 2, 3])
  func theLossAndTheNodeWhereItBeganAreNamed(threads: Int) throws {
    let model = try fashionModel()
    let name = "trunk.conv2d_2.kernel"
    var values = try #require(model.parameters.first { $0.name == name }).values
    values[100] = .infinity
    try model.setParameter(name, to: values)
    let before = model.parameters.map(\.values)
    let trainer = try Trainer(model, optimizer: .adam(), threads: threads)
    let message = message { _ = try trainer.fit(formulaSamples(first: 0, count: 96), epochs: 1, batchSize: 48) }
    #expect(
      message
        == "Step 1 (epoch 1): the loss of task 'item' is not a finite number. The first output that is not is that of node 'trunk.conv2d_2'. Use a smaller learning rate or gradient_clipping, or check the inputs' scale."
    )
    // The step ended before it touched a weight.
    #expect(try trainer.state().parameters.map(\.values) == before)
  }

  /// A head that is broken doesn't keep the others from being scored.
  @Test func anEvaluationGoesOn() throws {
    let samples = formulaSamples(first: 0, count: 96)
    let whole = try Evaluator(fashionModel(seed: 4), batchSize: 32).evaluate(samples)
    let model = try fashionModel(seed: 4)
    let name = "item.dense_1.kernel"
    var values = try #require(model.parameters.first { $0.name == name }).values
    values[7] = .nan
    try model.setParameter(name, to: values)
    let broken = try Evaluator(model, batchSize: 32).evaluate(samples)
    #expect(broken["item"]?.loss?.isNaN == true)
    #expect(broken["group"] == whole["group"])
  }

  /// A finite loss whose gradient overflows.
  @Test(arguments: [nil, 1] as [Float?])
  func theNodeOfAGradientIsNamed(clipping: Float?) throws {
    var graph = ModelGraph()
    let input = try graph.addInput("x", shape: .vector(4))
    let hidden = try graph.add(Dense(units: 8), named: "trunk.dense_1", reading: input)
    let output = try graph.add(Dense(units: 1), named: "price.output", reading: hidden)
    try graph.addHead(
      Head(
        name: "price", logits: output, task: .regression([RegressionTarget("price")]), loss: .meanAbsoluteError
      ))
    let model = try MultiTaskModel(graph: graph, seed: 1)
    try model.setParameter("trunk.dense_1.kernel", to: [Float](repeating: 0, count: 32))
    try model.setParameter("price.output.kernel", to: [Float](repeating: 1e30, count: 8))
    let samples = Samples(
      name: "prices", count: 4,
      inputs: ["x": .init(column: .floats(shape: [4], values: [Float](repeating: 1e10, count: 16)))],
      targets: ["price": .values(ValueColumn(names: ["price"], values: [1, 2, 3, 4]))])
    let trainer = try Trainer(model, optimizer: .sgd(), gradientClipping: clipping)
    let message = message { _ = try trainer.fit(samples, epochs: 1, batchSize: 4) }
    #expect(message.hasPrefix("Step 1 (epoch 1): the gradient of node '"))
    #expect(message.contains("from the loss of task 'price'."))
    if clipping == nil { #expect(message.contains("node 'trunk.dense_1'")) }
  }
}
