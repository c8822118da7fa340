// SPDX-License-Identifier: Apache-2.0
// All mistakes of a recipe together, a line each, in the order of the file.

import MTLFast
import MTLFastRecipes
import Testing

@Suite struct MistakesTests {
  private func lines(_ replacements: [Int: String], overrides: [RecipeOverride] = []) -> [String] {
    let text = RecipeTexts.small(replacements)
    return failure { try Recipe.parse(text, file: "my.yaml", overrides: overrides) }
      .split(separator: "\n").map(String.init)
  }

  @Test func tenMistakesAreTenLines() {
    let found = lines([
      2: "name: a b", 3: "data: {source: fashion-mnits}", 7: "  item: {label: label}",
      8: "  group: {labels: label, map: {shoes: [5, x], rest: [1]}}", 13: "      - conv2d: {fliters: 4}",
      14: "      - max_pool: 2", 17: "  item: {from: trunk, weight: -1, loss: mse}",
      20: "  batch_size: many\n  lr: 0.1",
    ])
    #expect(
      found == [
        "badData my.yaml:2:7: recipe 'a b': a name has up to 64 letters (a-z), digits, '_' or '-' and begins with a letter.",
        "my.yaml:3:16: unknown data set 'fashion-mnits' in data. Known data sets: cifar10, cifar100, fashion-mnist. Did you mean 'fashion-mnist'?",
        "my.yaml:7:10: unknown key 'label' in task 'item'. Known keys: classes, ignore, labels, map, mask, masks, mean, normalize, parent, standard_deviation, target, targets. Here it is 'labels'.",
        "my.yaml:8:43: a label in 'shoes' must be a whole number from 0 to 2147483647. Received: 'x'.",
        "my.yaml:13:17: conv2d lacks the key 'kernel'.",
        "my.yaml:13:18: unknown key 'fliters' in conv2d. Known keys: activation, filters, initializer, kernel, padding, stride. Did you mean 'filters'?",
        "my.yaml:14:9: unknown layer 'max_pool' in node 'trunk'. Known layers: add, avg_pool2d, batch_norm, concatenate, conv2d, dense, depthwise_conv2d, dropout, flatten, gelu, global_average_pool2d, layer_norm, leaky_relu, max_pool2d, multiply, relu, reshape, sigmoid, silu, tanh, upsample2d. Did you mean 'max_pool2d'?",
        "my.yaml:17:31: weight must be a number of 0 or more. Received: '-1'.",
        "my.yaml:17:41: unknown loss name 'mse' in loss. Known loss names: binary_cross_entropy, binary_cross_entropy_dice, dice, huber, mean_absolute_error, mean_squared_error, softmax_cross_entropy. Here it is 'mean_squared_error'.",
        "my.yaml:20:15: batch_size must be a whole number from 1 to 1048576. Received: 'many'.",
        "my.yaml:21:3: unknown key 'lr' in training. Known keys: batch_size, best, best_per_task, early_stopping, epochs, freeze, gradient_clipping, optimizer, report, schedule, seed. It is a setting of 'optimizer': {adam: {learning_rate: 0.001}}.",
      ])
  }

  /// What is wrong with parts that fit each other badly is told of all of them, too.
  @Test func whatDoesNotFitIsToldTogether() {
    let found = lines([
      5: "  image: {shape: [32, 32, 3], scale: 1/255}", 17: "  item: {from: trunk, loss: dice, metrics: [iou, mae]}",
      20: "  report: test\n  best: item.loss",
    ])
    #expect(
      found == [
        "badData my.yaml:5:18: input 'image' has shape 32x32x3 but in fashion-mnist it is 28x28x1. Set it to [28, 28, 1].",
        "my.yaml:17:29: loss dice doesn't fit task 'item'. Use softmax_cross_entropy or binary_cross_entropy.",
        "my.yaml:17:45: metric iou doesn't fit task 'item'. Use accuracy, balanced_accuracy, top_5_accuracy.",
        "my.yaml:17:50: metric mae doesn't fit task 'item'. Use accuracy, balanced_accuracy, top_5_accuracy.",
        "my.yaml:21:9: best needs validation data, but the data name none. Set data.validation, such as {fraction: 0.1}, or leave best out.",
      ])
  }

  @Test func nodesThatDoNotFitAreToldTogether() {
    let found = lines([
      11: "    from: imgae", 17: "  item: {from: image, layers: [dense: 10]}",
      18: "  group: {from: image, layers: [conv2d: {filters: 3, kernel: 40}, flatten]}",
    ])
    #expect(found.count == 3, "\(found)")
    #expect(found[0].hasPrefix("badData my.yaml:11:11: unknown node 'imgae' in from."))
    #expect(found[1].contains(":17:") && found[2].contains(":18:"))
  }

  @Test func twentyAreShown() {
    let layers = (0..<23).map { "      - relo\($0)" }.joined(separator: "\n")
    let found = lines([14: layers, 15: "      - flatten"])
    #expect(found.count == 21)
    #expect(found.last == "... and 3 more mistakes.")
    #expect(found[19].hasPrefix("my.yaml:33:9: unknown layer 'relo19'"))
  }

  @Test func optionsComeFirst() throws {
    let found = lines([20: "  batch_size: 0"], overrides: [try .set("training.epochs=0")])
    #expect(
      found == [
        "badData set training.epochs=0: epochs must be a whole number from 1 to 1000000. Received: '0'.",
        "my.yaml:20:15: batch_size must be a whole number from 1 to 1048576. Received: '0'.",
      ])
  }

  /// Values of one option have one place, so that their mistakes may be the same.
  @Test(arguments: [
    (
      "heads.item.layers=[{dense: {units: x}}, {dense: {units: x}}]",
      "units must be a whole number from 1 to 1048576. Received: 'x'."
    ),
    ("model.trunk.layers=[{conv2d: {kernel: 3}}, {conv2d: {kernel: 3}}]", "conv2d lacks the key 'filters'."),
    (
      "tasks={item: {labels: label, parent: {classes: [0]}}, group: {labels: label, parent: {classes: [0]}}}",
      "parent lacks the key 'task'."
    ),
    (
      "data={streams: {s: {format: masks, training: {images: a}, test: {images: b}}}}",
      "images and masks lacks the key 'masks'."
    ),
    ("heads.item.metrics=[acuracy, acuracy]", "unknown metric 'acuracy' in metrics."),
  ])
  func oneMistakeTwiceIsOneLine(assignment: String, message: String) throws {
    let found = lines([:], overrides: [try .set(assignment)])
    #expect(found.count { $0.contains(message) } == 1, "\(found)")
  }

  @Test func countlessMistakesEndSoon() {
    let layers = [String](repeating: "q", count: 20_000).joined(separator: ", ")
    let text = RecipeTexts.small([12: "    layers: [\(layers)]", 13: "", 14: "", 15: ""])
    let found = failure { try Recipe.parse(text, file: "my.yaml") }.split(separator: "\n")
    #expect(found.count == 21)
  }

  @Test(arguments: [
    (14, "      - pool_size: 2", "14:9: unknown layer 'pool_size' in node 'trunk'. Known layers: "),
    (
      13, "      - conv2d: {filters: 4, kernel_size: 3}",
      "13:30: unknown key 'kernel_size' in conv2d. Known keys: activation, filters, initializer, kernel, padding, stride. Here it is 'kernel'."
    ),
    (
      17, "  item: {from: trunk, metrics: [acc]}",
      "17:33: unknown metric 'acc' in metrics. Known metrics: accuracy, balanced_accuracy, consistency, dice, iou, mae, pixel_accuracy, r2, rmse, top_5_accuracy. Here it is 'accuracy'."
    ),
    (
      20, "  learning_rate: 0.1",
      "20:3: unknown key 'learning_rate' in training. Known keys: batch_size, best, best_per_task, early_stopping, epochs, freeze, gradient_clipping, optimizer, report, schedule, seed. It is a setting of 'optimizer': {adam: {learning_rate: 0.001}}."
    ),
    (
      20, "  optimizer: {adam: {lr: 0.1}}",
      "20:22: unknown key 'lr' in adam. Known keys: beta1, beta2, epsilon, learning_rate. Here it is 'learning_rate'."
    ),
  ])
  func wordsOfOtherToolsAreUnderstood(line: Int, text: String, message: String) {
    let found = lines([line: text])
    #expect(found.contains { $0.contains("my.yaml:\(message)") }, "\(found)")
  }
}
