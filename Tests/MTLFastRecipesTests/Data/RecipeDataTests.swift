// SPDX-License-Identifier: Apache-2.0
// Tables and streams as samples, what is found in the training data, and data that don't fit the recipe.

import MTLFast
import MTLFastData
import MTLFastRecipes
import MTLFastTraining
import Testing

@Suite struct RecipeDataTests {
  private let folder: DataFolder

  init() throws {
    folder = try DataFolder()
    try folder.write(RecipeTexts.table, to: "t.csv")
  }

  // MARK: Tables

  private let split = "split: {column: use, training: in, validation: held, test: out}"

  @Test func aTableIsSplitByItsColumn() throws {
    let data = try folder.data(
      RecipeTexts.brief(
        data: "{format: csv, path: t.csv, \(split)}", input: "{columns: [a, b]}", task: "{labels: kind}"))
    #expect(data.training.floats("x") == [1, 10, 2, 10, 3, 10, 4, 10, 5, 10, 6, 10])
    #expect(data.training.labels("t") == [0, 1, 0, -1, 1, 0])
    #expect(data.validation?.labels("t") == [1, 0])
    #expect(data.test?.labels("t") == [1, 0])
    #expect(!data.validatesOnTest)
    // The deviation of 1...6 over 6, and 1 for a column that doesn't vary.
    let standardization = try #require(data.training.input(named: "x")?.standardization)
    #expect(standardization.mean == [3.5, 10])
    #expect(standardization.standardDeviation == [Float((35.0 / 12).squareRoot()), 1])
    #expect(data.test?.input(named: "x")?.standardization?.mean == [3.5, 10])
    #expect(data.resolved.tasks[0].names == ["cat", "dog"])
  }

  @Test func aResolvedRecipeIsReadAgainToTheSameBitsAndUsed() throws {
    let data = try folder.data(
      """
      {recipe: 1, name: both, data: {format: csv, path: t.csv, \(split)}, inputs: {x: {columns: all}},
       tasks: {kind: {labels: kind}, price: {target: price}}, heads: {kind: {from: x, class_weights: auto}, price: {from: x}}}
      """)
    #expect(data.resolved.isResolved)
    #expect(data.resolved.inputs[0].values == .columns(["a", "b"]))
    // Of 5 labels 3 are cats.
    #expect(data.resolved.heads[0].classWeights == .list([Float(5.0 / 6), Float(5.0 / 4)]))
    let text = try data.resolved.yaml()
    let again = try Recipe.parse(text, file: "again.yaml")
    #expect(again == data.resolved)
    #expect(try again.yaml() == text)
    guard case .regression(let targets) = try again.modelGraph().heads[1].task else {
      Issue.record("no regression")
      return
    }
    #expect(targets == [RegressionTarget("price", mean: 340, standardDeviation: Float(34400.0.squareRoot()))])
    // Other data: what the recipe holds is not found again.
    try folder.write(RecipeTexts.table.replacing("1,10,cat,100", with: "100,10,dog,9000"), to: "t.csv")
    #expect(try RecipeData(again, search: folder.search).resolved == again)
    let test = try again.testSamples(search: folder.search)
    #expect(test.count == 2)
    #expect(test.input(named: "x")?.standardization?.mean == [3.5, 10])
  }

  @Test func shapesThatDependOnAllColumnsAreCheckedWithTheData() throws {
    func data(_ layers: String) throws -> RecipeData {
      try folder.data(
        RecipeTexts.brief(
          data: "{format: csv, path: t.csv}", input: "{columns: all}", task: "{labels: kind}", layers: layers))
    }
    // a, b, price and use, the last of which is text.
    try folder.write(
      RecipeTexts.table.replacing(",in", with: ",1").replacing(",held", with: ",2")
        .replacing(",out", with: ",3").replacing("4,10,,,", with: "4,10,,400,"), to: "t.csv")
    let squares = try data("[reshape: [2, 2, 1], conv2d: {filters: 2, kernel: 2}, flatten]")
    #expect(try squares.resolved.modelGraph().nodes[1].shape == [2, 2, 1])
    let wrong = try data("[reshape: [3, 3, 1], flatten]").resolved
    #expect(
      failure { try wrong.modelGraph() }.contains("its input 4 has 4 elements but 3x3x1 has 9."))
    // What no count makes right is still told at its line.
    #expect(failure { try data("[add]") }.hasPrefix("badData my.yaml:2:"))
    #expect(failure { try data("[conv2d: {filters: 2, kernel: 2}]") }.hasPrefix("badData my.yaml:2:"))
  }

  @Test func missingLabelsStayMissing() throws {
    let data = try folder.data(
      RecipeTexts.brief(data: "{format: csv, path: t.csv}", input: "{columns: [a]}", task: "{targets: [price, b]}"))
    let numbers = try #require(data.training.numbers("t"))
    #expect(numbers[6].isNaN && numbers[7] == 10)
    #expect(data.validation == nil && data.test == nil)
    let labelled = try folder.data(
      RecipeTexts.brief(data: "{format: csv, path: t.csv}", input: "{columns: [a]}", task: "{labels: kind}"))
    #expect(labelled.training.target(of: "t")?.presentCount == 9)
  }

  @Test func numbersInATableCanBeNamedOrGrouped() throws {
    let named = try folder.data(
      RecipeTexts.brief(
        data: "{format: csv, path: t.csv}", input: "{columns: [a], normalize: false}",
        task: "{labels: b, classes: [zero, one, two, three, four, five, six, seven, eight, nine, ten]}"))
    #expect(named.training.labels("t")?.first == 10)
    #expect(named.training.input(named: "x")?.standardization == nil)
    let grouped = try folder.data(
      RecipeTexts.brief(
        data: "{format: csv, path: t.csv}", input: "{columns: [b]}", task: "{labels: a, map: {low: [1, 2], high: [3]}}")
    )
    #expect(grouped.training.labels("t")?.prefix(4) == [0, 0, 1, -1])
  }

  @Test func aFractionIsHeldOut() throws {
    let text = RecipeTexts.brief(
      data: "{format: csv, path: t.csv, validation: {fraction: 0.4, stratify: kind, seed: 3}}", input: "{columns: [a]}",
      task: "{labels: kind}")
    let data = try folder.data(text)
    #expect(data.training.count == 6)
    #expect(data.validation?.count == 4)
    #expect(data.training.name == "\(folder.path)/t.csv (training)")
    #expect(data.validation?.name == "\(folder.path)/t.csv (validation)")
    let rows = (data.training.floats("x") ?? []) + (data.validation?.floats("x") ?? [])
    #expect(rows.sorted() == (1...10).map(Float.init))
    #expect(try folder.data(text).training.floats("x") == data.training.floats("x"))
    #expect(data.validation?.labels("t")?.count { $0 == 0 } == 2)
  }

  @Test func aColumnOfOneClassDividesLikeNone() throws {
    func rows(_ stratify: String) throws -> [Float]? {
      let text = RecipeTexts.brief(
        data: "{format: csv, path: t.csv, validation: {fraction: 0.4, seed: 3\(stratify)}}", input: "{columns: [a]}",
        task: "{labels: kind}")
      return try folder.data(text).validation?.floats("x")
    }
    #expect(try rows(", stratify: b") == rows(""))
  }

  @Test(arguments: [
    (
      "{columns: [a, c]}", "{labels: kind}",
      "badData FOLDER/t.csv:1: unknown column 'c' in the header. Known columns: a, b, kind, price, use."
    ),
    (
      "{columns: [kind]}", "{target: price}",
      "badData FOLDER/t.csv:2: column 'kind' is 'cat', not a finite number. Correct it, or leave the row out."
    ),
    (
      "{columns: [price]}", "{labels: kind}",
      "badData FOLDER/t.csv:5: column 'price' is empty. Fill it in, or leave the row out."
    ),
    (
      "{columns: [a]}", "{labels: knid}",
      "badData Task 't': FOLDER/t.csv:1: unknown column 'knid' in the header. Known columns: a, b, kind, price, use. Did you mean 'kind'?"
    ),
    (
      "{columns: [a]}", "{labels: kind, classes: [cat, bird]}",
      "badData Task 't': FOLDER/t.csv:3: column 'kind' is 'dog', which is none of its 2 classes. List it in 'classes:', or correct it."
    ),
    (
      "{columns: [a]}", "{labels: b}",
      "badData Task 't': FOLDER/t.csv: column 'b' has 1 class ('10') in the training rows but a classification needs at least 2. Check the column."
    ),
    (
      "{columns: [a]}", "{mask: kind, masks: [m]}",
      "badData Task 't': FOLDER/t.csv (training) has no masks. Use format: masks or npz."
    ),
  ])
  func aTableThatDoesNotFit(input: String, task: String, message: String) {
    let head = task.contains("mask") ? ", layers: [reshape: [1, 1, 1]]" : ""
    let text = RecipeTexts.brief(data: "{format: csv, path: t.csv}", input: input, task: task, head: head)
    #expect(failure { try folder.data(text) } == message.replacing("FOLDER", with: folder.path))
  }

  @Test func aWeightOfAClassThatTheDataLackNamesTheRecipe() throws {
    let text = RecipeTexts.brief(
      data: "{format: csv, path: t.csv}", input: "{columns: [a]}", task: "{labels: kind}",
      head: ", class_weights: {cta: 2}")
    let resolved = try folder.data(text).resolved
    #expect(
      failure { try resolved.modelGraph() }
        == "badData Recipe 'brief': Head 't': unknown class name 'cta' in class_weights. Known class names: cat, dog. Did you mean 'cat'?"
    )
  }

  @Test func aClassOnlyOutsideTrainingIsOneError() throws {
    try folder.write(RecipeTexts.table.replacing("9,10,dog", with: "9,10,bird"), to: "t.csv")
    let text = RecipeTexts.brief(
      data: "{format: csv, path: t.csv, \(split)}", input: "{columns: [a]}", task: "{labels: kind}")
    #expect(
      failure { try folder.data(text) }
        == "badData \(folder.path)/t.csv:10: column 'kind' is 'bird', a class that no training row has. List every class in tasks.t.classes, or move a row of it to training (stratify: kind does where a fraction is drawn)."
    )
  }

  @Test func aFileThatIsNowhereIsNamedWithEveryPlace() {
    let text = RecipeTexts.brief(
      data: "{format: csv, path: deep/u.csv}", input: "{columns: [a]}", task: "{labels: kind}")
    #expect(
      failure { try folder.data(text) }
        == "missingInput deep/u.csv: no such file or folder. Looked for \(folder.path)/deep/u.csv, \(folder.path)/u.csv. -> changingDataFolder"
    )
    let search = DatasetSearch(environment: { $0 == "MTLF_DATA" ? "/nowhere" : nil })
    #expect(
      failure { try RecipeData(Recipe.parse(text, file: "my.yaml"), search: search, recipeFolder: "mine") }
        == "missingInput deep/u.csv: no such file or folder. Looked for /nowhere/deep/u.csv, /nowhere/u.csv, mine/deep/u.csv, deep/u.csv. -> namingDataFolder"
    )
  }

  @Test func theFoldersOwnNameMayBeLeftOut() throws {
    let text = RecipeTexts.brief(
      data: "{format: csv, path: deep/t.csv}", input: "{columns: [a]}", task: "{labels: kind}")
    #expect(try folder.data(text).training.count == 10)
  }

  // MARK: Hierarchies

  private func hierarchy(_ rows: String) throws -> RecipeData {
    try folder.write("x,fine,coarse\n\(rows)\n", to: "h.csv")
    return try folder.data(
      """
      {recipe: 1, name: h, data: {format: csv, path: h.csv}, inputs: {x: {columns: [x]}},
       tasks: {fine: {labels: fine, parent: coarse}, coarse: {labels: coarse}},
       heads: {fine: {from: x}, coarse: {from: fine.logits}}}
      """)
  }

  @Test func parentsAreFound() throws {
    let data = try hierarchy("1,oak,plant\n2,cat,animal\n3,dog,animal\n4,dog,")
    let head = try data.resolved.modelGraph().heads[0]
    #expect(head.task.names == ["cat", "dog", "oak"])
    #expect(head.hierarchy == ClassHierarchy(parent: "coarse", parents: [0, 0, 1]))
    #expect(head.metrics.contains(.consistency))
    #expect(try data.resolved.yaml().contains("parent: {task: coarse, classes: [0, 0, 1]}"))
    #expect(try Recipe.parse(data.resolved.yaml(), file: "again.yaml") == data.resolved)
  }

  @Test func aClassWithTwoParentsOrNoneIsRefused() {
    #expect(
      failure { try hierarchy("1,oak,plant\n2,cat,animal\n3,cat,plant") }
        == "badData Task 'fine': class 'cat' has two parents in task 'coarse': 'animal' and 'plant'. Leave parent out, or correct the labels."
    )
    #expect(
      failure { try hierarchy("1,oak,plant\n2,cat,\n3,dog,animal") }
        == "badData Task 'fine': no training sample tells the parent of class 'cat' in task 'coarse'. Name the parents: parent: {task: coarse, classes: [...]}."
    )
  }

  // MARK: Streams

  @Test func streamsAreDividedEachByItsOwnRule() throws {
    try folder.write("u,v,y\n" + (0..<20).map { "\($0),\($0 % 3),\($0 * 2)\n" }.joined(), to: "u.csv")
    let text = """
      recipe: 1
      name: streams
      data:
        streams:
          animals: {format: csv, path: t.csv, \(split)}
          numbers: {format: csv, path: u.csv, validation: {fraction: 0.25}}
          tests: {format: csv, training: u.csv, test: u.csv, validation: test}
      inputs:
        a: {columns: [a], from: animals}
        u: {columns: all, from: numbers}
        v: {columns: [v], from: tests}
      tasks:
        kind: {labels: kind}
        y: {target: y}
        third: {labels: v, map: {first: [0], other: [1, 2]}}
      heads:
        kind: {from: a}
        y: {from: u}
        third: {from: v}
      """
    let data = try folder.data(text)
    #expect(data.training.streams.map(\.count) == [6, 15, 20])
    #expect(data.training.count == 20)
    #expect(data.validation?.streams.map(\.count) == [2, 5, 20])
    #expect(data.test?.streams.map(\.count) == [2, 20])
    #expect(data.training.streams.map { $0.targets.keys.sorted() } == [["kind"], ["y"], ["third"]])
    #expect(data.validatesOnTest)
    // The input of one stream may use the label column of another.
    #expect(data.resolved.inputs[1].values == .columns(["u", "v"]))
    #expect(try Recipe.parse(data.resolved.yaml(), file: "again.yaml") == data.resolved)
    #expect(try data.resolved.testSamples(search: folder.search).streams.map(\.count) == [2, 20])

    let single = try Recipe.parse(text, file: "my.yaml").singleTask("y")
    let alone = try RecipeData(single, search: folder.search)
    #expect(alone.training.streams.map(\.count) == [15])
    #expect(alone.training.numbers("y") == data.training.numbers("y"))
    #expect(
      failure { try single.testSamples(search: folder.search) }
        == "usage Recipe 'streams-y': its data have no test part. Name one in data.")
    // A table with the columns of two streams serves both.
    try folder.write("a,u,v\n1,2,3\n", to: "new.csv")
    let (samples, lines) = try data.resolved.predictionSamples(table: "\(folder.path)/new.csv")
    #expect(samples.streams[0].inputs.keys.sorted() == ["a", "u", "v"] && lines == [2])
  }

  @Test func namesAreFoundWithoutReadingImages() throws {
    try folder.write("file,style\nmissing.png,old\nmissing.png,new\n", to: "l.csv")
    let recipe = try Recipe.parse(
      RecipeTexts.brief(
        data: "{format: images, path: l.csv, images: file}", input: "{shape: [2, 2, 3], from: image}",
        task: "{labels: style}", layers: "[flatten]"), file: "my.yaml")
    #expect(recipe.modelNeedsData)
    let named = try recipe.withNames(search: folder.search)
    #expect(!named.modelNeedsData)
    #expect(try named.modelGraph().heads[0].task.names == ["new", "old"])
    let built = try RecipeSource.find("cifar100").recipe()
    #expect(try built.withNames(search: folder.search).modelGraph().heads[1].task.names.count == 20)
  }

  // MARK: Prediction

  @Test func rowsWithoutLabels() throws {
    let data = try folder.data(
      RecipeTexts.brief(data: "{format: csv, path: t.csv}", input: "{columns: [a, b]}", task: "{labels: kind}"))
    try folder.write("b,a\n1,2\n3,4\n", to: "new.csv")
    let (samples, lines) = try data.resolved.predictionSamples(table: "\(folder.path)/new.csv")
    #expect(samples.floats("x") == [2, 1, 4, 3] && lines == [2, 3])
    #expect(samples.input(named: "x")?.standardization?.mean == [5.5, 10])
    try folder.write("a\n1\n", to: "new.csv")
    #expect(
      failure { try data.resolved.predictionSamples(table: "\(folder.path)/new.csv") }
        == "badData \(folder.path)/new.csv: has the columns of no input: input 'x' needs column 'b'.")
    #expect(
      failure { try data.resolved.predictionSamples(images: ["a.png"]) }
        == "usage Recipe 'brief': has no image input, so it can't predict from images.")
  }
}
