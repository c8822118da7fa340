// SPDX-License-Identifier: Apache-2.0
// The same bytes for any number of threads and after a stop, for every built-in recipe and one of all layers and losses.

import Foundation
import MTLFast
import MTLFastData
import MTLFastRecipes
import MTLFastTraining
import Testing

@Suite(.serialized) struct RecipeDeterminismTests {
  /// Two epochs on a recipe's data, and the checkpoint file after them.
  static func checkpoint(
    of source: RecipeSource, _ overrides: [RecipeOverride], in folder: DataFolder, threads: Int
  ) throws -> Data {
    let data = try RecipeData(
      source.recipe(overrides: overrides), search: folder.search, recipeFolder: folder.path, threads: threads)
    let recipe = data.resolved
    let model = try MultiTaskModel(graph: recipe.modelGraph(), seed: recipe.training.seed)
    let trainer = try Trainer(model, optimizer: recipe.training.optimizer, threads: threads)
    let history = try trainer.fit(
      data.training, validation: data.validation, test: data.test, epochs: 2, batchSize: recipe.training.batchSize)
    #expect(history.threads == threads, "the team really had \(threads)")
    for epoch in history.epochs { #expect(epoch.training.loss.isFinite) }
    let path = try folder.file("checkpoints/\(threads).safetensors")
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Checkpoint(state: try trainer.state(), recipe: recipe.yaml(), tasks: recipe.heads.map(\.name)).write(to: path)
    return try Data(contentsOf: URL(fileURLWithPath: path))
  }

  static func expectSameBytes(of source: RecipeSource, _ overrides: [RecipeOverride], in folder: DataFolder) throws {
    let one = try checkpoint(of: source, overrides, in: folder, threads: 1)
    for threads in [2, 3] {
      #expect(try checkpoint(of: source, overrides, in: folder, threads: threads) == one, "\(threads) threads")
    }
  }

  @Test(arguments: BuiltInRecipe.names) func threadsDoNotChangeAByte(of name: String) throws {
    let folder = try DataFolder()
    let source = try RecipeSource.find(name)
    let recipe = try source.recipe()
    // A whole minibatch and a part of one, and of CIFAR-100 every class.
    let count = max(105, recipe.training.batchSize + 5)
    #expect(count % recipe.training.batchSize != 0)
    try Self.expectSameBytes(
      of: source, try folder.writeSamples(of: recipe, training: count, test: 9), in: folder)
  }

  @Test func threadsDoNotChangeAByteOfEveryLayerAndLoss() throws {
    let folder = try DataFolder()
    try Self.writeEverything(folder)
    try Self.expectSameBytes(of: Self.everything, [], in: folder)
    try Self.expectSameBytes(
      of: Self.everything, [try .set("training.optimizer={sgd: {momentum: 0.9, weight_decay: 0.01}}")], in: folder)
  }

  /// The sums of the running epoch are in the checkpoint: of classes, numbers and pixels.
  @Test(arguments: [2, 3, 6]) func aStopInMidEpochChangesNothing(step: Int) throws {
    let folder = try DataFolder()
    try Self.writeEverything(folder)
    let data = try RecipeData(Self.everything.recipe(), search: folder.search)
    let whole = try RunFolder.create(at: "\(folder.path)/whole", recipeText: "")
    #expect(!(try Self.train(data, in: whole, threads: 2)))
    let parted = try RunFolder.create(at: "\(folder.path)/parted", recipeText: "")
    #expect(try Self.train(data, in: parted, threads: 3, stoppingAfter: step))
    #expect(!(try Self.train(data, in: parted, threads: 1, resumes: true)))
    let last = "checkpoints/step-00000008.safetensors"
    for file in [last, "steps.jsonl"] {
      let found = [whole, parted].map { FileManager.default.contents(atPath: "\($0.path)/\(file)") }
      #expect(found[0] != nil && found[0] == found[1], "\(file)")
    }
    let lines = try [whole, parted].map { try Self.history(of: $0) }
    #expect(lines[0].count == 2 && lines[0] == lines[1])
  }

  /// Trains to the end of the second epoch, or stops in mid-epoch; returns whether it was stopped.
  static func train(
    _ data: RecipeData, in run: RunFolder, threads: Int, stoppingAfter step: Int? = nil, resumes: Bool = false
  ) throws -> Bool {
    let recipe = data.resolved
    let model = try MultiTaskModel(graph: recipe.modelGraph(), seed: recipe.training.seed)
    let trainer = try Trainer(model, optimizer: recipe.training.optimizer, threads: threads)
    if resumes { try trainer.restore(try CheckpointWriter.latest(in: run).checkpoint.state) }
    var callbacks: [any Callback] = [
      try StepLog(path: run.stepsPath, resumingAfterStep: trainer.step),
      try HistoryLog(path: run.historyPath, resumingAfterEpoch: trainer.epoch),
      try CheckpointWriter(in: run, recipe: recipe.yaml(), tasks: recipe.heads.map(\.name)),
    ]
    if let step { callbacks.append(Stopper(after: step, of: trainer)) }
    return try trainer.fit(
      data.training, validation: data.validation, test: data.test, epochs: 2, batchSize: recipe.training.batchSize,
      callbacks: callbacks
    ).wasStopped
  }

  final class Stopper: Callback {
    let step: Int
    let trainer: Trainer
    init(after step: Int, of trainer: Trainer) { (self.step, self.trainer) = (step, trainer) }
    func stepDidEnd(_ record: StepRecord, state: () throws -> TrainingState) {
      if record.step == step { trainer.requestStop() }
    }
  }

  /// The lines of history.jsonl without their timing.
  static func history(of run: RunFolder) throws -> [NSDictionary] {
    try String(contentsOfFile: run.historyPath, encoding: .utf8).split(separator: "\n").map { line in
      var members = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      #expect(members.removeValue(forKey: "timing") != nil)
      return members as NSDictionary
    }
  }

  // MARK: One recipe of everything

  /// Three streams of 37, 56 and 23 samples in minibatches of 16: an epoch has four, the last of 8.
  static let everything = RecipeSource(
    name: "everything.yaml",
    text: """
      recipe: 1
      name: everything
      data:
        streams:
          scenes:
            format: masks
            training: {images: scenes/images, masks: scenes/masks}
            test: {images: held/images, masks: held/masks}
          rows: {format: csv, path: rows.csv, validation: {fraction: 0.2, stratify: kind}}
          points: {format: npz, training: points, test: points}
      inputs:
        scene:
          from: scenes.image
          shape: [12, 12, 3]
          scale: 1/255
          normalize: true
          augment: {flip: true, pad: 2, cutout: 4}
        row: {from: rows, columns: [a, b, c]}
        point: {from: points.x, shape: [6]}
      tasks:
        ground: {mask: mask, classes: [sky, road, car], ignore: [11]}
        things: {mask: mask, map: {hard: [1, 2], car: [2]}, ignore: [11]}
        kind: {labels: kind}
        price: {targets: [price, weight]}
        size: {target: size}
        flag: {labels: flag, classes: ["no", "yes"]}
      model:
        encoder:
          from: scene
          layers:
            - conv2d: {filters: 8, kernel: 3, padding: same}
            - batch_norm
            - relu
            - dropout: 0.2
            - avg_pool2d: 2
            - conv2d: {filters: 6, kernel: 3, padding: same, activation: sigmoid}
        decoder: {from: encoder, layers: [upsample2d: 2, conv2d: {filters: 5, kernel: 3, padding: same, activation: relu}]}
        branch: {from: decoder, layers: [conv2d: {filters: 5, kernel: [3, 1], padding: same}, batch_norm, depthwise_conv2d: {kernel: 3, padding: same, activation: gelu}]}
        residual: {from: [decoder, branch], layers: [add, layer_norm: {epsilon: 0.01}]}
        gate: {from: decoder, layers: [conv2d: {filters: 5, kernel: 1, activation: sigmoid}]}
        gated: {from: [residual, gate], layers: [multiply]}
        skip: {from: [gated, encoder.relu_1], layers: [concatenate]}
        table: {from: row, layers: [dense: 24, layer_norm, batch_norm, sigmoid, dropout: 0.3]}
        cloud: {from: point, layers: [dense: {units: 16, activation: relu}, batch_norm: {momentum: 0.5}]}
      heads:
        ground: {from: skip, class_weights: auto, label_smoothing: 0.1}
        things: {from: skip, loss: binary_cross_entropy_dice, weight: 0.5}
        kind: {from: table, class_weights: auto, label_smoothing: 0.1}
        price: {from: table, loss: huber, weight: 2}
        size: {from: cloud, loss: mean_absolute_error}
        flag: {from: cloud, loss: binary_cross_entropy}
      training:
        optimizer: {adamw: {learning_rate: 0.002, weight_decay: 0.05}}
        batch_size: 16
        epochs: 2
        seed: 5
        report: test
      """)

  /// Labels of every kind are missing here and there.
  static func writeEverything(_ folder: DataFolder) throws {
    for (part, count) in [("scenes", 37), ("held", 5)] {
      for index in 0..<count {
        let pixels = noise(12 * 12 * 3, seed: index)
        try folder.writeImage(pixels, height: 12, width: 12, channels: 3, to: "\(part)/images/\(index).png")
        guard index % 6 != 5 else { continue }
        let mask = (0..<144).map { pixels[3 * $0] > 200 ? 11 : pixels[3 * $0] % 3 }
        try folder.writeImage(mask, height: 12, width: 12, channels: 1, to: "\(part)/masks/\(index).png")
      }
    }
    var rows = "a,b,c,kind,price,weight\n"
    for row in 0..<70 {
      let random = noise(5, seed: row)
      let kind = row % 5 == 3 ? "" : "k\(random[3] % 3)"
      let price = row % 7 == 2 ? "" : "\(random[4])"
      rows += "\(random[0]),\(random[1]),\(random[2]),\(kind),\(price),\(row % 14 == 2 ? "" : "\(row)")\n"
    }
    try folder.write(rows, to: "rows.csv")
    let points = noise(23 * 6, seed: 9).map { Float($0) / 128 - 1 }
    try folder.writeArray(points, shape: [23, 6], to: "points/x.npy")
    try folder.writeArray(
      (0..<23).map { $0 % 4 == 1 ? .nan : points[6 * $0] * 30 + 7 }, shape: [23], to: "points/size.npy")
    try folder.writeArray((0..<23).map { $0 % 5 == 2 ? -1 : Float($0 % 2) }, shape: [23], to: "points/flag.npy")
  }
}
