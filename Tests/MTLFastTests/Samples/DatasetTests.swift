// SPDX-License-Identifier: Apache-2.0
// Columns that don't belong together are refused when a data set is made of them.

import MTLFast
import Testing

struct DatasetTests {
  private let pixels = InputColumn.bytes(shape: [1, 2, 1], values: [1, 2, 3, 4])

  @Test func countsSamples() throws {
    let label = LabelColumn(values: [-1, 1], classNames: ["a", "b"])
    #expect(try Dataset(name: "d", inputs: ["image": pixels], labels: ["label": label]).count == 2)
  }

  @Test func refusesColumnsOfDifferentCounts() {
    let label = LabelColumn(values: [0], classNames: ["a"])
    expectError(
      .badData, "d: 'image' has 2 samples but 'label' has 1. The files don't belong together."
    ) { try Dataset(name: "d", inputs: ["image": pixels], labels: ["label": label]) }
  }

  @Test func refusesPartsOfSamples() {
    let floats = InputColumn.floats(shape: [3], values: [1, 2, 3, 4])
    expectError(.badData, "d: 'features' has 4 values, not a whole number of samples of shape 3.") {
      try Dataset(name: "d", inputs: ["features": floats], labels: [:])
    }
  }

  @Test(arguments: [-2, 2] as [Int32]) func refusesLabelsWithoutAClass(value: Int32) {
    let label = LabelColumn(values: [0, value], classNames: ["a", "b"])
    expectError(
      .badData,
      "d: 'label' is \(value) at row 1 but has 2 classes (0...1). The file is damaged or of another data set."
    ) { try Dataset(name: "d", inputs: ["image": pixels], labels: ["label": label]) }
  }

  @Test func refusesNothing() {
    expectError(.badData, "d: has no columns.") { try Dataset(name: "d", inputs: [:], labels: [:]) }
    expectError(.badData, "d: has no samples.") {
      try Dataset(name: "d", inputs: ["x": .floats(shape: [3], values: [])], labels: [:])
    }
  }
}
