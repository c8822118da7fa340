// SPDX-License-Identifier: Apache-2.0
// Label columns mapped as the tasks say, and data that don't fit the recipe.

import MTLFast
import MTLFastData
import MTLFastRecipes
import MTLFastTraining
import Testing

@Suite struct RecipeDataTests {
  private func dataset(labels: [Int32] = [0, 5, 9, 3, -1], shape: Shape = [28, 28, 1], classes: Int = 10) throws
    -> Dataset
  {
    try Dataset(
      name: "made up",
      inputs: ["image": .bytes(shape: shape, values: [UInt8](repeating: 0, count: labels.count * shape.elementCount))],
      labels: ["label": LabelColumn(values: labels, classNames: (0..<classes).map { "class \($0)" })])
  }

  private let recipe: Recipe

  init() throws { recipe = try Recipe.parse(RecipeTexts.small, file: "my.yaml").withPublishedClasses() }

  private func labels(_ samples: Samples, _ head: String) -> LabelColumn? {
    if case .classes(let column)? = samples.target(of: head) { column } else { nil }
  }

  @Test func labelsAreMapped() throws {
    let samples = try recipe.samples(of: dataset())
    #expect(labels(samples, "item")?.values == [0, 5, 9, 3, -1])
    #expect(labels(samples, "item")?.classNames.last == "Ankle boot")
    // No group names label 3.
    #expect(labels(samples, "group")?.values == [1, 0, 0, -1, -1])
    #expect(labels(samples, "group")?.classNames == ["shoes", "other one"])
    #expect(samples.input(named: "image")?.scale == Float(1) / 255)
    #expect(samples.count == 5)
  }
}
