// SPDX-License-Identifier: Apache-2.0
// A program that trains on samples of its own: whether two numbers are of one sign, and their product.

import MTLFast
import MTLFastTraining

let count = 256
let numbers = (0..<2 * count).map { Float(($0 * 7919) % 401) / 200 - 1 }
let products = (0..<count).map { numbers[2 * $0] * numbers[2 * $0 + 1] }
let samples = Samples(
  name: "numbers", count: count, inputs: ["input": .init(column: .floats(shape: [2], values: numbers))],
  targets: [
    "sign": .classes(LabelColumn(values: products.map { $0 > 0 ? 1 : 0 }, classNames: ["different", "same"])),
    "product": .values(ValueColumn(names: ["product"], values: products)),
  ])
let model = try MultiTaskModel(
  input: .vector(2), trunk: [Dense(units: 32, activation: .relu)],
  heads: [
    .classification("sign", classNames: ["different", "same"]),
    .regression("product", targets: [RegressionTarget("product")]),
  ],
  seed: 0)
let trainer = try Trainer(model, optimizer: .adam(learningRate: 0.01))
_ = try trainer.fit(samples, epochs: 30, batchSize: 32)
print(try trainer.evaluate(samples)["sign"]?.accuracy ?? .nan)
