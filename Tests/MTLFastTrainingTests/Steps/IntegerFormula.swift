// SPDX-License-Identifier: Apache-2.0
// Weights, pixels and labels by the integer formula of Tests/Golden/README.md: the same here and in the generator.

import MTLFast
import MTLFastTraining

func mixed(_ index: UInt32, _ stream: UInt32) -> UInt32 {
  var x = index &* 2_654_435_761 &+ stream &* 2_246_822_519
  x = (x ^ x >> 16) &* 0x85EB_CA6B
  x = (x ^ x >> 13) &* 0xC2B2_AE35
  return x ^ x >> 16
}

/// Initial values of a kernel in plain layout.
func formulaWeights(_ specification: ParameterSpecification, stream: UInt32) -> [Float] {
  let limit = Float((6 / Double(specification.fanIn + specification.fanOut)).squareRoot())
  return (0..<UInt32(specification.elementCount)).map {
    Float(Int32(bitPattern: mixed($0, stream) >> 8) - 8_388_608) * 0x1p-23 * limit
  }
}

let groupOfItem: [Int32] = [2, 2, 2, 1, 2, 0, 1, 0, 1, 0]

/// The samples `first..<first + count` of the formula.
func formulaSamples(first: Int, count: Int, missing: (Int) -> Bool = { _ in false }) -> Samples {
  var pixels: [UInt8] = []
  var items: [Int32] = []
  var groups: [Int32] = []
  pixels.reserveCapacity(count * 784)
  for n in first..<first + count {
    let item = mixed(UInt32(n), 9) % 10
    items.append(Int32(item))
    groups.append(missing(n) ? -1 : groupOfItem[Int(item)])
    for row in 0..<28 {
      for column in 0..<28 {
        let noise = mixed(UInt32(n * 784 + row * 28 + column), 10) % 64
        let pattern = mixed(item * 16 + UInt32(row / 7 * 4 + column / 7), 11) & 1
        pixels.append(UInt8(noise + (pattern == 1 ? 192 : 0)))
      }
    }
  }
  let names = { (count: Int) in (0..<count).map(String.init) }
  return Samples(
    name: "formula", count: count,
    inputs: ["input": .init(column: .bytes(shape: [28, 28, 1], values: pixels), scale: Float(1.0 / 255.0))],
    labels: [
      "item": LabelColumn(values: items, classNames: names(10)),
      "group": LabelColumn(values: groups, classNames: names(3)),
    ])
}

/// The net of the fashion-mnist recipe; `weights` are the loss weights of item and group, nil for a head left out.
func fashionModel(item: Float? = 0.5, group: Float? = 0.5, seed: UInt64 = 0) throws -> MultiTaskModel {
  var heads: [HeadDescription] = []
  let hidden: [any Layer] = [Dense(units: 100, activation: .relu)]
  if let item { heads.append(.classification("item", classes: 10, layers: hidden, weight: item)) }
  if let group { heads.append(.classification("group", classes: 3, layers: hidden, weight: group)) }
  return try MultiTaskModel(
    input: .image(height: 28, width: 28, channels: 1),
    trunk: [
      Conv2D(filters: 32, kernelSize: 3, activation: .relu), MaxPool2D(poolSize: 2),
      Conv2D(filters: 64, kernelSize: 3, activation: .relu), MaxPool2D(poolSize: 2),
      Conv2D(filters: 128, kernelSize: 3, activation: .relu), Flatten(), Dense(units: 1024, activation: .relu),
    ],
    heads: heads, seed: seed)
}

/// Keeps every step's record.
final class StepRecorder: Callback {
  var steps: [StepRecord] = []
  func stepDidEnd(_ record: StepRecord, state: () throws -> TrainingState) { steps.append(record) }
}
