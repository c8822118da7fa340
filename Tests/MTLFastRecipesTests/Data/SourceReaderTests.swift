// SPDX-License-Identifier: Apache-2.0
// Images, masks, arrays, IDX and generated data as samples.

import MTLFast
import MTLFastData
import MTLFastRecipes
import MTLFastTraining
import Testing

@Suite struct SourceReaderTests {
  private let folder: DataFolder

  init() throws { folder = try DataFolder() }

  @Test func imagesOfATable() throws {
    for index in 0..<4 {
      try folder.writeImage(
        [UInt8](repeating: UInt8(60 * index), count: 4 * 6), height: 4, width: 6, channels: 1, to: "art/\(index).png")
    }
    try folder.write(
      "file,style,x0,y0,x1,y1\n0.png,old,0,0,4,4\n1.png,new,0,0,4,4\n2.png,,0,0,6,4\n3.png,old,1,1,3,3\n",
      to: "art/l.csv")
    let text = RecipeTexts.brief(
      data: "{format: images, path: art/l.csv, images: file, box: [x0, y0, x1, y1]}",
      input: "{shape: [2, 2, 3], scale: 1/255, normalize: true, augment: {flip: true, pad: 1}}",
      task: "{labels: style}",
      layers: "[flatten]")
    let data = try folder.data(text)
    #expect(data.training.bytes("x")?.count == 4 * 12)
    #expect(data.training.bytes("x")?[12] == 60)
    #expect(data.training.labels("t") == [1, 0, -1, 1])
    let input = try #require(data.training.input(named: "x"))
    #expect(input.standardization?.mean == [Float](repeating: Float(90 * Double(Float(1) / 255)), count: 3))
    #expect(input.augmentation == (try Augmentation(flip: true, pad: 1)))
    #expect(try Recipe.parse(data.resolved.yaml(), file: "again.yaml") == data.resolved)

    // A bad image is an error, or left out of every column.
    try folder.write("no image", to: "art/1.png")
    #expect(failure { try folder.data(text) }.hasPrefix("badData "))
    var notes: [String] = []
    let recipe = try Recipe.parse(
      text.replacing("labels: style", with: "labels: style, classes: [new, old]"), file: "my.yaml")
    let skipped = try RecipeData(recipe, search: folder.search, skipsBad: true) { notes.append($0) }
    #expect(skipped.training.labels("t") == [1, -1, 1])
    #expect(notes.count == 1 && notes[0].contains("1 bad image was left out"))

    let (predicted, _) = try data.resolved.predictionSamples(images: [
      "\(folder.path)/art/3.png", "\(folder.path)/art/0.png",
    ])
    #expect(predicted.bytes("x")?[0] == 180)
    #expect(predicted.streams[0].targets.isEmpty)
    #expect(predicted.input(named: "x")?.augmentation == nil)
    #expect(predicted.input(named: "x")?.standardization?.mean == input.standardization?.mean)
  }

  @Test(arguments: [3, 12]) func badImagesThatAreLeftOutAreListed(bad: Int) throws {
    try folder.writeImage([1, 2, 3, 4], height: 2, width: 2, channels: 1, to: "good.png")
    var table = "file,kind\ngood.png,a\ngood.png,b\n"
    for index in 0..<bad {
      try folder.write("no image", to: "\(index).png")
      table += "\(index).png,a\n"
    }
    try folder.write(table, to: "l.csv")
    let recipe = try Recipe.parse(
      RecipeTexts.brief(
        data: "{format: images, path: l.csv, images: file}", input: "{shape: [2, 2, 1]}", task: "{labels: kind}",
        layers: "[flatten]"), file: "my.yaml")
    var notes: [String] = []
    _ = try RecipeData(recipe, search: folder.search, skipsBad: true) { notes.append($0) }
    let lines = try #require(notes.first).split(separator: "\n").map(String.init)
    #expect(notes.count == 1 && lines[0] == "\(folder.path)/l.csv (training): \(bad) bad images were left out:")
    for index in 0..<min(bad, 10) { #expect(lines[1 + index].hasPrefix("  \(folder.path)/\(index).png (row ")) }
    #expect(lines.count == (bad == 3 ? 4 : 12) && (bad == 3 || lines[11] == "  and 2 more"))
  }

  @Test func aCacheThatCannotBeWrittenIsToldOnce() throws {
    try folder.writeImage([1, 2, 3, 4], height: 2, width: 2, channels: 1, to: "a.png")
    try folder.write("file,kind,use\na.png,x,in\na.png,y,in\na.png,x,out\n", to: "l.csv")
    try folder.write("no folder", to: "mtl-fast")
    var notes: [String] = []
    _ = try folder.data(
      RecipeTexts.brief(
        data: "{format: images, path: l.csv, images: file, split: {column: use, training: in, test: out}}",
        input: "{shape: [2, 2, 1]}", task: "{labels: kind}", layers: "[flatten]")
    ) { notes.append($0) }
    #expect(notes.count == 1 && notes[0].hasPrefix("The image cache was not written"))
  }

  @Test func foldersOfMasks() throws {
    for part in ["train", "test"] {
      for (index, name) in ["a", "b"].enumerated() {
        try folder.writeImage(
          [UInt8](repeating: 9, count: 12), height: 2, width: 2, channels: 3, to: "\(part)/i/\(name).png")
        guard part == "train" || index == 0 else { continue }
        try folder.writeImage([0, 1, 2, 11], height: 2, width: 2, channels: 1, to: "\(part)/m/\(name).png")
      }
    }
    try folder.write("sky\nroad\ncar\nvoid\n", to: "names.txt")
    func data(_ task: String, validation: String = "none") throws -> RecipeData {
      try folder.data(
        RecipeTexts.brief(
          data:
            "{format: masks, training: {images: train/i, masks: train/m}, validation: \(validation), test: {images: test/i, masks: test/m}}",
          input: "{shape: [2, 2, 3], from: image}", task: task, layers: "[flatten]"))
    }
    let road = try data("{mask: mask, map: {road: [1], vehicles: [2]}, ignore: [11]}")
    #expect(road.training.mask("t") == [0, 0, 1, 0, 0, 1, 255, 255, 0, 0, 1, 0, 0, 1, 255, 255])
    // An image without a mask has no labels.
    #expect(road.test?.target(of: "t")?.presentCount == 1)
    #expect(try road.resolved.modelGraph().nodes.last?.shape == [2, 2, 2])
    let classes = try data("{mask: mask, classes: names.txt, ignore: [11]}", validation: "test")
    #expect(classes.resolved.tasks[0].names == ["sky", "road", "car", "void"])
    #expect(classes.training.mask("t")?.prefix(4) == [0, 1, 2, 255])
    #expect(classes.validation?.count == 2 && classes.validatesOnTest)
    // The ignored value's name makes no class.
    let without = try data("{mask: mask, classes: [sky, road, car], ignore: [0, 11]}")
    #expect(without.resolved.tasks[0].names == ["road", "car"])
    #expect(without.training.mask("t")?.prefix(4) == [255, 0, 1, 255])
    let halved = try data("{mask: mask, masks: [any]}", validation: "{fraction: 0.5}")
    #expect(halved.training.mask("t") == [0, 1, 1, 1])
    #expect(halved.validation?.count == 1)
    #expect(try Recipe.parse(classes.resolved.yaml(), file: "again.yaml") == classes.resolved)
  }

  @Test func arraysOfAFolder() throws {
    try folder.writeArray((0..<12).map(Float.init), shape: [4, 3], to: "train/x.npy")
    try folder.writeArray([0, 1, -1, 1], shape: [4], to: "train/label.npy")
    try folder.writeArray([1, .nan, 3, 5], shape: [4], to: "train/size.npy")
    let text = RecipeTexts.brief(data: "{format: npz, training: train}", input: "{shape: [3]}", task: "{labels: label}")
    let data = try folder.data(text)
    #expect(data.training.labels("t") == [0, 1, -1, 1])
    #expect(data.training.floats("x")?.count == 12)
    #expect(data.resolved.tasks[0].names == ["0", "1"])
    let sizes = try folder.data(text.replacing("labels: label", with: "target: size"))
    #expect(sizes.training.target(of: "t")?.presentCount == 3)
    guard case .values(let numbers) = sizes.resolved.tasks[0].target else {
      Issue.record("no numbers")
      return
    }
    #expect(numbers.normalization == .by(mean: [3], standardDeviation: [Float((8.0 / 3).squareRoot())]))
    #expect(
      failure { try folder.data(text.replacing("{labels: label}", with: "{labels: lable}")) }
        == "badData Task 't': unknown array 'lable' in \(folder.path)/train. Known arrays: label, size, x. Did you mean 'label'?"
    )
    let predicted = try data.resolved.predictionSamples(arrays: "\(folder.path)/train")
    #expect(predicted.count == 4 && predicted.streams[0].targets.isEmpty)
    try folder.writeArray([1, 2, 3], shape: [1, 3], to: "other.npy")
    #expect(try data.resolved.predictionSamples(arrays: "\(folder.path)/other.npy").floats("x") == [1, 2, 3])
  }

  @Test func arraysOfAnotherCount() throws {
    try folder.writeArray((0..<12).map(Float.init), shape: [4, 3], to: "train/x.npy")
    // Neither the first array, nor a single number, that nothing names matters.
    try folder.writeArray([1, 2], shape: [2], to: "train/a.npy")
    try folder.writeArray([7], shape: [], to: "train/b.npy")
    let text = RecipeTexts.brief(
      data: "{format: npz, training: train, validation: {fraction: 0.5, stratify: group}}", input: "{shape: [3]}",
      task: "{labels: label}")
    try folder.writeArray([0, 1, 0, 1], shape: [4], to: "train/group.npy")
    try folder.writeArray([0, 1, 0, 1], shape: [4], to: "train/label.npy")
    #expect(try folder.data(text).training.count == 2)
    for count in [3, 5] {
      try folder.writeArray([Float](repeating: 1, count: count), shape: [count], to: "train/label.npy")
      #expect(
        failure { try folder.data(text) }
          == "badData \(folder.path)/train: array 'x' has 4 samples but array 'label' has \(count). Give both the same samples in the same order."
      )
    }
    try folder.writeArray([0, 1, 0, 1], shape: [4], to: "train/label.npy")
    try folder.writeArray([0, 1], shape: [2], to: "train/group.npy")
    #expect(failure { try folder.data(text) }.contains("but array 'group' has 2."))
  }

  @Test func arraysWithChannelsFirst() throws {
    try folder.writeArray([Float](repeating: 1, count: 36), shape: [2, 2, 3, 3], to: "train/x.npy")
    try folder.writeArray([Float](repeating: 1, count: 36), shape: [2, 2, 3, 3], to: "train/m.npy")
    func text(_ shape: String) -> String {
      RecipeTexts.brief(
        data: "{format: npz, training: train}", input: "{shape: \(shape)}", task: "{mask: m, masks: [a, b]}")
    }
    let advice = "It looks like [N, C, H, W]; write it as [N, H, W, C]."
    #expect(
      failure { try folder.data(text("[3, 3, 2]")) }
        == "badData \(folder.path)/train: Array 'x': has samples of shape 2x3x3 but the input's is 3x3x2. \(advice)")
    try folder.writeArray([Float](repeating: 1, count: 36), shape: [2, 3, 3, 2], to: "train/x.npy")
    #expect(
      failure { try folder.data(text("[3, 3, 2]")) }
        == "badData Task 't': \(folder.path)/train: Array 'm': has masks of shape 2x3x3 but the image has 3x3 pixels. \(advice)"
    )
  }

  @Test func idxFiles() throws {
    func word(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
    try folder.write(word(0x803) + word(3) + word(2) + word(2) + [UInt8](0..<12), to: "i")
    try folder.write(word(0x801) + word(3) + [0, 2, 1], to: "l")
    let data = try folder.data(
      RecipeTexts.brief(
        data: "{format: idx, training: {images: i, labels: l}, test: {images: i, labels: l}, validation: test}",
        input: "{shape: [2, 2, 1], from: image}", task: "{labels: label}", layers: "[flatten]"))
    #expect(data.training.labels("t") == [0, 2, 1])
    #expect(data.test?.bytes("x") == [UInt8](0..<12))
    #expect(data.resolved.tasks[0].names == ["0", "1", "2"])
    #expect(data.validatesOnTest && data.validation?.count == 3)
  }

  @Test func aPartOfIDXFilesWithoutTheLastClass() throws {
    func word(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
    func write(_ labels: [UInt8], to name: String) throws {
      try folder.write(word(0x803) + word(labels.count) + word(1) + word(1) + labels, to: "\(name)-i")
      try folder.write(word(0x801) + word(labels.count) + labels, to: "\(name)-l")
    }
    try write([0, 1, 2, 3], to: "a")
    try write([1, 0, 1], to: "b")
    func data(_ task: String, training: String = "a", test: String = "b") throws -> RecipeData {
      try folder.data(
        RecipeTexts.brief(
          data:
            "{format: idx, training: {images: \(training)-i, labels: \(training)-l}, test: {images: \(test)-i, labels: \(test)-l}}",
          input: "{shape: [1, 1, 1], from: image}", task: task, layers: "[flatten]"))
    }
    let mapped = try data("{labels: label, map: {even: [0, 2], odd: [1, 3]}}")
    #expect(mapped.training.labels("t") == [0, 1, 0, 1])
    #expect(mapped.test?.labels("t") == [1, 0, 1])
    #expect(
      failure { try data("{labels: label, map: {even: [0, 2], odd: [1, 7]}}") }
        == "badData Task 't': map names label 7 in 'odd' but 'label' has 4 classes (0...3).")
    #expect(try data("{labels: label}").test?.labels("t") == [1, 0, 1])
    #expect(
      failure { try data("{labels: label}", training: "b", test: "a") }.contains(
        "has label 3 but the task has 2 classes"))
  }

  @Test(arguments: ["simultaneous", "simultaneous-shared", "simultaneous-fcn"])
  func theSyntheticRecipesRun(name: String) throws {
    let recipe = try RecipeSource.find(name).recipe(overrides: [.set("data.training=20"), .set("data.test=5")])
    let data = try RecipeData(recipe, search: folder.search)
    #expect(data.resolved == recipe)
    #expect(data.training.count == 20 && data.test?.count == 5)
    let graph = try data.resolved.modelGraph()
    #expect(graph.nodes[graph.heads[1].logits].shape == [32, 32, 3])
    for head in data.training.streams[0].targets.keys { #expect(graph.heads.contains { $0.name == head }) }
  }
}
