// SPDX-License-Identifier: Apache-2.0
// A training of moments whose validation scores go up and down, in a run folder.

import Files
import Foundation
import MTLFast
import TestSupport
import Testing

@testable import MTLFastTraining

/// A net that is trained in no time.
func smallModel() throws -> MultiTaskModel {
  try MultiTaskModel(
    input: .image(height: 28, width: 28, channels: 1),
    trunk: [AvgPool2D(poolSize: 7), Flatten(), Dense(units: 8, activation: .relu)],
    heads: [.classification("item", classes: 10), .classification("group", classes: 3)], seed: 1)
}

/// One run of up to ten epochs with two steps each, every part of which can be stopped and taken up again.
struct SelectionRun {
  let run: RunFolder
  var epochs = 10
  var perTask = true
  var patience: Int?
  private(set) var notes: [String] = []

  init(_ name: String, in folder: TemporaryFolder, patience: Int? = nil, epochs: Int = 10) throws {
    run = try RunFolder.create(at: "\(folder.path)/\(name)", recipeText: smallRecipe)
    self.patience = patience
    self.epochs = epochs
  }

  /// Trains, from the newest whole checkpoint where there is one.
  ///
  /// - Parameter step: the step after which it is stopped as by Ctrl-C.
  @discardableResult
  mutating func train(epochs: Int? = nil, stoppingAfter step: Int? = nil) throws -> (history: History, best: BestModel)
  {
    let trainer = try Trainer(smallModel(), optimizer: .sgd(learningRate: 0.8, momentum: 0.5), threads: 1)
    if let latest = try? CheckpointWriter.latest(in: run) { try trainer.restore(latest.checkpoint.state) }
    let notes = Notes()
    let best = try BestModel(
      in: run, on: MetricExpression("group.accuracy"), perTask: perTask, notes: { notes.texts.append($0) })
    var callbacks: [any Callback] = [best]
    if let patience { callbacks.append(try EarlyStopping(on: .validationLoss, patience: patience)) }
    callbacks.append(
      try CheckpointWriter(in: run, recipe: smallRecipe, tasks: ["item", "group"], selection: best))
    if let step { callbacks.append(DeterminismTests.Stopper(after: step, of: trainer)) }
    let history = try trainer.fit(
      formulaSamples(first: 0, count: 10), validation: formulaSamples(first: 500, count: 60),
      epochs: epochs ?? self.epochs, batchSize: 5, callbacks: callbacks)
    self.notes += notes.texts
    return (history, best)
  }

  private final class Notes { var texts: [String] = [] }

  /// Every file's bytes by its name.
  func files() throws -> [String: Data] {
    var files: [String: Data] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: run.path) where name.hasSuffix("s") {
      files[name] = FileManager.default.contents(atPath: "\(run.path)/\(name)")
    }
    return files
  }

  /// The step of the checkpoint that a file is.
  func step(of name: String = "best.safetensors") -> Int? {
    try? Checkpoint.read(from: "\(run.path)/\(name)").state.step
  }

  /// Cuts a file to a part in its place: other names of it are damaged too.
  func damage(_ path: String) throws {
    let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    try file.truncate(atOffset: 100)
    try file.close()
  }
}
