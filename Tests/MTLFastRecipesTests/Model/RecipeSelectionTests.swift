// SPDX-License-Identifier: Apache-2.0
// What a recipe selects by its validation data, and what it freezes: reading, writing, the words of each mistake.

import MTLFast
import MTLFastRecipes
import Testing

@Suite struct RecipeSelectionTests {
  /// The small recipe with validation data and more lines of training.
  func recipe(validation: String = "{fraction: 0.1}", _ training: String) throws -> Recipe {
    let data = "data: {source: fashion-mnist, validation: \(validation)}"
    return try Recipe.parse(RecipeTexts.small([3: data, 20: "  \(training)"]), file: "my.yaml")
  }

  @Test(
    arguments: [
      ("best: 0.7*item.accuracy + 0.3*group.accuracy", "0.7*item.accuracy + 0.3*group.accuracy", nil),
      ("best: \"loss\"", "loss", nil), ("seed: 3", "loss", nil), ("early_stopping: 5", "loss", "loss"),
      ("best_per_task: true", "loss", nil), ("{best: item.loss, early_stopping: 1}", "item.loss", "item.loss"),
      ("{best: item.loss, early_stopping: {patience: 2, on: group.loss, min_delta: 1e-3}}", "item.loss", "group.loss"),
    ] as [(String, String?, String?)])
  func whatIsSelectedBy(training: String, best: String?, stopping: String?) throws {
    let recipe =
      training.hasPrefix("{")
      ? try Recipe.parse(
        RecipeTexts.small([3: "data: {source: fashion-mnist, validation: test}", 19: "training: \(training)", 20: ""]),
        file: "my.yaml")
      : try recipe(training)
    #expect(try recipe.bestExpression()?.description == best)
    #expect(try recipe.stoppingExpression()?.description == stopping)
    #expect(try Recipe.parse(recipe.yaml(), file: "again.yaml") == recipe)
  }

  @Test func nothingIsSelectedOnTheTestSetUnlessARecipeSaysSo() throws {
    #expect(try recipe(validation: "test", "seed: 1").bestExpression() == nil)
    #expect(try recipe(validation: "none", "seed: 1").bestExpression() == nil)
    #expect(try recipe(validation: "test", "best: loss").bestExpression() == .validationLoss)
    #expect(try recipe(validation: "test", "best_per_task: true").bestExpression() == .validationLoss)
  }

  @Test(arguments: [
    (
      "best: loss",
      "20:9: best needs validation data, but the data name none. Set data.validation, such as {fraction: 0.1}, or leave best out."
    ),
    (
      "best_per_task: true",
      "20:18: best_per_task needs validation data, but the data name none. Set data.validation, such as {fraction: 0.1}, or leave best_per_task out."
    ),
    (
      "early_stopping: 5",
      "20:19: early_stopping needs validation data, but the data name none. Set data.validation, such as {fraction: 0.1}, or leave early_stopping out."
    ),
  ])
  func selectionNeedsValidationData(training: String, message: String) {
    #expect(failure { try recipe(validation: "none", training) } == "badData my.yaml:\(message)")
  }

  @Test(arguments: [
    ("best: 3 +", "20:9: best: '3 +' ends where a number, a score or '(' should be."),
    ("best: [loss]", "20:9: best must be text. Received: a list."),
    (
      "best: itm.accuracy",
      "20:9: unknown task 'itm' in 'itm.accuracy'. Known tasks: group, item. Did you mean 'item'?"
    ),
    (
      "best: group.top_5_accuracy",
      "20:9: 'group.top_5_accuracy' is not computed: the metrics of 'group' are accuracy, balanced_accuracy. List it in heads.group.metrics."
    ),
    ("best: 7", "20:9: '7' depends on no score. Use loss, or a task's metric such as TASK.accuracy."),
    ("best_per_task: 1", "20:18: best_per_task must be true or false. Received: '1'."),
    ("early_stopping: 0", "20:19: early_stopping must be a whole number from 1 to 1000000. Received: '0'."),
    ("early_stopping: {on: loss}", "20:19: early_stopping lacks the key 'patience'."),
    (
      "early_stopping: {patience: 1, min: 2}",
      "20:33: unknown key 'min' in early_stopping. Known keys: min_delta, on, patience."
    ),
    (
      "early_stopping: {patience: 1, min_delta: -1}",
      "20:44: min_delta must be a number of 0 or more. Received: '-1'."
    ),
    (
      "early_stopping: {patience: 1, on: item.mae}",
      "20:37: 'item.mae' is not computed: the metrics of 'item' are accuracy, balanced_accuracy, top_5_accuracy. List it in heads.item.metrics."
    ),
    ("gradient_clipping: 0", "20:22: gradient_clipping must be a number above 0. Received: '0'."),
    ("gradient_clipping: .inf", "20:22: gradient_clipping must be a number above 0. Received: '.inf'."),
    (
      "freeze: [trnk]",
      "20:12: unknown node 'trnk' in freeze. Known nodes: group, group.logits, item, item.dense_1, item.logits, trunk, trunk.conv2d_1. Did you mean 'trunk'?"
    ),
    ("freeze: [trunk, image]", "20:19: 'image' in freeze has no weights. Leave it out."),
    ("freeze: trunk.flatten_1", "20:11: 'trunk.flatten_1' in freeze has no weights. Leave it out."),
    ("freeze: [trunk, trunk]", "20:19: 'trunk' is twice in freeze. Keep one."),
    (
      "freeze: [trunk, item, group]",
      "20:11: freeze holds every layer that has weights, so nothing would be learnt. Leave one out."
    ),
  ])
  func mistakes(training: String, message: String) {
    #expect(failure { try recipe(training) } == "badData my.yaml:\(message)")
  }

  @Test func aStreamWithoutValidationDataHasNoScores() {
    #expect(
      failure {
        try RecipeTexts.parseFull([
          6: "    views: {format: masks, training: {images: i, masks: m}}",
          32: "training: {best: roads.iou - income.mae}",
        ])
      }
        == "badData my.yaml:32:18: task 'roads' has no validation data: stream 'views' names none. Set data.streams.views.validation."
    )
  }

  @Test func oneTaskAloneIsSelectedByItself() throws {
    var both = try Recipe.parse(
      RecipeTexts.small([
        3: "data: {source: fashion-mnist, validation: {fraction: 0.1}}", 18: "  group: {from: trunk}",
        20:
          "  freeze: [trunk, item.dense_1]\n  best: item.accuracy + group.accuracy\n  early_stopping: {patience: 2, on: group.loss}",
      ]), file: "my.yaml")
    #expect(both.training.freeze == ["trunk", "item.dense_1"])
    let group = try both.singleTask("group").training
    #expect(group.freeze == ["trunk"] && group.best == "group.accuracy")
    #expect(group.earlyStopping == Recipe.EarlyStopping(patience: 2, on: "group.loss"))
    let item = try both.singleTask("item").training
    #expect(item.best == "item.accuracy")
    #expect(item.earlyStopping == Recipe.EarlyStopping(patience: 2, on: "item.accuracy"))
    both.training.best = "item.loss"
    #expect(try both.singleTask("item").training.best == "item.loss")
    both.training.best = "loss"
    #expect(try both.singleTask("group").training.best == "loss")
    both.training.best = nil
    #expect(try both.singleTask("group").training.best == nil)
    both.heads[0].metrics = [.balancedAccuracy, .accuracy]
    #expect(try both.singleTask("item").training.earlyStopping?.on == "item.balanced_accuracy")
  }

  /// A head that stays only because another reads it says nothing about the other.
  @Test func aHeadThatIsReadSelectsNothing() throws {
    let recipe = try Recipe.parse(
      RecipeTexts.small([
        3: "data: {source: fashion-mnist, validation: {fraction: 0.1}}", 20: "  best: item.accuracy",
      ]), file: "my.yaml")
    let group = try recipe.singleTask("group")
    #expect(group.heads.map(\.name) == ["item", "group"] && group.training.best == "group.accuracy")
  }
}
