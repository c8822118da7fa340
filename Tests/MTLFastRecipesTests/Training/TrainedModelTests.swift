// SPDX-License-Identifier: Apache-2.0
// A trained model, found again, scored, and asked about samples.

import Files
import MTLFast
import MTLFastData
import MTLFastRecipes
import MTLFastTraining
import TestSupport
import Testing

@Suite struct TrainedModelTests {
  @Test func aModelIsScoredAndPredicts() throws {
    let folder = try TemporaryFolder()
    let data = try TwoTasks.data(["training.best=loss"])
    let result = try RecipeTraining(data, in: .folder("\(folder.path)/run")).run()
    let trained = try TrainedModel.load(result.run.path)
    #expect(trained.checkpoint == CheckpointWriter.path(of: 6, in: result.run) && trained.recipe.name == "two")
    let search = DatasetSearch(folder: "/nowhere", environment: { _ in nil })
    let parts = try trained.evaluate(search: search)
    #expect(parts.map(\.split) == ["validation", "test"])
    for (part, expected) in zip(parts, result.scores) {
      #expect(part.scores["sign"]?.accuracy == expected.scores["sign"]?.accuracy)
      #expect(part.scores["size"]?.loss == expected.scores["size"]?.loss)
    }
    let test = try trained.testSamples(search: search)
    let predictions = try trained.predict(test, at: [7, 0])
    #expect(predictions.map(\.index) == [7, 0])
    #expect(predictions[0].heads.map(\.name) == ["sign", "size"])
    guard case .classes(let classes, let label) = predictions[0].heads[0].value,
      case .values(let values, let known) = predictions[0].heads[1].value
    else {
      Issue.record("classes and values are expected: \(predictions[0])")
      return
    }
    #expect(classes.count == 2 && classes[0].probability >= classes[1].probability)
    #expect(abs(classes[0].probability + classes[1].probability - 1) < 1e-6)
    #expect(["negative", "positive"].contains(label))
    #expect(values.map(\.name) == ["regression"] && known?.count == 1)
    let top = try trained.predict(test, at: [7], top: 1)
    guard case .classes(let kept, _) = top[0].heads[0].value else { return }
    #expect(kept.map(\.name) == [classes[0].name])
    #expect(try TrainedModel.load(result.run.path, best: true).checkpoint == result.run.bestPath())
  }

  @Test func aDamagedCheckpointIsRefusedWithANote() throws {
    let folder = try TemporaryFolder()
    let run = try RecipeTraining(TwoTasks.data(), in: .folder("\(folder.path)/run")).run().run
    try folder.write("damaged", to: "run/checkpoints/step-00000006.safetensors")
    var notes: [String] = []
    let trained = try TrainedModel.load(run.path) { notes.append($0) }
    #expect(trained.checkpoint == CheckpointWriter.path(of: 3, in: run))
    #expect(
      failure { try TrainedModel.load(trained.checkpoint, best: true) }
        == "usage \(trained.checkpoint): is one model, so there is no best of several. -> takingNewest")
    #expect(notes.count == 1 && notes[0].hasPrefix("Warning: \(CheckpointWriter.path(of: 6, in: run)): "), "\(notes)")
  }
}
