// SPDX-License-Identifier: Apache-2.0
// What a recipe's text means, and the exact words of each mistake.

import MTLFast
import MTLFastRecipes
import Testing

@Suite struct RecipeParserTests {
  @Test func everyPartIsRead() throws {
    let recipe = try Recipe.parse(RecipeTexts.small, file: "my.yaml")
    #expect(recipe.name == "small")
    #expect(recipe.data == Recipe.DataSource(.catalogue("fashion-mnist")))
    #expect(recipe.inputs.map(\.shape) == [[28, 28, 1]])
    #expect(recipe.inputs[0].scale.value == Float(1) / 255)
    #expect(recipe.tasks[1].names == ["shoes", "other one"])
    #expect(recipe.nodes[0].layers.count == 3)
    #expect(recipe.nodes[0].layers[0] == .conv2D(Conv2D(filters: 4, kernelSize: 3)))
    #expect(recipe.heads.map(\.weight) == [0.5, 1])
    #expect(recipe.training == Recipe.Training(optimizer: .adam(), batchSize: 8, epochs: 10, seed: 0, report: .none))
  }

  @Test func theBuiltInRecipeIsAsPublished() throws {
    let recipe = try RecipeSource.find("fashion-mnist").recipe()
    #expect(
      recipe.training.optimizer == .adam(learningRate: 0.001, beta1: 0.5, beta2: 0.999, epsilon: 1e-8))
    #expect(recipe.training.batchSize == 200)
    #expect(recipe.training.epochs == 10)
    #expect(recipe.training.report == .test)
    #expect(recipe.heads.map(\.weight) == [0.5, 0.5])
    guard case .labels(let labels) = recipe.tasks[1].target else { throw MTLFastError(.usage, "group has no labels") }
    #expect(labels.groups?.map(\.labels) == [[5, 7, 9], [3, 6, 8], [0, 1, 2, 4]])
    let graph = try recipe.withPublishedClasses().modelGraph()
    #expect(graph.nodes.first { $0.name == "trunk.flatten_1" }?.shape == [1152])
  }

  @Test(arguments: [
    "- conv2d: {filters: 8, kernel: [3, 5], stride: 2, padding: same, activation: relu, initializer: he_uniform}",
    "- conv2d: {filters: 8, kernel: 3, stride: [1, 2], padding: [1, 0, 2, 1], activation: sigmoid}",
    "- max_pool2d: {size: 3, stride: 2, padding: same}", "- avg_pool2d: [2, 3]", "- relu", "- sigmoid",
    "- dropout: 0.5",
    "- dropout: {rate: 0}",
  ])
  func everyLayerIsRead(_ layer: String) throws {
    let recipe = try Recipe.parse(RecipeTexts.small(line: 14, "      \(layer)"), file: "my.yaml")
    #expect(recipe.nodes[0].layers.count == 3)
  }

  @Test(arguments: [
    (1, "recipe: 2", "my.yaml:1:9: recipe is version 2 but this program reads version 1."),
    (
      2, "name: a b",
      "my.yaml:2:7: recipe 'a b': a name has up to 64 letters (a-z), digits, '_' or '-' and begins with a letter."
    ),
    (
      2, "nmae: small",
      "my.yaml:2:1: unknown key 'nmae' in a recipe. Known keys: data, heads, inputs, model, name, recipe, tasks, training. Did you mean 'name'?"
    ),
    (2, "", "my.yaml:1:1: a recipe lacks the key 'name'."),
    (
      3, "data: {source: fashion-mnits}",
      "my.yaml:3:16: unknown data set 'fashion-mnits' in data. Known data sets: cifar10, cifar100, fashion-mnist. Did you mean 'fashion-mnist'?"
    ),
    (
      5, "  image: {shape: [28, 28], scale: 1/255}",
      "my.yaml:5:18: shape must be [height, width, channels] or [count] with up to 268435456 elements. Received: [28, 28]."
    ),
    (
      5, "  image: {shape: [28, 28, 1], scale: 1/0}",
      "my.yaml:5:38: scale must be a number or a fraction such as 1/255, and not 0. Received: '1/0'."
    ),
    (
      7, "  itm: {labels: label}",
      "my.yaml:17:3: unknown task 'item' in heads. Known tasks: group, itm. Did you mean 'itm'?"
    ),
    (
      7, "  item: {labels: label, classes: [a]}",
      "my.yaml:7:34: classes must be a list of 2 or more different names. Received: 1 name."
    ),
    (
      8, "  group: {labels: label, map: {shoes: [5, 7], rest: [7]}}",
      "my.yaml:8:54: label 7 is in 'shoes' and in 'rest'. A label belongs to one class of task 'group'."
    ),
    (
      8, "  group: {labels: label, map: {shoes: [5, 7]}}",
      "my.yaml:8:31: map of task 'group' has 1 classes. A classification needs 2 or more."
    ),
    (
      8, "  group: {labels: label, map: {shoes: [5, x], rest: [7]}}",
      "my.yaml:8:43: a label in 'shoes' must be a whole number from 0 to 2147483647. Received: 'x'."
    ),
    (
      11, "    from: imgae",
      "my.yaml:11:11: unknown node 'imgae' in from. Known nodes: group, image, item, trunk. Did you mean 'image'?"
    ),
    (
      13, "      - conv2d: {fliters: 4, kernel: 3}",
      "my.yaml:13:18: unknown key 'fliters' in conv2d. Known keys: activation, filters, initializer, kernel, padding, stride. Did you mean 'filters'?"
    ),
    (13, "      - conv2d: {filters: 4}", "my.yaml:13:17: conv2d lacks the key 'kernel'."),
    (
      13, "      - conv2d: {filters: 0, kernel: 3}",
      "my.yaml:13:27: filters must be a whole number from 1 to 1048576. Received: '0'."
    ),
    (
      13, "      - conv2d: {filters: \"4\", kernel: 3}",
      "my.yaml:13:27: filters must be a whole number from 1 to 1048576. Received: the text '4'."
    ),
    (
      13, "      - conv2d: {filters: 4, kernel: 3, padding: smae}",
      "my.yaml:13:50: padding must be valid, same or [top, bottom, left, right]. Received: 'smae'."
    ),
    (
      13, "      - conv2d: {filters: 4, kernel: 3, activation: rlu}",
      "my.yaml:13:53: unknown value 'rlu' in activation. Known values: gelu, leaky_relu, none, relu, sigmoid, silu, tanh. Did you mean 'relu'?"
    ),
    (
      13, "      - conv2d: {filters: 4, kernel: 29}",
      "my.yaml:13:9: Node 'trunk.conv2d_1': conv2d: a 29x29 window does not fit into the 28x28 image with valid padding. Use a smaller window, 'same' padding or fewer pools before it."
    ),
    (
      13, "      - cnv2d: {filters: 4, kernel: 3}",
      "my.yaml:13:9: unknown layer 'cnv2d' in node 'trunk'. Known layers: add, avg_pool2d, batch_norm, concatenate, conv2d, dense, depthwise_conv2d, dropout, flatten, gelu, global_average_pool2d, layer_norm, leaky_relu, max_pool2d, multiply, relu, reshape, sigmoid, silu, tanh, upsample2d. Did you mean 'conv2d'?"
    ),
    (14, "      - max_pool2d", "my.yaml:14:9: max_pool2d needs its settings, such as 'max_pool2d: 2'."),
    (14, "      - dropout: 1", "my.yaml:14:18: dropout must be a number from 0 to less than 1. Received: '1'."),
    (
      15, "      - {flatten: , relu: }",
      "my.yaml:15:9: an entry of layers names one layer but has 2 keys. Begin each layer with its own '-'."
    ),
    (
      15, "      - dense: 4",
      "my.yaml:15:9: Node 'trunk.dense_1': dense: needs a vector [K] but its input is 13x13x4. Put 'flatten' before it."
    ),
    (
      17, "  itme: {from: trunk}",
      "my.yaml:17:3: unknown task 'itme' in heads. Known tasks: group, item. Did you mean 'item'?"
    ),
    (17, "  item: {from: trunk, weight: -1}", "my.yaml:17:31: weight must be a number of 0 or more. Received: '-1'."),
    (17, "  item: {from: trunk, weight: nan}", "my.yaml:17:31: weight must be a number of 0 or more. Received: 'nan'."),
    (
      17, "  item: {from: group.logits}",
      "my.yaml:17:16: nodes read each other in a circle: item reads group reads item. Let one read an input."
    ),
    (18, "  group: {from: item}", "my.yaml:18:17: 'item' is a head. Name the node that is meant: 'item.logits'."),
    (
      18, "  group: {from: item.dense_2}",
      "my.yaml:18:17: unknown node 'item.dense_2' in from. Known nodes: item.dense_1, item.logits. Did you mean 'item.dense_1'?"
    ),
    (18, "", "my.yaml:8:3: task 'group' has no head. Add 'group' to heads or remove the task."),
    (20, "  batch_size: 1.5", "my.yaml:20:15: batch_size must be a whole number from 1 to 1048576. Received: '1.5'."),
    (20, "  batch_size:", "my.yaml:20:14: batch_size must be a whole number from 1 to 1048576. Received: nothing."),
    (
      20, "  optimizer: {adam: {beta1: 1}}",
      "my.yaml:20:29: beta1 must be a number from 0 to less than 1. Received: '1'."
    ),
    (
      20, "  optimizer: {adm: {}}",
      "my.yaml:20:15: unknown optimizer 'adm' in training. Known optimizers: adam, adamw, sgd. Did you mean 'adam'?"
    ),
    (
      20, "  report: tset",
      "my.yaml:20:11: unknown value 'tset' in report. Known values: none, test. Did you mean 'test'?"
    ),
    (20, "  seed: -1", "my.yaml:20:9: seed must be a whole number from 0 to 18446744073709551615. Received: '-1'."),
  ])
  func aMistakeIsNamedAtItsPlace(line: Int, text: String, message: String) {
    #expect(failure { try Recipe.parse(RecipeTexts.small(line: line, text), file: "my.yaml") } == "badData \(message)")
  }

  @Test func oneNameCannotBeTwoNodes() {
    let text = RecipeTexts.small.replacing("trunk", with: "image")
    #expect(
      failure { try Recipe.parse(text, file: "my.yaml") }
        == "badData my.yaml:11:5: 'image' names two of inputs, model and heads. Give each its own name.")
  }
}
