// SPDX-License-Identifier: Apache-2.0
// Every way in which samples don't fit a model, by its text.

import MTLFast
import MTLFastTraining
import Testing

@Suite struct SamplesCheckTests {
  /// An image and a row of three numbers; a class, two numbers, a class of each pixel and two masks.
  private static func model() throws -> MultiTaskModel {
    var graph = ModelGraph()
    let image = try graph.addInput("image", shape: [4, 4, 2])
    let row = try graph.addInput("row", shape: [3])
    func head(_ name: String, _ task: Head.Task, reading node: Int) throws {
      try graph.addHead(
        Head(name: name, logits: try graph.addOutput(task, loss: nil, named: name, reading: node), task: task))
    }
    try head("kind", .classification(classNames: ["cat", "dog"]), reading: row)
    try head("sizes", .regression([RegressionTarget("height"), RegressionTarget("width")]), reading: row)
    try head("scene", .segmentation(classNames: ["sky", "road"]), reading: image)
    try head("things", .masks(names: ["a", "b"]), reading: image)
    return try MultiTaskModel(graph: graph, seed: 0)
  }

  private static let count = 3

  /// Samples that fit.
  struct Parts {
    var name = "rows.csv"
    var count = SamplesCheckTests.count
    var inputs: [String: Samples.Input] = [
      "image": .init(column: .bytes(shape: [4, 4, 2], values: [UInt8](repeating: 1, count: 3 * 32))),
      "row": .init(column: .floats(shape: [3], values: [Float](repeating: 1, count: 9))),
    ]
    var targets: [String: TargetColumn] = [
      "kind": kind([0, -1, 1]), "sizes": sizes([1, .nan, .nan, .nan, 2, 3]),
      "scene": mask([4, 4, 1], [UInt8](repeating: 255, count: 16) + [UInt8](repeating: 1, count: 32)),
      "things": mask([4, 4, 2], [UInt8](repeating: 1, count: 96)),
    ]
    var samples: Samples { Samples(name: name, count: count, inputs: inputs, targets: targets) }
  }

  private static func kind(_ values: [Int32]) -> TargetColumn {
    .classes(LabelColumn(values: values, classNames: ["cat", "dog"]))
  }
  private static func sizes(_ values: [Float], _ names: [String] = ["height", "width"]) -> TargetColumn {
    .values(ValueColumn(names: names, values: values))
  }
  private static func mask(_ shape: Shape, _ values: [UInt8]) -> TargetColumn {
    .mask(MaskColumn(shape: shape, values: values, classNames: ["x", "y"]))
  }
  private static func bytes(_ shape: Shape, count: Int = count) -> Samples.Input {
    .init(column: .bytes(shape: shape, values: [UInt8](repeating: 1, count: count * shape.elementCount)))
  }
  private static func bytes(augmentation: Augmentation) -> Samples.Input {
    .init(column: bytes([4, 4, 2]).column, augmentation: augmentation)
  }
  private static func bytes(mean: [Float], _ deviation: [Float]) -> Samples.Input {
    .init(column: bytes([4, 4, 2]).column, standardization: (mean, deviation))
  }

  struct Case: CustomTestStringConvertible, Sendable {
    let kind: MTLFastError.Kind
    let message: String
    let change: @Sendable (inout Parts) throws -> Void
    var testDescription: String { message }
    init(_ kind: MTLFastError.Kind, _ message: String, _ change: @escaping @Sendable (inout Parts) throws -> Void) {
      (self.kind, self.message, self.change) = (kind, message, change)
    }
  }

  static let cases: [Case] = [
    Case(.badData, "rows.csv: has 0 samples. Training and evaluation need 1 or more.") {
      $0 = Parts(count: 0, inputs: [:], targets: [:])
    },
    Case(.badData, "rows.csv: input 'image' has 4 samples of 3.") { $0.inputs["image"] = bytes([4, 4, 2], count: 4) },
    Case(.badData, "rows.csv: head 'kind' has 2 labels for 3 samples.") { $0.targets["kind"] = kind([0, 1]) },
    Case(.usage, "rows.csv: has no column for the input 'row'.") { $0.inputs["row"] = nil },
    Case(.badData, "rows.csv: input 'image' is 4x2x4 but the model expects 4x4x2.") {
      $0.inputs["image"] = bytes([4, 2, 4])
    },
    Case(
      .usage,
      "rows.csv: input 'image' has 2 channels but 1 means and 2 standard deviations; each must be above 0."
    ) { $0.inputs["image"] = bytes(mean: [1], [1, 1]) },
    Case(
      .usage,
      "rows.csv: input 'image' has 2 channels but 2 means and 2 standard deviations; each must be above 0."
    ) { $0.inputs["image"] = bytes(mean: [1, 1], [1, 0]) },
    Case(.usage, "Input 'image': augment.pad is 4 but the image is 4x4x2. Use less than its sides.") {
      $0.inputs["image"] = bytes(augmentation: try Augmentation(pad: 4))
    },
    Case(
      .usage, "rows.csv: labels are given for 'knid' but the heads are kind, sizes, scene, things."
    ) { parts in
      parts.targets["knid"] = parts.targets["kind"]
      parts.targets["kind"] = nil
    },
    Case(.usage, "rows.csv: has no labels for any of the heads kind, sizes, scene, things.") { $0.targets = [:] },
    Case(
      .badData,
      "Head 'kind': labels contain 2 at row 1 of rows.csv but the head has 2 classes (0...1). Check the label column or set classes: 3."
    ) { $0.targets["kind"] = kind([0, 2, 1]) },
    Case(
      .badData,
      "Head 'kind': labels contain -2 at row 2 of rows.csv but the head has 2 classes (0...1). Check the label column."
    ) {
      $0.targets["kind"] = kind([0, 1, -2])
    },
    Case(.badData, "Head 'sizes': rows.csv has 1 values a sample but the head predicts 2.") {
      $0.targets["sizes"] = sizes([1, 2, 3], ["height"])
    },
    Case(.badData, "Head 'sizes': rows.csv has an infinite value at row 1. Check the column.") {
      $0.targets["sizes"] = sizes([1, 2, 3, .infinity, 5, 6])
    },
    Case(.badData, "Head 'scene': masks of rows.csv are 2x8x1 but the head's are 4x4x1.") {
      $0.targets["scene"] = mask([2, 8, 1], [UInt8](repeating: 1, count: 48))
    },
    Case(
      .badData,
      "Head 'scene': the mask of row 2 of rows.csv contains 2 but its labels are 0...1. Name others in ignore."
    ) { $0.targets["scene"] = mask([4, 4, 1], [UInt8](repeating: 0, count: 47) + [2]) },
    Case(.badData, "Head 'things': masks of rows.csv are 4x4x1 but the head's are 4x4x2.") {
      $0.targets["things"] = mask([4, 4, 1], [UInt8](repeating: 1, count: 48))
    },
    Case(
      .badData,
      "Head 'things': the mask of row 0 of rows.csv contains 9 but its labels are 0...1. Name others in ignore."
    ) { $0.targets["things"] = mask([4, 4, 2], [9] + [UInt8](repeating: 0, count: 95)) },
    Case(
      .badData, "Head 'kind': the targets of rows.csv are of another kind than its task. Check the recipe's task."
    ) { $0.targets["kind"] = sizes([1, 2, 3], ["height"]) },
    Case(
      .badData, "Head 'things': the targets of rows.csv are of another kind than its task. Check the recipe's task."
    ) { $0.targets["things"] = kind([0, 1, 1]) },
  ]

  @Test(arguments: cases) func whatDoesNotFitIsSaid(wrong: Case) throws {
    let model = try Self.model()
    var parts = Parts()
    try parts.samples.check(against: model.graph)
    try wrong.change(&parts)
    #expect(throws: MTLFastError(wrong.kind, wrong.message)) { try parts.samples.check(against: model.graph) }
    // It is said before a step is taken.
    let trainer = try Trainer(model, optimizer: .adam(), threads: 1)
    #expect(throws: MTLFastError.self) { _ = try trainer.fit(parts.samples, epochs: 1, batchSize: 2) }
    #expect(trainer.step == 0)
  }

  @Test func streamsThatDoNotFit() throws {
    let graph = try Self.model().graph
    let parts = Parts()
    func stream(_ name: String, _ inputs: [String], _ targets: [String]) -> Samples.Stream {
      Samples.Stream(
        name: name, count: Self.count, inputs: parts.inputs.filter { inputs.contains($0.key) },
        targets: parts.targets.filter { targets.contains($0.key) })
    }
    #expect(throws: MTLFastError(.badData, "none: has no samples.")) {
      try Samples(name: "none", streams: []).check(against: graph)
    }
    let fitting = Samples(
      name: "both", streams: [stream("images", ["image"], ["scene"]), stream("rows", ["row"], ["kind", "sizes"])])
    try fitting.check(against: graph)
    #expect(
      throws: MTLFastError(
        .badData,
        "Head 'kind': its targets are of 'images' but it depends on the input 'row', which is of other samples. A head needs all its inputs from the stream of its targets."
      )
    ) {
      try Samples(
        name: "both", streams: [stream("images", ["image"], ["kind", "scene"]), stream("rows", ["row"], ["sizes"])]
      ).check(against: graph)
    }
  }

  /// A twin's columns that nobody asks for, and heads without a column, are no errors alone.
  @Test func columnsMayBeLeftOverOrMissing() throws {
    let graph = try Self.model().graph
    var parts = Parts()
    parts.targets["other"] = parts.targets["kind"]
    try parts.samples.check(against: graph)
    parts = Parts()
    parts.targets["kind"] = nil
    try parts.samples.check(against: graph)
    // An input that only heads without targets need.
    parts.targets["sizes"] = nil
    parts.inputs["row"] = nil
    try parts.samples.check(against: graph)
  }
}
