// SPDX-License-Identifier: Apache-2.0
// The best model: which it is, and that its file is right whatever a kill or damage undoes.

import Files
import Foundation
import MTLFast
import TestSupport
import Testing

@testable import MTLFastTraining

@Suite struct BestModelTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  func epoch(_ epoch: Int, item: Double?, group: Double?, loss: Double = 1) -> EpochRecord {
    let scores = Scores(
      loss: loss,
      tasks: [
        ("item", TaskScore(loss: 1, metrics: [(.accuracy, item)], present: 4)),
        ("group", TaskScore(loss: 1, metrics: [(.accuracy, group)], present: 4)),
      ])
    return EpochRecord(
      epoch: epoch, step: 10 * epoch, training: scores, validation: scores, test: nil, learningRate: 0.1,
      trainingSeconds: 1, evaluationSeconds: 1, samplesPerSecond: 1)
  }

  func start(_ saved: [String: String] = [:], stop: @escaping @Sendable (String) -> Void = { _ in }) throws
    -> TrainingStart
  {
    TrainingStart(
      graph: try smallModel().graph, epochs: 5, stepsPerEpoch: 10, sampleCount: 1, batchSize: 1, threads: 1, step: 0,
      epoch: 0, saved: saved, requestStop: stop)
  }

  @Test func theEarlierOfEqualsIsTheBest() throws {
    let run = try RunFolder.create(at: "\(folder.path)/a", recipeText: smallRecipe)
    let best = try BestModel(in: run, on: MetricExpression("0.5*item.accuracy + 0.5*group.accuracy"))
    try best.trainingDidStart(start())
    #expect(best.saved == [:] && best.neededSteps == [])
    for (number, scores) in [(nil, 0.5), (0.25, 0.75), (0.75, 0.25), (0.5, 0.5)].enumerated() {
      try best.epochDidEnd(epoch(number + 1, item: scores.0, group: scores.1)) { smallState() }
    }
    #expect(best.best == BestModel.Best(value: 0.5, epoch: 2, step: 20))
    #expect(best.tasks.map(\.name) == ["item", "group"] && best.tasks.map(\.best.epoch) == [3, 2])
    #expect(best.neededSteps == [20])
    #expect(
      best.saved == [
        "best.value": "0.5", "best.epoch": "2", "best.step": "20", "best.item.value": "0.75", "best.item.epoch": "3",
        "best.item.step": "30", "best.group.value": "0.75", "best.group.epoch": "2", "best.group.step": "20",
      ])
  }

  @Test func lowerLossesAreBetter() throws {
    let run = try RunFolder.create(at: "\(folder.path)/a", recipeText: smallRecipe)
    let best = try BestModel(in: run)
    try best.trainingDidStart(start())
    for (number, loss) in [0.1 + 0.2, 0.3, 0.3, .nan, 0.4].enumerated() {
      try best.epochDidEnd(epoch(number + 1, item: 0, group: 0, loss: loss)) { smallState() }
    }
    #expect(best.best == BestModel.Best(value: 0.3, epoch: 2, step: 20))
    #expect(throws: MTLFastError.self) {
      try BestModel(in: run, on: MetricExpression("itm.accuracy")).trainingDidStart(start())
    }
  }

  @Test func theFileIsTheBestEpochsCheckpoint() throws {
    var run = try SelectionRun("a", in: folder)
    let (history, model) = try run.train()
    func best(_ task: String) -> Int {
      let values = history.epochs.map { $0.validation?[task]?.accuracy ?? 0 }
      return (values.firstIndex(of: values.max() ?? 0) ?? 0) + 1
    }
    #expect(model.best?.epoch == best("group") && run.step() == 2 * best("group"))
    // Neither the first nor among the last two: its checkpoint stays for its sake.
    #expect((2...8).contains(best("group")))
    #expect(run.step(of: "best-item.safetensors") == 2 * best("item"))
    #expect(model.tasks.map(\.best.epoch) == [best("item"), best("group")])
    #expect(try run.files()["best.safetensors"] == run.files()["best-group.safetensors"])
    #expect(run.notes.isEmpty)
  }

  /// Stopped anywhere, the run ends with the same files.
  @Test(arguments: [1, 2, 3, 6, 7, 9, 12, 15])
  func stoppedAndResumed(step: Int) throws {
    var whole = try SelectionRun("whole", in: folder)
    try whole.train()
    var stopped = try SelectionRun("stopped", in: folder)
    #expect(try stopped.train(stoppingAfter: step).history.wasStopped)
    try stopped.train()
    #expect(try stopped.files() == whole.files())
    #expect(stopped.notes.isEmpty)
  }

  /// Killed after a checkpoint was written and before the best model's file was: the file is of another epoch, or missing.
  @Test(arguments: 1...9)
  func killedBeforeTheFileWasPutInPlace(epochs: Int) throws {
    var whole = try SelectionRun("whole", in: folder)
    try whole.train()
    var killed = try SelectionRun("killed", in: folder)
    try killed.train(epochs: epochs)
    let best = killed.run.bestPath()
    try FileManager.default.removeItem(atPath: best)
    if epochs % 2 == 0 { try Data("half".utf8).write(to: URL(fileURLWithPath: best)) }
    try Data("half".utf8).write(to: URL(fileURLWithPath: "\(best).link.tmp"))
    try killed.train()
    #expect(try killed.files() == whole.files())
    #expect(!FileManager.default.fileExists(atPath: "\(best).link.tmp"))
    #expect(killed.notes.isEmpty)
  }

  /// The newest checkpoint is damaged, and the best model with it where they are one: the one before is gone on from.
  @Test(arguments: 1...9)
  func theNewestCheckpointIsDamaged(epochs: Int) throws {
    var whole = try SelectionRun("whole", in: folder)
    try whole.train()
    var damaged = try SelectionRun("damaged", in: folder)
    try damaged.train(epochs: epochs)
    try damaged.damage(CheckpointWriter.path(of: 2 * epochs, in: damaged.run))
    try damaged.train()
    #expect(try damaged.files() == whole.files())
    #expect(damaged.notes.isEmpty)
  }

  @Test func whereTheBestIsLostTheNextBestIsKept() throws {
    var run = try SelectionRun("a", in: folder)
    run.perTask = false
    let first = try #require(try run.train(epochs: 8).best.best)
    try FileManager.default.removeItem(atPath: CheckpointWriter.path(of: first.step, in: run.run))
    // Its own file is enough,
    let kept = try run.train(epochs: 9).best.best
    #expect(kept == first && run.step() == first.step && run.notes.isEmpty)
    // and without that too, it is said that it is lost.
    try run.damage(run.run.bestPath())
    let next = try #require(try run.train().best.best)
    #expect(next.epoch == 10 && run.step() == 20)
    #expect(
      run.notes == [
        "Warning: \(run.run.bestPath()): the model of epoch \(first.epoch), the best so far, is lost. The best of what follows is kept."
      ])
  }
}
