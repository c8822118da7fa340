// SPDX-License-Identifier: Apache-2.0
// A written recipe, parsed again, is the same recipe.

import MTLFast
import MTLFastRecipes
import Testing

@Suite struct RecipeWriterTests {
  @Test func whatIsWrittenIsReadAgain() throws {
    for text in BuiltInRecipe.all.map(\.text) + [RecipeTexts.small] {
      let recipe = try Recipe.parse(text, file: "my.yaml")
      #expect(try Recipe.parse(recipe.yaml(), file: "again.yaml") == recipe)
      #expect(try Recipe.parse(recipe.yaml(), file: "again.yaml").yaml() == recipe.yaml())
    }
  }

  @Test func everySettingIsKept() throws {
    var recipe = try Recipe.parse(RecipeTexts.small, file: "my.yaml")
    recipe.nodes[0].layers = [
      .conv2D(
        Conv2D(
          filters: 3, kernelSize: (3, 5), stride: (2, 1),
          padding: .explicit(top: 1, bottom: 0, left: 2, right: 1), activation: .sigmoid, initializer: .heUniform)),
      .avgPool2D(AvgPool2D(poolSize: (2, 3), stride: (1, 2), padding: .same)),
      .maxPool2D(MaxPool2D(poolSize: 2)), .relu(ReLU()), .sigmoid(Sigmoid()), .dropout(Dropout(rate: 0.1)),
      .flatten(Flatten()), .dense(Dense(units: 7, activation: .relu, initializer: .zeros)),
    ]
    recipe.training = Recipe.Training(
      optimizer: .sgd(learningRate: 0.1, momentum: 0.95), batchSize: 1, epochs: 1, seed: .max, report: .test,
      schedule: LearningRateSchedule(.oneCycle(peak: 0.1, start: 0.2, final: 1e-7), warmUp: 1.0 / 3),
      gradientClipping: 0.1, freeze: ["trunk", "item.dense_1"], best: "item.accuracy - 0.1*loss", bestPerTask: true,
      earlyStopping: Recipe.EarlyStopping(patience: 3, on: "loss", minDelta: 1e-9))
    recipe.data.streams[0].validation = .fraction(Recipe.Fraction(0.1))
    recipe.tasks[0].target = .labels(
      Recipe.Labels(
        column: "label",
        classes: .names(["yes", "no", "1", "", "a: b", "\"quoted\"", "tab\t", "Größe", "#x", "\u{2028}"])))
    recipe.heads[0].weight = 0.1
    #expect(try Recipe.parse(recipe.yaml(), file: "again.yaml") == recipe)
  }

  @Test func theTextIsStable() throws {
    let recipe = try Recipe.parse(RecipeTexts.small, file: "my.yaml")
    #expect(
      try recipe.yaml() == """
        recipe: 1
        name: small

        data: {source: fashion-mnist, validation: none}

        inputs:
          image: {shape: [28, 28, 1], scale: 1/255, normalize: false}

        tasks:
          item: {labels: label}
          group: {labels: label, map: {shoes: [5, 7, 9], "other one": [0, 1]}}

        model:
          trunk:
            from: image
            layers:
            - conv2d: {filters: 4, kernel: 3, stride: 1, padding: valid, activation: none, initializer: glorot_uniform}
            - max_pool2d: {size: 2, stride: 2, padding: valid}
            - flatten

        heads:
          item:
            from: trunk
            layers:
            - dense: {units: 10, activation: none, initializer: glorot_uniform}
            weight: 0.5
          group:
            from: item.logits
            layers: []
            weight: 1

        training:
          optimizer: {adam: {learning_rate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-07}}
          batch_size: 8
          epochs: 10
          seed: 0
          report: none

        """)
  }
}
