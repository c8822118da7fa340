// SPDX-License-Identifier: Apache-2.0
// The made-up tasks are what their documentation says, and the same for the same seed.

import MTLFast
import MTLFastData
import Testing

struct SyntheticTasksTests {
  private func floats(_ column: InputColumn?) -> [Float] {
    if case .floats(_, let values)? = column { values } else { [] }
  }

  private func bytes(_ column: InputColumn?) -> [UInt8] {
    if case .bytes(_, let values)? = column { values } else { [] }
  }

  private func mask(_ dataset: Dataset) -> [UInt8] {
    if case .mask(let column)? = dataset.targets["segmentation"] { column.values } else { [] }
  }

  private func values(_ dataset: Dataset) -> [Float] {
    if case .values(let column)? = dataset.targets["regression"] { column.values } else { [] }
  }

  @Test func columnsAreThoseOfTheDocumentation() throws {
    let splits = try SyntheticTasks.simultaneous(seed: 1)
    #expect(splits.training.name == "simultaneous training")
    #expect(splits.training.count == 1000)
    #expect(splits.test?.count == 200)
    #expect(
      splits.training.inputs.mapValues(\.shape) == ["features": [10], "image": [32, 32, 3], "measurements": [5]])
    #expect(splits.training.targets.keys.sorted() == ["classification", "regression", "segmentation"])
    #expect(splits.training.labels["classification"]?.classNames == ["negative", "positive"])
  }

  @Test func labelsFollowTheRuleButForATenth() throws {
    let dataset = try SyntheticTasks.simultaneous(seed: 2).training
    let x = floats(dataset.inputs["features"])
    let labels = dataset.labels["classification"]?.values ?? []
    let right = (0..<1000).count { row in
      let a = x[10 * row..<10 * row + 5].reduce(0, +) / 5
      let b = x[10 * row + 5..<10 * row + 10].reduce(0, +) / 5
      return labels[row] == (a * (b + 0.5) > 0 ? 1 : 0)
    }
    #expect(right == 900)
    #expect((400...600).contains(labels.count { $0 == 1 }))
  }

  @Test func valuesFollowTheFormula() throws {
    let dataset = try SyntheticTasks.simultaneous(seed: 3).training
    let m = floats(dataset.inputs["measurements"])
    for (row, value) in values(dataset).enumerated() {
      let i = 5 * row
      let expected = 0.5 * m[i] + 0.5 * m[i + 1] * m[i + 1] + 0.4 * m[i + 2] * m[i + 3] + 0.3 * m[i + 4]
      #expect(abs(value - expected) <= 0.2 + 1e-5)
    }
  }

  /// A pixel is inside exactly where it is far from grey; both signs occur in every colour.
  @Test func masksAreTheDiscs() throws {
    let dataset = try SyntheticTasks.simultaneous(seed: 4, trainingCount: 50, testCount: 1).training
    let pixels = bytes(dataset.inputs["image"])
    let mask = mask(dataset)
    #expect(pixels.count == mask.count)
    var signs: Set<String> = []
    for (index, (pixel, inside)) in zip(pixels, mask).enumerated() {
      #expect(inside == (abs(Int(pixel) - 128) > 90 ? 1 : 0))
      if inside == 1 { signs.insert("\(index % 3) \(pixel > 128)") }
    }
    #expect(signs.count == 6)
    for disc in 0..<150 {
      let area = (0..<1024).count { mask[(disc / 3 * 1024 + $0) * 3 + disc % 3] == 1 }
      #expect((149...317).contains(area), "the discs of radius 7 and 10 hold 149 and 317 pixels")
    }
  }

  @Test func theSeedDecides() throws {
    let small = try SyntheticTasks.simultaneous(seed: 5, trainingCount: 20, testCount: 10)
    let same = try SyntheticTasks.simultaneous(seed: 5, trainingCount: 20, testCount: 3)
    let other = try SyntheticTasks.simultaneous(seed: 6, trainingCount: 20, testCount: 10)
    func image(_ dataset: Dataset?) -> [UInt8] { bytes(dataset?.inputs["image"]) }
    #expect(image(small.training) == image(same.training))
    #expect(values(small.training) == values(same.training))
    #expect(image(small.test).prefix(3 * 3072) == image(same.test)[...])
    #expect(image(small.training) != image(other.training))
    #expect(image(small.training).prefix(3072) != image(small.test).prefix(3072))
    // Written down once: another platform has to find the same.
    #expect(image(small.training).prefix(6) == [125, 139, 131, 133, 121, 112])
    #expect(values(small.training).prefix(2) == [2.2209601, -0.03876681])
  }

  @Test func refusesCountsThatAreNone() {
    expectError(.usage, "simultaneous: 0 test samples were asked for. Choose 1 to 1000000.") {
      try SyntheticTasks.simultaneous(seed: 0, testCount: 0)
    }
  }
}
