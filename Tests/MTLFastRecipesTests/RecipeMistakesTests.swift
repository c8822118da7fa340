// SPDX-License-Identifier: Apache-2.0
// The exact words of each mistake in data, inputs, tasks and heads, and its place.

import MTLFast
import MTLFastRecipes
import Testing

@Suite struct RecipeMistakesTests {
  @Test(arguments: [
    (
      5, "    people: {format: cvs}",
      "5:22: unknown format 'cvs' in stream 'people'. Known formats: csv, idx, images, masks, npz, synthetic. Did you mean 'csv'?"
    ),
    (
      5, "    people: {path: a.csv}",
      "5:13: stream 'people' lacks 'source' (cifar10, cifar100, fashion-mnist) or 'format' (csv, images, masks, npz, idx, synthetic)."
    ),
    (5, "    people: {format: csv}", "5:13: stream 'people' lacks 'path' or 'training', the table's file."),
    (
      5, "    people: {format: csv, path: a, test: b}",
      "5:42: stream 'people' has both path and test. Name each part's file, or one path with split: {column: ...}."
    ),
    (
      5, "    people: {format: csv, training: a, split: {column: c, training: x}}",
      "5:47: split tells the parts of one table. Name that with path."
    ),
    (
      5, "    people: {format: csv, path: a, validation: test}",
      "5:48: validation is the test set but stream 'people' names no test data. Add test, or use {fraction: 0.2}.\nmy.yaml:32:44: report is test but the data name no test part. Use report: none."
    ),
    (
      5, "    people: {format: csv, path: a, validation: b.csv}",
      "5:48: validation must be none, test or {fraction: 0.2}: the parts of a table with path are told by split. Received: 'b.csv'."
    ),
    (
      5, "    people: {format: csv, path: a, validation: {share: 0.2}}",
      "5:48: validation must be none, test, {fraction: 0.2} or a file. Received: a mapping."
    ),
    (
      5,
      "    people: {format: csv, path: a, split: {column: c, training: x, validation: y}, validation: {fraction: 0.1}}",
      "5:96: validation is given here and in split. Keep one."
    ),
    (
      5, "    people: {format: csv, path: a, validation: {fraction: 1}}",
      "5:59: fraction must be a number above 0 and below 1. Received: '1'."
    ),
    (
      5, "    people: {format: images, path: a, images: f, box: [a, b]}",
      "5:55: box must name the columns of left, top, right and bottom. Received: 2 names."
    ),
    (5, "    people: {source: cifar10, format: csv}", "5:13: stream 'people' has both source and format. Keep one."),
    (
      8, "  age: {columns: [years]}",
      "8:8: input 'age' must name its stream: from: people, or people.COLUMN. Streams: people, views."
    ),
    (
      8, "  age: {columns: [years], from: pepole.years}",
      "8:33: unknown stream 'pepole' in from of input 'age'. Known streams: people, views. Did you mean 'people'?"
    ),
    (8, "  age: {columns: [years, years], from: people}", "8:26: 'years' is twice in columns. Keep one."),
    (
      8, "  age: {columns: [years], shape: [1], from: people}",
      "8:34: input 'age' has both columns and shape. The shape follows from the columns."
    ),
    (
      8, "  age: {shape: [1], from: people}",
      "8:8: input 'age' lacks the key 'columns': a list of the table's columns, or all."
    ),
    (
      8, "  age: {columns: [years], from: people, mean: [1]}",
      "8:8: input 'age' has only one of mean and standard_deviation. Give both, or normalize: true."
    ),
    (
      8, "  age: {columns: [years], from: people, mean: [1, 2], standard_deviation: [1, 2]}",
      "8:47: mean has 2 numbers but input 'age' has 1 channel or value. Give one for each."
    ),
    (
      8, "  age: {columns: [years], from: people, mean: [1], standard_deviation: [0]}",
      "8:73: an entry of standard_deviation must be a number above 0. Received: '0'."
    ),
    (
      8, "  age: {columns: [years], from: people, mean: [1], standard_deviation: [1e-45]}",
      "8:72: an entry of standard_deviation is 1e-45, too small to divide by. Give at least 1e-38."
    ),
    (
      8, "  age: {columns: [years], from: people, fit: crop}",
      "8:46: fit is for image files (format: images or masks). input 'age' is none of them."
    ),
    (
      8, "  age: {columns: [years], from: people, augment: {flip: true}}",
      "8:50: augment is for images. input 'age' is none."
    ),
    (
      10, "  view: {shape: [8, 8, 2], from: views.image}",
      "10:17: the shape of image files is [height, width, 3], or [height, width, 1] for grey. Received: [8, 8, 2]."
    ),
    (
      10, "  view: {columns: all, from: views}",
      "10:19: columns are those of a table (format: csv or images). Use shape: [count]."
    ),
    (
      10, "  view: {shape: [8, 8, 3], from: views.image, augment: {flip: 1}}",
      "10:63: flip must be true or false. Received: '1'."
    ),
    (
      10, "  view: {shape: [8, 8, 3], from: views.image, fit: corp}",
      "10:52: unknown value 'corp' in fit. Known values: crop, letterbox, stretch. Did you mean 'crop'?"
    ),
    (
      12, "  job: {label: job}",
      "12:9: unknown key 'label' in task 'job'. Known keys: classes, ignore, labels, map, mask, masks, mean, normalize, parent, standard_deviation, target, targets. Here it is 'labels'."
    ),
    (
      12, "  job: {classes: [a, b]}",
      "12:8: task 'job' lacks what is to be learnt: labels (a class), target or targets (numbers) or mask (pixels)."
    ),
    (12, "  job: {labels: job, mask: m}", "12:22: task 'job' has both labels and mask. Keep one."),
    (12, "  job: {labels: job, classes: [a, b, a]}", "12:38: 'a' is twice in classes. Keep one."),
    (
      12, "  job: {labels: job, parent: filed}",
      "12:30: unknown classification task 'filed' in parent. Known classification tasks: field. Did you mean 'field'?"
    ),
    (
      12, "  job: {labels: job, classes: [a, b], parent: {task: field, classes: [0]}}",
      "12:47: parent has 1 classes but task 'job' has 2.\nmy.yaml:27:31: metric top_2_accuracy doesn't fit task 'job'. Use accuracy, balanced_accuracy."
    ),
    (
      12, "  job: {labels: job, classes: [a, b], parent: {task: field, classes: [0, 2]}}",
      "12:47: parent names class 2 but task 'field' has 2 classes (0...1).\nmy.yaml:27:31: metric top_2_accuracy doesn't fit task 'job'. Use accuracy, balanced_accuracy."
    ),
    (
      12, "  job: {labels: job, map: {a: [1], b: []}}",
      "12:39: 'b' in map is empty, so nothing belongs to it. Name a label."
    ),
    (
      15, "  scene: {mask: mask}",
      "15:10: task 'scene' must have one of classes (a class for each pixel), map (masks by pixel values) and masks (one for each channel)."
    ),
    (
      15, "  scene: {mask: mask, masks: [a], map: {b: [1]}}",
      "15:10: task 'scene' must have one of classes (a class for each pixel), map (masks by pixel values) and masks (one for each channel). Received: masks and map."
    ),
    (
      15, "  scene: {mask: mask, classes: n.txt, ignore: [256]}",
      "15:48: a pixel value must be a whole number from 0 to 255. Received: '256'."
    ),
    (
      18, "  body: {from: [age, rest], layers: [dense: 4]}",
      "18:38: Node 'body.dense_1': dense: reads one node but was given 2. Join them first with concatenate, add or multiply."
    ),
    (
      18, "  body: {from: [age, rest], layers: []}",
      "18:16: 'body' reads 2 nodes. Begin its layers with concatenate, add or multiply."
    ),
    (
      18, "  body: {from: age, layers: [concatenate]}",
      "18:30: Node 'body.concatenate_1': concatenate: reads two or more nodes but was given one. Name them all in 'from'."
    ),
    (
      18, "  body: {from: [age, rset], layers: [concatenate]}",
      "18:22: unknown node 'rset' in from. Known nodes: age, alias, body, eye, field, income, job, rest, roads, scene, twice, view. Did you mean 'rest'?"
    ),
    (
      18, "  body: {from: [age, view], layers: [concatenate]}",
      "27:15: head 'job' depends on input 'age' of stream 'people' and on 'view' of 'views'. Their rows don't belong together: let a head depend on one stream.\nmy.yaml:28:17: head 'field' depends on input 'age' of stream 'people' and on 'view' of 'views'. Their rows don't belong together: let a head depend on one stream.\nmy.yaml:29:18: head 'income' depends on input 'age' of stream 'people' and on 'view' of 'views'. Their rows don't belong together: let a head depend on one stream."
    ),
    (23, "      - batch_norm: {momentum: 1}", "23:32: momentum must be a number from 0 to less than 1. Received: '1'."),
    (23, "      - reshape: [2, 2]", "23:18: reshape must be [height, width, channels] or [count]. Received: [2, 2]."),
    (
      23, "      - reshape: [2, 2, 2]",
      "23:9: Node 'eye.reshape_1': reshape: its input 8x8x4 has 256 elements but 2x2x2 has 8. Use a shape of as many elements."
    ),
    (
      24, "  twice: {from: [eye, view], layers: [add]}",
      "24:39: Node 'twice.add_1': add: 8x8x4 and 8x8x3 can't be added. Its inputs have one shape."
    ),
    (
      27, "  job: {from: body, metrics: [accuracy, f1]}",
      "27:41: unknown metric 'f1' in metrics. Known metrics: accuracy, balanced_accuracy, consistency, dice, iou, mae, pixel_accuracy, r2, rmse, top_5_accuracy. Here it is 'dice'."
    ),
    (
      27, "  job: {from: body, metrics: [accuracy, iou]}",
      "27:41: metric iou doesn't fit task 'job'. Use accuracy, balanced_accuracy."
    ),
    (
      27, "  job: {from: body, class_weights: {pote: 2}}",
      "27:36: Head 'job': unknown class name 'pote' in class_weights. Known class names: baker, poet, smith. Did you mean 'poet'?"
    ),
    (
      27, "  job: {from: body, class_weights: [1, 2]}",
      "27:8: Head 'job': has 2 class weights for 3 classes. Give one for each."
    ),
    (
      27, "  job: {from: body, class_weights: atuo}",
      "27:36: class_weights must be auto, a list of numbers or {class: number}. Received: 'atuo'."
    ),
    (
      27, "  job: {from: body, label_smoothing: 1}",
      "27:38: label_smoothing must be a number from 0 to less than 1. Received: '1'."
    ),
    (
      28, "  field: {from: job.logits, metrics: [consistency]}",
      "28:39: metric consistency needs the parent of each class: tasks.field.parent."
    ),
    (
      29, "  income: {from: body, loss: dice}",
      "29:30: loss dice doesn't fit task 'income'. Use mean_squared_error or mean_absolute_error or huber."
    ),
    (
      29, "  income: {from: body, loss: {huber: {detla: 1}}}",
      "29:39: unknown key 'detla' in huber. Known keys: delta. Did you mean 'delta'?"
    ),
    (
      29, "  income: {from: body, loss: mse}",
      "29:30: unknown loss name 'mse' in loss. Known loss names: binary_cross_entropy, binary_cross_entropy_dice, dice, huber, mean_absolute_error, mean_squared_error, softmax_cross_entropy. Here it is 'mean_squared_error'."
    ),
    (29, "  income: {from: job}", "29:18: 'job' is a head. Name the node that is meant: 'job.logits'."),
    (
      29, "  income: {from: body, class_weights: [1, 2]}",
      "29:11: Head 'income': label smoothing and class weights need a cross-entropy loss but its loss is mean_squared_error."
    ),
    (
      32, "training: {optimizer: {adam: {weight_decay: 0.1}}}",
      "32:31: 'weight_decay' in adam is not available in this version. Use adamw, whose weight decay is apart from the gradient."
    ),
    (
      32, "training: {precision: bf16}",
      "32:12: 'precision' in training is not available in this version. Training is in fp32."
    ),
    (
      32, "balancing: uncertainty",
      "32:1: 'balancing' in a recipe is not available in this version. Set the weight of each head."
    ),
  ])
  func aMistakeIsNamedAtItsPlace(line: Int, text: String, message: String) {
    #expect(failure { try RecipeTexts.parseFull([line: text]) } == "badData my.yaml:\(message)")
  }

  @Test func headsOfNoWeightAreRefused() {
    let text = RecipeTexts.small([17: "  item: {from: trunk, weight: 0}", 18: "  group: {from: trunk, weight: 0}"])
    #expect(
      failure { try Recipe.parse(text, file: "my.yaml") }
        == "badData my.yaml:17:3: the weight of every head is 0, so nothing would be learnt. Give one a weight above 0."
    )
  }

  @Test(arguments: [
    (
      5, "  image: {shape: [32, 32, 3]}",
      "5:18: input 'image' has shape 32x32x3 but in fashion-mnist it is 28x28x1. Set it to [28, 28, 1]."
    ),
    (
      5, "  image: {shape: [28, 28, 1], from: img}",
      "5:10: unknown input column 'img' in fashion-mnist. Known input columns: image."
    ),
    (
      7, "  item: {labels: lable}",
      "7:18: unknown label column 'lable' in fashion-mnist. Known label columns: label. Did you mean 'label'?"
    ),
    (7, "  item: {labels: label, classes: [a, b]}", "7:34: classes has 2 names but 'label' has 10 classes. Name each."),
    (
      8, "  group: {labels: label, map: {shoes: [5, 10], rest: [7]}}",
      "8:43: map names label 10 in 'shoes' but 'label' has 10 classes (0...9)."
    ),
    (
      17, "  item: {from: trunk, class_weights: {Sandle: 2}}",
      "17:38: Head 'item': unknown class name 'Sandle' in class_weights. Known class names: Ankle boot, Bag, Coat, Dress, Pullover, Sandal, Shirt, Sneaker, T-shirt/top, Trouser. Did you mean 'Sandal'?"
    ),
    (8, "  group: {target: label}", "8:10: fashion-mnist has class labels only. Use labels: label."),
  ])
  func whatTheCatalogueContradicts(line: Int, text: String, message: String) {
    #expect(
      failure { try Recipe.parse(RecipeTexts.small(line: line, text), file: "my.yaml") } == "badData my.yaml:\(message)"
    )
  }

  @Test(arguments: [
    (
      "{shape: [10], from: feature}", "{labels: classification}",
      "1:90: unknown input column 'feature' in simultaneous. Known input columns: features, image, measurements. Did you mean 'features'?"
    ),
    (
      "{shape: [5], from: features}", "{labels: classification}",
      "1:98: input 'x' has shape 5 but in simultaneous it is 10. Set it to [10]."
    ),
    (
      "{shape: [10], from: features}", "{target: classification}",
      "1:133: unknown number column 'classification' in simultaneous. Known number columns: regression."
    ),
    (
      "{shape: [32, 32, 3], from: image, augment: {pad: 32}}", "{labels: classification}",
      "1:139: pad must be a whole number from 0 to 31. Received: '32'."
    ),
    (
      "{shape: [32, 32, 3], from: image}", "{mask: segmentation, masks: [a]}",
      "1:165: masks names 1 but 'segmentation' of simultaneous has 3. Name each."
    ),
  ])
  func whatTheGeneratorContradicts(input: String, task: String, message: String) {
    let text = RecipeTexts.brief(
      data: "{format: synthetic, generator: simultaneous}", input: input, task: task, layers: "[flatten]")
    #expect(failure { try Recipe.parse(text, file: "my.yaml") } == "badData my.yaml:\(message)")
  }

  @Test(arguments: [
    ("{format: npz, training: a}", "[m]", "by channel: pixels of 255 are ignored as they are. Leave it out."),
    ("{format: npz, training: a}", "[m, n]", "by channel: pixels of 255 are ignored as they are. Leave it out."),
    ("{format: masks, training: {images: i, masks: m}}", "[r, g, b]", "by colour. Leave it out."),
  ])
  func masksByChannelIgnoreNothing(data: String, names: String, end: String) throws {
    let task = "{mask: mask, masks: \(names), ignore: [2]}"
    let text = RecipeTexts.brief(data: data, input: "{shape: [2, 2, 3], from: image}", task: task)
    let column = try #require(text.firstRange(of: "[2]}")).lowerBound.utf16Offset(in: text) + 1
    #expect(
      failure { try Recipe.parse(text, file: "my.yaml") }
        == "badData my.yaml:1:\(column): ignore has no meaning for masks \(end)")
  }

  @Test func stratifyNamesAColumnOfTheCatalogue() {
    let text = RecipeTexts.small(line: 3, "data: {source: fashion-mnist, validation: {fraction: 0.1, stratify: item}}")
    #expect(
      failure { try Recipe.parse(text, file: "my.yaml") }
        == "badData my.yaml:3:69: unknown label column 'item' in fashion-mnist. Known label columns: label.")
  }

  @Test func aReportNeedsTestData() {
    let text = RecipeTexts.brief(data: "{format: csv, path: a}", input: "{columns: [a]}", task: "{labels: k}")
      .replacing("{recipe: 1,", with: "{recipe: 1, training: {report: test},")
    #expect(
      failure { try Recipe.parse(text, file: "my.yaml") }
        == "badData my.yaml:1:32: report is test but the data name no test part. Use report: none.")
  }
}
