// SPDX-License-Identifier: Apache-2.0
// Label columns mapped as the tasks say, and data that don't fit the recipe.

import MTLFast
import MTLFastData
import MTLFastRecipes
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

  init() throws { recipe = try Recipe.parse(RecipeTexts.small, file: "my.yaml") }

  @Test func labelsAreMapped() throws {
    let samples = try recipe.samples(of: dataset())
    #expect(samples.labels["item"]?.values == [0, 5, 9, 3, -1])
    #expect(samples.labels["item"]?.classNames.last == "class 9")
    // No group names label 3.
    #expect(samples.labels["group"]?.values == [1, 0, 0, -1, -1])
    #expect(samples.labels["group"]?.classNames == ["shoes", "other one"])
    #expect(samples.inputs["image"]?.scale == Float(1) / 255)
    #expect(samples.count == 5)
  }

  @Test func dataThatDoNotFitAreRefused() throws {
    #expect(
      failure { try recipe.samples(of: dataset(shape: [32, 32, 3])) }
        == "badData Recipe 'small': input 'image' has shape 28x28x1 but in made up it is 32x32x3. Set inputs.image.shape to [32, 32, 3]."
    )
    #expect(
      failure { try recipe.samples(of: dataset(labels: [0], classes: 8)) }
        == "badData Task 'group': map names label 9 in 'shoes' but 'label' has 8 classes (0...7).")
    var other = recipe
    other.tasks[0].labels = "lable"
    #expect(
      failure { try other.samples(of: dataset()) }
        == "badData Task 'item': unknown label column 'lable' in fashion-mnist. Known label columns: label. Did you mean 'label'?"
    )
    other = recipe
    other.tasks[0].classes = ["a", "b"]
    #expect(
      failure { try other.samples(of: dataset()) }
        == "badData Task 'item': classes has 2 names but 'label' has 10 classes. Name each.")
  }
}
