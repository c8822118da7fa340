// SPDX-License-Identifier: Apache-2.0
// Augmentation in training: masks move with their images, and nothing moves in evaluation.

import Kernels
import MTLFast
import MTLFastTraining
import Testing

@Suite struct AugmentationTests {
  private static let count = 64

  /// Images of 8 x 8 pixels, 0 or 255, whose masks are the images; or bright on the left half alone.
  private func samples(_ augmentation: Augmentation?, halves: Bool = false) -> Samples {
    let draws = RandomStream(seed: 1, purpose: "pixels").words(count: Self.count * 64)
    let bits = (0..<Self.count * 64).map { halves ? UInt8($0 % 8 < 4 ? 1 : 0) : UInt8(draws[$0] >> 31) }
    return Samples(
      name: "bits", count: Self.count,
      inputs: [
        "input": .init(
          column: .bytes(shape: [8, 8, 1], values: bits.map { $0 * 255 }), scale: 1 / 255, augmentation: augmentation)
      ],
      targets: ["mask": .mask(MaskColumn(shape: [8, 8, 1], values: bits, classNames: ["off", "on"]))])
  }

  private static let task = Head.Task.segmentation(classNames: ["off", "on"])

  /// A 1x1 convolution that says what each pixel is: its loss is 0 wherever image and mask agree.
  private func pixelModel() throws -> MultiTaskModel {
    let model = try MultiTaskModel(
      input: [8, 8, 1], trunk: [], heads: [HeadDescription("mask", task: Self.task)], seed: 0)
    try model.setParameter("mask.logits.kernel", to: [-20, 20])
    try model.setParameter("mask.logits.bias", to: [10, -10])
    return model
  }

  /// Biases that say left is on and right is off, whatever the image.
  private func placeModel() throws -> MultiTaskModel {
    let model = try MultiTaskModel(
      input: [8, 8, 1], trunk: [Flatten()], heads: [HeadDescription("mask", task: Self.task)], seed: 0)
    try model.setParameter("mask.logits.kernel", to: [Float](repeating: 0, count: 64 * 128))
    // [8, 8, 2]: the second class on the left half, the first on the right.
    try model.setParameter("mask.logits.bias", to: (0..<128).map { ($0 / 2 % 8 < 4) == ($0 % 2 == 1) ? 10 : 0 })
    return model
  }

  /// The scores of an epoch in which no weight moves, and of the samples after it.
  private func scores(
    _ model: MultiTaskModel, _ samples: Samples
  ) throws -> (training: TaskScore, test: TaskScore, steps: [TaskScore]) {
    let recorder = StepRecorder()
    let trainer = try Trainer(model, optimizer: .sgd(learningRate: 1e-30), threads: 2)
    let history = try trainer.fit(samples, test: samples, epochs: 1, batchSize: 10, callbacks: [recorder])
    return (
      try #require(history.epochs[0].training["mask"]), try #require(history.epochs[0].test?["mask"]),
      recorder.steps.compactMap { $0.scores["mask"] }
    )
  }

  private func pixels(_ score: TaskScore) -> Int { score.confusion?.flatMap { $0 }.reduce(0, +) ?? 0 }

  @Test func masksMoveWithTheirImages() throws {
    for augmentation in [
      try Augmentation(flip: true), try Augmentation(pad: 3), try Augmentation(flip: true, pad: 7),
    ] {
      let found = try scores(pixelModel(), samples(augmentation))
      #expect(try #require(found.training.loss) < 1e-4, "\(augmentation)")
      #expect(found.training[.pixelAccuracy] == 1)
      #expect(found.training.present == Self.count)
    }
  }

  /// Whatever other inputs the head depends on, and wherever they stand.
  @Test func masksMoveWithTheImageBesideOtherInputs() throws {
    var graph = ModelGraph()
    let vector = try graph.addInput("vector", shape: [64])
    let image = try graph.addInput("input", shape: [8, 8, 1])
    let plane = try graph.add(Reshape([8, 8, 1]), named: "plane", reading: vector)
    let both = try graph.add(Concatenate(), named: "both", reading: [plane, image])
    let logits = try graph.addOutput(Self.task, loss: nil, named: "mask", reading: both)
    try graph.addHead(Head(name: "mask", logits: logits, task: Self.task))
    let model = try MultiTaskModel(graph: graph, seed: 0)
    try model.setParameter("mask.logits.kernel", to: [0, 0, -20, 20])
    try model.setParameter("mask.logits.bias", to: [10, -10])
    let stream = samples(try Augmentation(flip: true, pad: 3)).streams[0]
    let zeros = InputColumn.floats(shape: [64], values: [Float](repeating: 0, count: Self.count * 64))
    let found = try scores(
      model,
      Samples(
        name: "bits", count: Self.count, inputs: stream.inputs.merging(["vector": .init(column: zeros)]) { $1 },
        targets: stream.targets))
    #expect(found.training[.pixelAccuracy] == 1)
  }

  @Test func masksThatCannotMoveAreRefused() throws {
    func refusal(_ first: Augmentation?, _ second: Augmentation?, pooled: Bool) throws -> String? {
      var graph = ModelGraph()
      let images = try ["a", "b"].map { try graph.addInput($0, shape: [8, 8, 1]) }
      var node = try graph.add(Concatenate(), named: "both", reading: images)
      if pooled { node = try graph.add(MaxPool2D(poolSize: 2), named: "pool", reading: node) }
      let logits = try graph.addOutput(Self.task, loss: nil, named: "mask", reading: node)
      try graph.addHead(Head(name: "mask", logits: logits, task: Self.task))
      let side = pooled ? 4 : 8
      let image = InputColumn.bytes(shape: [8, 8, 1], values: [UInt8](repeating: 0, count: 64))
      let mask = MaskColumn(
        shape: [side, side, 1], values: [UInt8](repeating: 0, count: side * side), classNames: ["off", "on"])
      let samples = Samples(
        name: "bits", count: 1,
        inputs: ["a": .init(column: image, augmentation: first), "b": .init(column: image, augmentation: second)],
        targets: ["mask": .mask(mask)])
      do { try samples.check(against: graph) } catch let error as MTLFastError { return error.message }
      return nil
    }
    let flip = try Augmentation(flip: true)
    let pad = try Augmentation(pad: 2)
    #expect(try refusal(flip, flip, pooled: false) == nil)
    #expect(try refusal(flip, flip, pooled: true) == nil)
    #expect(
      try refusal(flip, nil, pooled: false)
        == "Head 'mask': its masks can't move with both 'a' and 'b', whose augment differs. Give both the same flip and pad."
    )
    #expect(
      try refusal(pad, pad, pooled: true)
        == "Head 'mask': its masks are 4x4 but 'a' is 8x8, so they can't move with augment.pad. Use masks of the image's size, or flip alone."
    )
  }

  /// What a crop brings in from outside has no label.
  @Test func padsAreIgnored() throws {
    let whole = Self.count * 64
    #expect(pixels(try scores(pixelModel(), samples(Augmentation(flip: true))).training) == whole)
    let padded = pixels(try scores(pixelModel(), samples(Augmentation(pad: 3))).training)
    // A shift by 0 to 3 rows and columns, 12 / 7 in the mean, takes as many out of the image.
    let expected = Double(Self.count) * (8 - 12.0 / 7) * (8 - 12.0 / 7)
    #expect(abs(Double(padded) - expected) < 0.15 * expected)
  }

  @Test func halfOfTheImagesAreFlipped() throws {
    #expect(try #require(scores(placeModel(), samples(nil, halves: true)).training.loss) < 1e-4)
    let flipped = try scores(placeModel(), samples(Augmentation(flip: true), halves: true)).training
    // Each pixel of a flipped image costs 10.
    #expect((3...7).contains(try #require(flipped.loss)))
  }

  /// A cutout takes pixels from the image, not from the mask.
  @Test func cutoutsKeepTheirLabels() throws {
    let found = try scores(pixelModel(), samples(Augmentation(cutout: 4))).training
    #expect(pixels(found) == Self.count * 64)
    let matrix = try #require(found.confusion)
    #expect(matrix[0][1] == 0 && matrix[1][0] > 0)
    // Of 64 pixels 9 to 16 are cut, about half of them are on.
    let share = Double(matrix[1][0]) / Double(Self.count * 64)
    #expect((0.05...0.14).contains(share))
  }

  @Test func evaluationChangesNothing() throws {
    for model in [try pixelModel(), try placeModel()] {
      let augmented = samples(try Augmentation(flip: true, pad: 3, cutout: 5), halves: true)
      let found = try scores(model, augmented)
      #expect(
        found.test == (try Evaluator(model, batchSize: 64, threads: 1).evaluate(samples(nil, halves: true)))["mask"])
      #expect(try #require(found.test.loss) < 1e-4)
      #expect(found.training.loss != found.test.loss)
      let predicting = try Evaluator(model, batchSize: 9, threads: 2, predicts: true)
      #expect(
        try predicting.predict(augmented, at: [3, 60]).map(\.values)
          == predicting.predict(samples(nil, halves: true), at: [3, 60]).map(\.values))
    }
  }

  /// Each epoch draws anew, each sample for itself.
  @Test func drawsFollowFromSeedEpochAndSample() throws {
    func losses(seed: UInt64) throws -> [Double?] {
      let graph = try placeModel()
      let model = try MultiTaskModel(graph: graph.graph, seed: seed)
      for parameter in graph.parameters { try model.setParameter(parameter.name, to: parameter.values) }
      let trainer = try Trainer(model, optimizer: .sgd(learningRate: 1e-30), threads: 2)
      let history = try trainer.fit(samples(Augmentation(flip: true, pad: 2), halves: true), epochs: 3, batchSize: 10)
      return history.epochs.map { $0.training["mask"]?.loss }
    }
    let found = try losses(seed: 1)
    #expect(Set(found).count == 3)
    #expect(try losses(seed: 1) == found)
    #expect(try losses(seed: 2) != found)
  }
}
