// SPDX-License-Identifier: Apache-2.0
// Data, inputs, tasks and heads of every kind: what is read, what is written again, and the words of each mistake.

import MTLFast
import MTLFastData
import MTLFastRecipes
import Testing

@Suite struct RecipeFormatTests {
  /// Two streams, an input and a task of every kind; the numbers of its lines stand in the tests.
  private static let full = """
    recipe: 1
    name: full
    data:
      streams:
        people: {format: csv, path: a/people.csv, split: {column: use, training: in, validation: "1", test: out}}
        views: {format: masks, training: {images: i, masks: m}, validation: {fraction: 0.25, seed: 4}}
    inputs:
      age: {columns: [years, "shoe, size"], from: people}
      rest: {columns: all, from: people, normalize: false}
      view: {shape: [8, 8, 3], from: views.image, scale: 1/255, fit: letterbox, normalize: true, augment: {flip: true, cutout: 3}}
    tasks:
      job: {labels: job, parent: {task: field, classes: [0, 0, 1]}, classes: [smith, baker, poet]}
      field: {labels: field, classes: [craft, art]}
      income: {targets: [wage, rent], mean: [1e3, 0.1], standard_deviation: [0.3333333, 2]}
      scene: {mask: mask, classes: names.txt, ignore: [0, 11]}
      roads: {mask: mask, map: {road: [3, 4], any: [3]}}
    model:
      body: {from: [age, rest], layers: [concatenate, batch_norm, dense: {units: 4}]}
      eye:
        from: view
        layers:
          - conv2d: {filters: 4, kernel: 3, padding: same}
          - batch_norm: {momentum: 0.9, epsilon: 1e-5}
      twice: {from: [eye, eye.conv2d_1], layers: [add, max_pool2d: 2, upsample2d: 2]}
      alias: {from: eye, layers: []}
    heads:
      job: {from: body, metrics: [top_2_accuracy, consistency], class_weights: {poet: 3}, label_smoothing: 0.1}
      field: {from: job.logits, class_weights: auto, loss: binary_cross_entropy}
      income: {from: [body, body.dense_1], layers: [add], loss: {huber: {delta: 0.5}}, metrics: [mae]}
      scene: {from: twice, class_weights: auto, weight: 0}
      roads: {from: alias, layers: [global_average_pool2d, dense: 8, reshape: [2, 2, 2], flatten], loss: dice}
    training: {optimizer: {adamw: {}}, report: test}
    """

  private func parse(_ replacements: [Int: String] = [:]) throws -> Recipe {
    let lines = Self.full.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    return try Recipe.parse(lines.map { replacements[$0 + 1] ?? String($1) }.joined(separator: "\n"), file: "my.yaml")
  }

  @Test func everyPartIsRead() throws {
    let recipe = try parse()
    #expect(recipe.data.streams.map(\.name) == ["people", "views"])
    #expect(
      recipe.data.streams[0].source
        == .csv(
          Recipe.Table(
            parts: Recipe.Parts(training: "a/people.csv"),
            split: Recipe.SplitColumn(
              column: "use", parts: Recipe.Parts(training: "in", validation: "1", test: "out")))))
    #expect(recipe.data.streams[1].validation == .fraction(Recipe.Fraction(0.25, seed: 4)))
    #expect(recipe.inputs[0].normalization == .training)
    #expect(recipe.inputs[1].values == .allColumns)
    #expect(recipe.inputs[2].values == .column("image", [8, 8, 3]))
    #expect(recipe.inputs[2].augmentation == (try Augmentation(flip: true, cutout: 3)))
    #expect(recipe.heads[0].metrics == [.topK(2), .consistency])
    #expect(recipe.heads[2].loss == .huber(delta: 0.5))
    #expect(recipe.training.optimizer == .adam(weightDecay: 0.01))
    #expect(!recipe.isResolved)
  }

  @Test func whatIsWrittenIsReadAgain() throws {
    let recipe = try parse()
    #expect(try Recipe.parse(recipe.yaml(), file: "again.yaml") == recipe)
    #expect(try Recipe.parse(recipe.yaml(), file: "again.yaml").yaml() == recipe.yaml())
  }

  @Test(arguments: [
    "{source: cifar10, validation: test}", "{source: cifar100, validation: {fraction: 0.1, stratify: fine, seed: 9}}",
    "{format: csv, training: a.csv, validation: b.csv, test: \"c d.csv\"}", "{format: csv, path: \"1.csv\"}",
    "{format: csv, path: a.csv, split: {column: s, training: a, test: b}, validation: test}",
    "{format: images, path: l.csv, images: file, box: [a, b, c, d]}",
    "{format: npz, training: a.npz, validation: test, test: b}",
    "{format: masks, training: {images: i, masks: m}, test: {images: i2, masks: m2}, validation: {images: i3, masks: m3}}",
    "{format: idx, training: {images: i.gz, labels: l.gz}, validation: {fraction: 0.5, stratify: label}}",
    "{format: synthetic, generator: simultaneous, seed: 7, training: 10, test: 0}",
  ])
  func everySourceIsWritten(data: String) throws {
    let isTable = data.contains("csv,")
    let isCatalogue = data.contains("source")
    let text = RecipeTexts.brief(
      data: data, input: isTable ? "{columns: [a]}" : "{shape: [32, 32, 3], from: image}",
      task: data.contains("masks,")
        ? "{mask: mask, masks: [m]}"
        : isCatalogue
          ? "{labels: \(data.contains("100") ? "fine" : "label")}"
          : "{labels: \(data.contains("synthetic") ? "classification" : "k")}",
      layers: isTable ? "[]" : "[flatten]")
    let recipe = try Recipe.parse(text, file: "my.yaml")
    #expect(try Recipe.parse(recipe.yaml(), file: "again.yaml") == recipe)
  }

  @Test(arguments: [
    ("adamw: {weight_decay: 0.1, beta1: 0.5}", Optimizer.adam(beta1: 0.5, weightDecay: 0.1)),
    ("sgd: {momentum: 0.9, weight_decay: 1e-4}", .sgd(momentum: 0.9, weightDecay: 1e-4)),
    ("adamw: {weight_decay: 0}", .adam()),
  ])
  func optimizersWithWeightDecay(text: String, optimizer: Optimizer) throws {
    let recipe = try parse([32: "training: {optimizer: {\(text)}}"])
    #expect(recipe.training.optimizer == optimizer)
    #expect(try Recipe.parse(recipe.yaml(), file: "again.yaml") == recipe)
  }

  @Test func numbersKeepTheirBits() throws {
    var recipe = try parse()
    let values = [Float](unsafeUninitializedCapacity: 200) { buffer, count in
      for index in 0..<200 { buffer[index] = Float(bitPattern: 0x3a00_0000 &+ UInt32(index) &* 1_234_567) }
      count = 200
    }
    recipe.inputs[0].values = .columns((0..<200).map { "c\($0)" })
    recipe.inputs[0].normalization = .by(mean: values.map { -$0 }, standardDeviation: values)
    let again = try Recipe.parse(recipe.yaml(), file: "again.yaml")
    #expect(again == recipe)
    guard case .by(_, let deviations) = again.inputs[0].normalization else {
      Issue.record("no numbers")
      return
    }
    #expect(deviations.map(\.bitPattern) == values.map(\.bitPattern))
  }

  @Test func theGraphFollows() throws {
    var recipe = try parse([15: "  scene: {mask: mask, classes: [sky, a, b], ignore: [0, 11]}"])
    recipe.inputs[1].values = .columns(["x"])
    let graph = try recipe.modelGraph()
    func shape(_ name: String) -> Shape? { graph.nodes.first { $0.name == name }?.shape }
    #expect(shape("body.concatenate_1") == [3])
    #expect(shape("field.logits") == [1])
    #expect(shape("income.output") == [2])
    #expect(shape("scene.logits") == [8, 8, 2])
    #expect(shape("roads.masks") == [8, 8, 2])
    #expect(graph.heads[0].classWeights == [1, 1, 3])
    #expect(graph.heads[0].hierarchy == ClassHierarchy(parent: "field", parents: [0, 0, 1]))
    #expect(graph.heads[3].task.names == ["a", "b"])
    #expect(
      graph.heads[2].task
        == .regression([
          RegressionTarget("wage", mean: 1000, standardDeviation: 0.3333333),
          RegressionTarget("rent", mean: 0.1, standardDeviation: 2),
        ]))
  }

  @Test func whatOnlyTheDataTellIsNamed() throws {
    var recipe = try parse()
    #expect(
      failure { try recipe.modelGraph() }
        == "usage Input 'rest': its columns are found in the data. Name the data or list them in columns.")
    recipe.inputs[1].values = .columns(["x"])
    #expect(
      failure { try recipe.modelGraph() }
        == "usage Head 'scene': the classes of its task are found in the data. Name the data or list them in classes.")
  }

  @Test func aSingleTaskKeepsWhatItNeeds() throws {
    let recipe = try parse()
    let job = try recipe.singleTask("job")
    #expect(job.data.streams.map(\.name) == ["people"])
    #expect(job.inputs.map(\.name) == ["age", "rest"])
    #expect(job.nodes.map(\.name) == ["body"])
    #expect(job.heads[0].metrics == [.topK(2)])
    #expect(job.heads[0].labelSmoothing == 0.1)
    #expect(try Recipe.parse(job.yaml(), file: "single.yaml") == job)
    let scene = try recipe.singleTask("scene")
    #expect(scene.nodes.map(\.name) == ["eye", "twice"])
    #expect(scene.heads[0].weight == 1)
    #expect(scene.training.report == .none)
    #expect(try Recipe.parse(scene.yaml(), file: "single.yaml") == scene)
    #expect(failure { try recipe.singleTask("field") }.contains("head 'field' reads head 'job'"))
  }

  @Test(arguments: [
    (
      5, "    people: {format: cvs}",
      "5:22: unknown format 'cvs' in stream 'people'. Known formats: csv, idx, images, masks, npz, synthetic. Did you mean 'csv'?"
    ),
    (
      5, "    people: {path: a.csv}",
      "5:13: stream 'people' lacks 'source' (a data set of 'mtl-fast datasets list') or 'format' (csv, images, masks, npz, idx, synthetic)."
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
      "5:48: validation is the test set but stream 'people' names no test data. Add test, or use {fraction: 0.2}."
    ),
    (
      5, "    people: {format: csv, path: a, validation: b.csv}",
      "5:48: validation must be none, test or {fraction: 0.2}: the parts of a table with path are told by split. Received: 'b.csv'."
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
      "12:9: unknown key 'label' in task 'job'. Known keys: classes, ignore, labels, map, mask, masks, mean, normalize, parent, standard_deviation, target, targets. Did you mean 'labels'?"
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
      "12:47: parent has 1 classes but task 'job' has 2."
    ),
    (
      12, "  job: {labels: job, classes: [a, b], parent: {task: field, classes: [0, 2]}}",
      "12:47: parent names class 2 but task 'field' has 2 classes (0...1)."
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
      "18:38: Node 'body.dense_1': dense: reads one node but was given 2. Join them first with concatenate or add."
    ),
    (
      18, "  body: {from: [age, rest], layers: []}",
      "18:16: 'body' reads 2 nodes. Begin its layers with concatenate or add."
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
      "27:15: head 'job' depends on input 'age' of stream 'people' and on 'view' of 'views'. Their rows don't belong together: let a head depend on one stream."
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
      "27:41: unknown metric 'f1' in metrics. Known metrics: accuracy, balanced_accuracy, consistency, dice, iou, mae, pixel_accuracy, r2, rmse, top_5_accuracy."
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
      "29:30: unknown loss name 'mse' in loss. Known loss names: binary_cross_entropy, binary_cross_entropy_dice, dice, huber, mean_absolute_error, mean_squared_error, softmax_cross_entropy."
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
      32, "training: {early_stopping: 3}",
      "32:12: 'early_stopping' in training is not available in this version. Set epochs."
    ),
    (
      32, "training: {schedule: cosine}",
      "32:12: 'schedule' in training is not available in this version. Set learning_rate in the optimizer."
    ),
    (
      32, "training: {gradient_clipping: 1}",
      "32:12: 'gradient_clipping' in training is not available in this version. Lower learning_rate in the optimizer."
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
    #expect(failure { try parse([line: text]) } == "badData my.yaml:\(message)")
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
