// SPDX-License-Identifier: Apache-2.0
// The example of docs/swift.md: one trunk, two heads, trained on Fashion-MNIST.

import MTLFast
import MTLFastData
import MTLFastTraining

let model = try MultiTaskModel(
  input: .image(height: 28, width: 28, channels: 1),
  trunk: [
    Conv2D(filters: 32, kernelSize: 3, activation: .relu), MaxPool2D(poolSize: 2),
    Conv2D(filters: 64, kernelSize: 3, activation: .relu), MaxPool2D(poolSize: 2),
    Flatten(), Dense(units: 128, activation: .relu),
  ],
  heads: [
    .classification("item", classes: 10, weight: 0.5),
    .classification("group", classNames: ["shoes", "gendered", "uni-sex"], weight: 0.5),
  ],
  seed: 7)

/// Binds a split's columns to the model's input and heads; the group of a garment follows from its item.
func samples(of split: Dataset) throws -> Samples {
  guard let images = split.inputs["image"], let items = split.labels["label"] else {
    throw MTLFastError(.badData, "\(split.name): has no images or no labels.")
  }
  let groupOfItem: [Int32] = [2, 2, 2, 1, 2, 0, 1, 0, 1, 0]
  let groups = LabelColumn(
    values: items.values.map { groupOfItem[Int($0)] }, classNames: ["shoes", "gendered", "uni-sex"])
  return Samples(
    name: split.name, count: split.count, inputs: ["input": .init(column: images, scale: 1 / 255)],
    labels: ["item": items, "group": groups])
}

let splits = try DatasetSearch().locate(.fashionMNIST).loadSplits()
let (training, test) = (try samples(of: splits.training), try samples(of: splits.test))

let trainer = try Trainer(model, optimizer: .adam(learningRate: 1e-3, beta1: 0.5))
let history = try trainer.fit(training, test: test, epochs: 2, batchSize: 200)
for epoch in history.epochs { print(epoch.epoch, epoch.test?["item"]?.accuracy ?? .nan) }

let scores = try trainer.evaluate(test)
print("group:", scores["group"]?.accuracy ?? .nan)
