// SPDX-License-Identifier: Apache-2.0
// Data, inputs, tasks and heads of every kind: what is read, what is written again, and the words of each mistake.

import MTLFast
import MTLFastData
import MTLFastRecipes
import Testing

@Suite struct RecipeFormatTests {
  @Test func everyPartIsRead() throws {
    let recipe = try RecipeTexts.parseFull()
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
    let recipe = try RecipeTexts.parseFull()
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
    let recipe = try RecipeTexts.parseFull([32: "training: {optimizer: {\(text)}}"])
    #expect(recipe.training.optimizer == optimizer)
    #expect(try Recipe.parse(recipe.yaml(), file: "again.yaml") == recipe)
  }

  @Test func numbersKeepTheirBits() throws {
    var recipe = try RecipeTexts.parseFull()
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
    var recipe = try RecipeTexts.parseFull([15: "  scene: {mask: mask, classes: [sky, a, b], ignore: [0, 11]}"])
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
    var recipe = try RecipeTexts.parseFull()
    #expect(
      failure { try recipe.modelGraph() }
        == "usage Input 'rest': its columns are found in the data. Name the data or list them in columns.")
    recipe.inputs[1].values = .columns(["x"])
    #expect(
      failure { try recipe.modelGraph() }
        == "usage Head 'scene': the classes of its task are found in the data. Name the data or list them in classes.")
  }

  @Test func aSingleTaskKeepsWhatItNeeds() throws {
    let recipe = try RecipeTexts.parseFull()
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
    let field = try recipe.singleTask("field")
    #expect(field.heads.map(\.name) == recipe.heads.map(\.name).filter { ["job", "field"].contains($0) })
    #expect(field.heads.map { $0.name == "field" ? 1 : 0 } == field.heads.map(\.weight))
    #expect(try Recipe.parse(field.yaml(), file: "single.yaml") == field)
  }
}
