// SPDX-License-Identifier: Apache-2.0
// Frozen nodes keep their weights, and the others get the gradients that they would have had.

import MTLFast
import MTLFastTraining
import Testing

@Suite struct FreezingTests {
  private func model() throws -> MultiTaskModel {
    try MultiTaskModel(
      input: .image(height: 28, width: 28, channels: 1),
      trunk: [
        Conv2D(filters: 8, kernelSize: 3, activation: .relu), MaxPool2D(poolSize: 2), BatchNorm(),
        Conv2D(filters: 8, kernelSize: 3), BatchNorm(), ReLU(), Flatten(), Dense(units: 64, activation: .relu),
      ],
      heads: [
        .classification("item", classes: 10, layers: [Dense(units: 300, activation: .relu)]),
        .classification("group", classes: 3),
      ], seed: 3)
  }

  /// The parameters by name, before and after some steps.
  private func train(freezing: [String], steps: Int, threads: Int = 2) throws -> [String: (
    before: [Float], after: [Float]
  )] {
    let model = try model()
    let before = model.parameters.map { ($0.name, $0.values) }
    let trainer = try Trainer(
      model, optimizer: .adam(weightDecay: 0.1), freezing: freezing, threads: threads)
    _ = try trainer.fit(formulaSamples(first: 0, count: 32 * steps), epochs: 1, batchSize: 32)
    let after = try trainer.state().parameters
    return Dictionary(uniqueKeysWithValues: zip(before, after).map { ($0.0, (before: $0.1, after: $1.values)) })
  }

  @Test(arguments: [
    ["trunk"], ["trunk.conv2d_1"], ["trunk.batch_norm_2", "item.dense_1"], ["item", "group"],
    ["trunk.dense_1", "group"],
  ])
  func frozenWeightsStay(names: [String]) throws {
    for (name, values) in try train(freezing: names, steps: 3) {
      let isFrozen = names.contains { name.hasPrefix("\($0).") }
      #expect((values.before == values.after) == isFrozen, "\(name)")
    }
  }

  /// What stands behind a frozen node has the gradient of an unfrozen training in the first step.
  @Test func othersTakeTheSameFirstStep() throws {
    let free = try train(freezing: [], steps: 1)
    let frozen = try train(freezing: ["item.dense_1", "trunk.conv2d_1"], steps: 1)
    for (name, values) in frozen where !name.hasPrefix("item.dense_1") && !name.hasPrefix("trunk.conv2d_1") {
      #expect(values.after == free[name]?.after, "\(name)")
    }
  }

  @Test func threadsChangeNoBit() throws {
    let one = try train(freezing: ["trunk.conv2d_2", "trunk.batch_norm_1"], steps: 2, threads: 1)
    let three = try train(freezing: ["trunk.conv2d_2", "trunk.batch_norm_1"], steps: 2, threads: 3)
    for (name, values) in one { #expect(values.after == three[name]?.after, "\(name)") }
  }

  @Test func namesThatFreezeNothingAreRefused() throws {
    func message(_ names: [String]) throws -> String? {
      do {
        _ = try Trainer(model(), optimizer: .adam(), freezing: names)
        return nil
      } catch let error as MTLFastError { return error.message }
    }
    #expect(try message(["trunk.conv2d_3"])?.hasPrefix("unknown node 'trunk.conv2d_3' in freeze.") == true)
    #expect(try message(["trunk.flatten_1"]) == "'trunk.flatten_1' in freeze has no weights. Leave it out.")
    #expect(
      try message(["trunk", "item", "group"])
        == "freeze holds every layer that has weights, so nothing would be learnt. Leave one out.")
  }
}
