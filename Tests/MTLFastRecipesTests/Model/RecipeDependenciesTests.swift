// SPDX-License-Identifier: Apache-2.0
// Single-task twins: the same rows, nodes and initial weights as with all tasks.

import MTLFast
import MTLFastData
import MTLFastRecipes
import MTLFastTraining
import Testing

@Suite struct RecipeDependenciesTests {
  /// Compares every twin with the recipe of all tasks, and with the twin that is read from its own recipe.
  private func expectTwins(of data: RecipeData, in folder: DataFolder) throws {
    let recipe = data.resolved
    let whole = try MultiTaskModel(graph: recipe.modelGraph(), seed: 3)
    for task in recipe.heads.map(\.name) {
      let twin = try data.singleTask(task)
      #expect(try Recipe.parse(twin.resolved.yaml(), file: "twin.yaml") == twin.resolved)
      let model = try MultiTaskModel(graph: twin.resolved.modelGraph(), seed: 3)
      try twin.training.check(against: model.graph)
      #expect(model.graph.heads.map { $0.name == task ? 1 : 0 } == model.graph.heads.map(\.weight))
      for parameter in model.parameters { #expect(whole[parameter: parameter.name]?.values == parameter.values) }
      #expect(!model.parameters.isEmpty)
      // The order of an epoch depends on the seed, the number of streams and their rows.
      #expect(twin.training.streams.map(\.count) == data.training.streams.map(\.count))
      let again = try RecipeData(twin.resolved, search: folder.search)
      #expect(again.resolved == twin.resolved)
      for (a, b) in [(twin.training, again.training), (twin.test, again.test), (twin.validation, again.validation)] {
        #expect(a?.streams.map(\.count) == b?.streams.map(\.count), "\(task)")
        #expect(a?.streams.map { $0.inputs.keys.sorted() } == b?.streams.map { $0.inputs.keys.sorted() })
        #expect(a?.streams.map { $0.targets.keys.sorted() } == b?.streams.map { $0.targets.keys.sorted() })
      }
    }
  }

  @Test(arguments: BuiltInRecipe.names) func twinsOf(name: String) throws {
    let folder = try DataFolder()
    let source = try RecipeSource.find(name)
    let overrides = try folder.writeSamples(of: source.recipe(), training: 105, test: 9)
    try expectTwins(
      of: RecipeData(source.recipe(overrides: overrides), search: folder.search, recipeFolder: folder.path), in: folder)
  }

  /// Streams that a twin doesn't need stay, with their test data where it has some itself.
  @Test func twinsOfSeveralStreams() throws {
    let folder = try DataFolder()
    try RecipeDeterminismTests.writeEverything(folder)
    let data = try RecipeData(RecipeDeterminismTests.everything.recipe(), search: folder.search)
    try expectTwins(of: data, in: folder)
    for task in ["ground", "kind", "flag"] {
      let twin = try data.singleTask(task)
      #expect(twin.training.streams.map(\.count) == data.training.streams.map(\.count))
      let again = try RecipeData(twin.resolved, search: folder.search)
      let states = try [twin, again].map { try Self.trained($0).parameters }
      #expect(states[0] == states[1], "\(task)")
    }
    #expect(try data.singleTask("kind").test == nil)
    #expect(try data.singleTask("flag").test?.target(of: "flag") != nil)
  }

  /// One stream of three has validation data: what belongs to the others is selected by nothing.
  @Test func aTwinIsSelectedByItsOwnStream() throws {
    let folder = try DataFolder()
    try RecipeDeterminismTests.writeEverything(folder)
    let overrides = try ["best=kind.accuracy", "early_stopping=3", "best_per_task=true"]
      .map { try RecipeOverride.set("training.\($0)") }
    let data = try RecipeData(RecipeDeterminismTests.everything.recipe(overrides: overrides), search: folder.search)
    try expectTwins(of: data, in: folder)
    for (task, best) in [("ground", nil), ("kind", "kind.accuracy"), ("price", "price.r2"), ("flag", nil)] {
      let twin = try data.singleTask(task)
      let training = twin.resolved.training
      #expect(training.best == best)
      #expect((training.earlyStopping != nil) == (best != nil) && training.bestPerTask == (best != nil), "\(task)")
      #expect((twin.validation != nil) == (best != nil))
    }
  }

  /// Where nothing is shared, training together and alone is the same.
  @Test func twinsThatShareNothingGetTheSameBits() throws {
    let folder = try DataFolder()
    let overrides = try ["data.training=70", "data.test=0", "training.report=none", "training.epochs=2"]
      .map(RecipeOverride.set)
    let data = try RecipeData(RecipeSource.find("simultaneous").recipe(overrides: overrides), search: folder.search)
    let together = try Self.trained(data).parameters
    for task in data.resolved.heads.map(\.name) {
      for tensor in try Self.trained(data.singleTask(task)).parameters {
        #expect(together.first { $0.name == tensor.name } == tensor, "\(tensor.name)")
      }
    }
  }

  /// A head that is kept for another one is moved by that one alone.
  @Test func aHeadOfWeight0AddsNothing() throws {
    let folder = try DataFolder()
    var table = "a,b,kind,size\n"
    for row in 0..<24 { table += "\(row % 7),\(row % 5),\(["x", "y", "z"][row % 3]),\(row % 2)\n" }
    try folder.write(table, to: "t.csv")
    let data = try folder.data(
      """
      {recipe: 1, name: fed, data: {format: csv, path: t.csv}, inputs: {v: {columns: [a, b]}},
       tasks: {kind: {labels: kind, classes: [x, y, z]}, size: {labels: size}},
       heads: {kind: {from: v, class_weights: auto, label_smoothing: 0.1}, size: {from: kind.logits}},
       training: {optimizer: {adamw: {weight_decay: 0.1}}, batch_size: 5, epochs: 2}}
      """)
    let twin = try data.singleTask("size")
    #expect(twin.resolved.heads.map(\.weight) == [0, 1])
    let trained = try Self.trained(twin)
    let stream = twin.training.streams[0]
    let others = LabelColumn(values: (0..<24).map { Int32($0 / 9) - 1 }, classNames: ["x", "y", "z"])
    let changed = Samples(
      name: "changed", count: stream.count, inputs: stream.inputs,
      targets: stream.targets.merging(["kind": .classes(others)]) { _, new in new })
    #expect(try Self.trained(twin, on: changed).parameters == trained.parameters)
    let initial = try MultiTaskModel(graph: twin.resolved.modelGraph(), seed: twin.resolved.training.seed)
    let kernel = trained.parameters.first { $0.name == "kind.logits.kernel" }?.values
    #expect(kernel != nil && kernel != initial[parameter: "kind.logits.kernel"]?.values)
  }

  private static func trained(_ data: RecipeData, on samples: Samples? = nil) throws -> TrainingState {
    let settings = data.resolved.training
    let trainer = try Trainer(
      MultiTaskModel(graph: data.resolved.modelGraph(), seed: settings.seed), optimizer: settings.optimizer, threads: 2)
    _ = try trainer.fit(samples ?? data.training, epochs: settings.epochs, batchSize: settings.batchSize)
    return try trainer.state()
  }

  @Test func heldOutSamplesAreAlikeOfEachClass() throws {
    let recipe = try RecipeSource.find("cifar100").recipe(overrides: [.set("data.validation=test")])
    let held = recipe.holdingOut(0.1)
    #expect(held.data.streams[0].validation == .fraction(.init(0.1, stratify: "fine")))
    #expect(held.training.report == .none)
    #expect(try Recipe.parse(held.yaml(), file: "held.yaml") == held)
    // A part that the recipe draws itself stays as it is.
    let own = try RecipeSource.find("cifar100").recipe(overrides: [.set("data.validation={fraction: 0.3, seed: 4}")])
    #expect(own.holdingOut(0.1).data == own.data)
  }
}
