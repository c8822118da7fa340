// SPDX-License-Identifier: Apache-2.0
// Options that change a recipe meet the same checks, and errors name the option.

import MTLFastRecipes
import Testing

@Suite struct RecipeOverridesTests {
  private func parse(_ overrides: RecipeOverride...) throws -> Recipe {
    try Recipe.parse(RecipeTexts.small, file: "my.yaml", overrides: overrides)
  }

  @Test func valuesAreReplacedAndAdded() throws {
    let recipe = try parse(
      .set("training.epochs=3"), .set("model.trunk.layers.0.conv2d.filters=6"),
      .set("training.optimizer={sgd: {momentum: 0.9}}"), .training("seed", "18446744073709551615", option: "--seed"))
    #expect(recipe.training.epochs == 3)
    #expect(recipe.training.seed == .max)
    #expect(recipe.training.optimizer == .sgd(learningRate: 0.01, momentum: 0.9))
    #expect(recipe.nodes[0].layers[0].layer.settings.hasPrefix("6@3x3"))
  }

  @Test func aMissingMappingIsMade() throws {
    let text = RecipeTexts.small([19: "", 20: ""])
    let recipe = try Recipe.parse(text, file: "my.yaml", overrides: [.set("training.optimizer.adam.beta1=0.5")])
    #expect(recipe.training.optimizer == .adam(beta1: 0.5))
  }

  @Test func lambdaSetsBothWeights() throws {
    #expect(try parse(.lambda("0.9")).heads.map(\.weight) == [0.9, 0.1])
    #expect(try parse(.lambda("1")).heads.map(\.weight) == [1, 0])
  }

  @Test func pixelScaleSetsImageInputs() throws {
    #expect(try parse(.pixelScale("1")).inputs[0].scale.value == 1)
    #expect(try parse(.pixelScale("1/127.5")).inputs[0].scale.description == "1/127.5")
  }

  @Test(arguments: [
    ("training", "usage set training: lacks '='. Write path=value, such as training.epochs=3."),
    (
      "training..epochs=3",
      "usage set training..epochs=3: 'training..epochs' is no path. Join keys by dots: training.epochs."
    ),
    (
      "training.epoch=3",
      "usage set training.epoch=3: unknown key 'epoch' in training. Known keys: batch_size, best, best_per_task, early_stopping, epochs, freeze, gradient_clipping, optimizer, report, schedule, seed. Did you mean 'epochs'?"
    ),
    (
      "training.epochs=",
      "usage set training.epochs=: epochs must be a whole number from 1 to 1000000. Received: nothing."
    ),
    (
      "training.batch_size.x=1",
      "usage set training.batch_size.x=1: 'training.batch_size' is '8', not a mapping, so it has no 'x'."
    ),
    (
      "model.trunk.layers.3=relu",
      "usage set model.trunk.layers.3=relu: 'model.trunk.layers' is a list of 3. Name an entry by its index, 0 to 2. Received: '3'."
    ),
    (
      "model.trunk.layers.0.conv2d.kernel=29",
      "usage set model.trunk.layers.0.conv2d.kernel=29: Node 'trunk.conv2d_1': conv2d: a 29x29 window does not fit into the 28x28 image with valid padding. Use a smaller window, 'same' padding or fewer pools before it."
    ),
    (
      "heads.item={",
      "usage set heads.item={: is not valid YAML: while parsing a flow node did not find expected node content."
    ),
  ])
  func aMistakeNamesTheOption(assignment: String, message: String) {
    #expect(failure { try parse(.set(assignment)) } == message)
  }

  @Test(arguments: ["-0.1", "1.5", "half", ""])
  func lambdaOutsideItsRange(value: String) {
    #expect(
      failure { try parse(.lambda(value)) }
        == "usage lambda \(value): lambda must be a number from 0 to 1. Received: '\(value)'.")
  }

  @Test func lambdaNeedsTwoHeads() throws {
    let text = try Recipe.parse(RecipeTexts.small, file: "my.yaml").singleTask("item").yaml()
    #expect(
      failure { try Recipe.parse(text, file: "my.yaml", overrides: [.lambda("0.5")]) }
        == "usage lambda 0.5: lambda weighs two heads but the recipe has 1 (item). Set each weight: heads.item.weight=0.5."
    )
  }

  @Test func pixelScaleNeedsAnImage() {
    let text = """
      {recipe: 1, name: v, data: {source: fashion-mnist}, inputs: {v: {shape: [4]}}, tasks: {t: {labels: label}},
       heads: {t: {from: v}}}
      """
    #expect(
      failure { try Recipe.parse(text, file: "my.yaml", overrides: [.pixelScale("1")]) }
        == "usage pixel scale 1: the recipe has no image input.")
  }
}
