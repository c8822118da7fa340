// SPDX-License-Identifier: Apache-2.0
// The checkpoints of a run: when they are written, which are kept, which one training goes on from.

import Files
import Foundation
import MTLFast
import TestSupport
import Testing

@testable import MTLFastTraining

@Suite struct CheckpointWriterTests {
  let folder: TemporaryFolder
  let run: RunFolder

  init() throws {
    folder = try TemporaryFolder()
    run = try RunFolder.create(for: "small", in: folder.path, recipeText: smallRecipe)
  }

  func writer(keeping kept: Int = 2) throws -> CheckpointWriter {
    try CheckpointWriter(in: run, recipe: smallRecipe, tasks: ["item", "group"], keeping: kept)
  }

  func endEpoch(_ writer: CheckpointWriter, step: Int) throws {
    let scores = Scores(loss: 1, tasks: [])
    try writer.epochDidEnd(
      EpochRecord(
        epoch: 1, step: step, training: scores, validation: nil, test: nil, learningRate: 0.001, trainingSeconds: 1,
        evaluationSeconds: 0,
        samplesPerSecond: 1
      ),
      state: { smallState(step: step) })
  }

  var names: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: run.checkpointsPath)) ?? []).sorted()
  }

  func damage(step: Int) throws {
    try Data("damaged".utf8).write(to: URL(fileURLWithPath: CheckpointWriter.path(of: step, in: run)))
  }

  func damagedText(step: Int) -> String {
    "\(CheckpointWriter.path(of: step, in: run)): has 7 bytes, fewer than the 8 that a safetensors file starts with. It is damaged."
  }

  @Test func oneIsWrittenAfterEachEpochAndWhenStopped() throws {
    let writer = try writer()
    #expect(writer.newestPath == nil)
    try endEpoch(writer, step: 300)
    #expect(names == ["step-00000300.safetensors"])
    #expect(writer.newestPath == "\(run.checkpointsPath)/step-00000300.safetensors")
    try writer.trainingDidStop(step: 312, state: { smallState(step: 312) })
    #expect(names == ["step-00000300.safetensors", "step-00000312.safetensors"])
    let latest = try CheckpointWriter.latest(in: run)
    #expect(latest.path == writer.newestPath)
    #expect(latest.refused.isEmpty)
    #expect(
      bits(latest.checkpoint)
        == bits(Checkpoint(state: smallState(step: 312), recipe: smallRecipe, tasks: ["item", "group"])))
  }

  /// Epochs of five steps; their ends count as well, and the last step of an epoch has no second one.
  @Test(arguments: [
    (CheckpointWriter.Interval.steps(2), [2, 4, 5, 7, 9, 10]), (.steps(5), [5, 10]), (.steps(1), Array(1...10)),
    (.seconds(0), Array(1...10)), (.seconds(3600), [5, 10]),
  ])
  func stepsInBetween(interval: CheckpointWriter.Interval, expected: [Int]) throws {
    let writer = try CheckpointWriter(
      in: run, recipe: smallRecipe, tasks: ["item", "group"], keeping: 100, every: interval)
    for step in 1...10 {
      let record = StepRecord(
        step: step, epoch: (step + 4) / 5, stepInEpoch: (step - 1) % 5 + 1, stepsPerEpoch: 5, sampleCount: 1,
        scores: Scores(loss: 1, tasks: []), learningRate: 0.001, gradientNorm: nil, seconds: 0.1)
      try writer.stepDidEnd(record) { smallState(step: step) }
      if step % 5 == 0 { try endEpoch(writer, step: step) }
    }
    #expect(names == expected.map { "step-\(String(format: "%08d", $0)).safetensors" })
  }

  @Test(arguments: [1, 2, 3])
  func theLastOnesAreKept(kept: Int) throws {
    let writer = try writer(keeping: kept)
    for step in [99_999_999, 9, 100_000_000, 10, 8].sorted() { try endEpoch(writer, step: step) }
    // Ordered as numbers, also where the names are not.
    #expect(
      names
        == [
          "step-00000010.safetensors", "step-100000000.safetensors", "step-99999999.safetensors",
        ].filter { kept == 3 || $0.contains("0000000.") || (kept == 2 && $0.contains("999")) })
    #expect(try CheckpointWriter.latest(in: run).checkpoint.state.step == 100_000_000)
  }

  @Test func otherFilesAreLeftAlone() throws {
    let others = ["best.safetensors", "step-1.safetensors", "step-00000001.safetensors.old", "step-.safetensors"]
    for name in others { try Data().write(to: URL(fileURLWithPath: "\(run.checkpointsPath)/\(name)")) }
    let writer = try writer(keeping: 1)
    for step in 2...4 { try endEpoch(writer, step: step) }
    #expect(names == (others + ["step-00000004.safetensors"]).sorted())
  }

  @Test func whatAKilledTrainingLeftHalfWrittenGoes() throws {
    try Data().write(to: URL(fileURLWithPath: "\(run.checkpointsPath)/step-00000600.safetensors.123-0.tmp"))
    try endEpoch(try writer(), step: 300)
    #expect(try CheckpointWriter.latest(in: run).checkpoint.state.step == 300)
    try writer().trainingDidStart(
      TrainingStart(
        graph: ModelGraph(), epochs: 1, stepsPerEpoch: 1, sampleCount: 1, batchSize: 1, threads: 1, step: 0, epoch: 0,
        saved: [:], requestStop: { _ in }))
    #expect(names == ["step-00000300.safetensors"])
  }

  @Test func aFailedWriteKeepsTheOldOnes() throws {
    let writer = try writer()
    for step in [300, 600] { try endEpoch(writer, step: step) }
    let path = CheckpointWriter.path(of: 900, in: run)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    #expect(throws: MTLFastError(.writeFailed, "\(path): is a folder or device, not a file. Name another one.")) {
      try endEpoch(writer, step: 900)
    }
    #expect(writer.newestPath == CheckpointWriter.path(of: 600, in: run))
    #expect(names.prefix(2) == ["step-00000300.safetensors", "step-00000600.safetensors"])
  }

  @Test func theOneBeforeADamagedOneIsUsed() throws {
    let writer = try writer(keeping: 3)
    for step in [300, 600, 900] { try endEpoch(writer, step: step) }
    for step in [600, 900] { try damage(step: step) }
    let latest = try CheckpointWriter.latest(in: run)
    #expect(latest.checkpoint.state.step == 300)
    #expect(latest.refused.map(\.path) == [900, 600].map { CheckpointWriter.path(of: $0, in: run) })
    #expect(latest.refused.map(\.error) == [900, 600].map { MTLFastError(.badData, damagedText(step: $0)) })
    // Once training has gone on from step 300, the damaged later ones are of a past that didn't happen.
    try endEpoch(writer, step: 450)
    #expect(names == ["step-00000300.safetensors", "step-00000450.safetensors"])
  }

  /// A damaged one is not among those that are kept.
  @Test func aRefusedOneTakesNoPlace() throws {
    let first = try writer()
    for step in [300, 450] { try endEpoch(first, step: step) }
    try damage(step: 450)
    let second = try writer()
    try second.trainingDidStart(
      TrainingStart(
        graph: ModelGraph(), epochs: 9, stepsPerEpoch: 300, sampleCount: 1, batchSize: 1, threads: 1, step: 300,
        epoch: 1, saved: [:], requestStop: { _ in }))
    try endEpoch(second, step: 600)
    #expect(names == ["step-00000300.safetensors", "step-00000600.safetensors"])
  }

  @Test func aRunWithoutAUsableCheckpoint() throws {
    #expect(
      throws: MTLFastError(
        .missingInput, "\(run.path): has no checkpoint yet. Begin it anew.", remedy: .resumingRun(run.path))
    ) {
      try CheckpointWriter.latest(in: run)
    }
    try FileManager.default.removeItem(atPath: run.checkpointsPath)
    #expect(
      throws: MTLFastError(
        .missingInput, "\(run.path): has no checkpoint yet. Begin it anew.", remedy: .resumingRun(run.path))
    ) {
      try CheckpointWriter.latest(in: run)
    }
    try FileManager.default.createDirectory(atPath: run.checkpointsPath, withIntermediateDirectories: false)
    for step in [300, 600] { try damage(step: step) }
    let message = "\(run.path): no checkpoint is whole (2 damaged). Train it from the start. The newest:"
    #expect(throws: MTLFastError(.badData, "\(message) \(damagedText(step: 600))")) {
      try CheckpointWriter.latest(in: run)
    }
  }

  @Test func keepingNone() {
    #expect(throws: MTLFastError(.usage, "0 checkpoints can't be kept. Keep 1 or more.")) { try writer(keeping: 0) }
  }
}
