// SPDX-License-Identifier: Apache-2.0
// A recipe trained from Swift: its run folder, a stop in good order, and the way on.

import Files
import MTLFast
import MTLFastRecipes
import MTLFastTraining
import TestSupport
import Testing

@Suite struct RecipeTrainingTests {
  @Test func aTrainingSaysWhatItStartsWithAndHowItEnded() throws {
    let folder = try TemporaryFolder()
    let data = try TwoTasks.data(["training.best=sign.accuracy"])
    var told: RecipeTraining.Start?
    let result = try RecipeTraining(data, in: .numbered(in: "\(folder.path)/runs"), threads: 2).run {
      told = $0
      return []
    }
    let start = try #require(told)
    #expect(start.recipe.name == "two" && start.graph.heads.map(\.name) == ["sign", "size"] && start.threads == 2)
    #expect(start.run.path == "\(folder.path)/runs/two-001" && start.run == result.run)
    #expect(start.training.count == 48 && start.validation?.count == 12 && start.test?.count == 20)
    #expect(start.step == 0 && start.resumedFrom == nil && start.initialWeights.isEmpty)

    #expect(result.history.epochs.count == 2 && result.history.step == 6 && !result.endedWithinEpoch)
    #expect(result.scores.map(\.split) == ["validation", "test"])
    #expect(result.scores.last?.scores["sign"]?.accuracy == result.history.epochs.last?.test?["sign"]?.accuracy)
    let best = try #require(result.best)
    #expect(best.path == result.run.bestPath() && FilePath.exists(best.path))
    #expect(best.expression.description == "sign.accuracy" && best.tasks.map(\.name) == ["sign", "size"])
    #expect(result.accounts.isEmpty)
    let next = try RecipeTraining(data, in: .numbered(in: "\(folder.path)/runs")).run()
    #expect(next.run.path == "\(folder.path)/runs/two-002")
  }

  @Test func aTrainingThatIsStoppedGoesOnToTheSameBytes() throws {
    let folder = try TemporaryFolder()
    let data = try TwoTasks.data()
    let whole = try RecipeTraining(data, in: .folder("\(folder.path)/whole")).run()
    let stop = StopRequest()
    var training = RecipeTraining(data, in: .folder("\(folder.path)/stopped"))
    training.stop = stop
    let stopped = try training.run { _ in [StopAfterStep(2, stop)] }
    #expect(stopped.history.wasStopped && stopped.history.step == 2 && stopped.endedWithinEpoch)
    #expect(stopped.scores.isEmpty)
    var resumed: RecipeTraining.Start?
    let rest = try RecipeTraining(data, in: .resumed("\(folder.path)/stopped")).run {
      resumed = $0
      return []
    }
    #expect(resumed?.step == 2 && resumed?.resumedFrom == CheckpointWriter.path(of: 2, in: stopped.run))
    #expect(rest.startStep == 2 && rest.scores.map(\.scores) == whole.scores.map(\.scores))
    for file in ["steps.jsonl", "checkpoints/step-00000006.safetensors", "recipe.yaml"] {
      #expect(folder.bytes(of: "stopped/\(file)") == folder.bytes(of: "whole/\(file)"), "\(file)")
    }
    #expect(
      failure { try RecipeTraining(data, in: .resumed(rest.run.path)).run() }
        == "usage \(rest.run.path): all 2 epochs are trained. To train on, name more. -> moreEpochs(7)")
    // A net of a comparison that is trained to its end is as it is.
    let again = try RecipeTraining(data, in: .net(rest.run)).run()
    #expect(again.history.epochs.isEmpty && again.startStep == 6 && !again.endedWithinEpoch)
  }

  @Test func weightsOfAnotherRunAreTaken() throws {
    let folder = try TemporaryFolder()
    let first = try RecipeTraining(TwoTasks.data(), in: .folder("\(folder.path)/first")).run()
    var training = RecipeTraining(try TwoTasks.data(["training.seed=9"]), in: .folder("\(folder.path)/second"))
    training.initialWeights = [WeightSource(run: first.run.path), WeightSource("\(first.run.path):size")]
    training.timeBudget = 1e-6
    var told: [RecipeTraining.Start.InitialWeights] = []
    let result = try training.run {
      told = $0.initialWeights
      return []
    }
    #expect(told.map(\.parameters.count) == [2, 2])
    #expect(told.map(\.path) == Array(repeating: CheckpointWriter.path(of: 6, in: first.run), count: 2))
    #expect(result.history.stopReason == "the time budget of 1e-06 s is used up" && result.history.step == 1)
    // What it started with is kept, in a checkpoint of its own.
    let kept = try Checkpoint.read(from: CheckpointWriter.path(of: 0, in: result.run)).state
    let source = try Checkpoint.read(from: told[0].path).state
    for name in told.flatMap(\.parameters) {
      #expect(
        kept.parameters.first { $0.name == name }?.values == source.parameters.first { $0.name == name }?.values)
    }
  }

  @Test func aRunWithoutACheckpointBeginsAnew() throws {
    let folder = try TemporaryFolder()
    let data = try TwoTasks.data()
    let run = try RunFolder.create(at: "\(folder.path)/run", recipeText: data.resolved.yaml())
    var notes: [String] = []
    var training = RecipeTraining(data, in: .resumed(run.path))
    training.notes = { notes.append($0) }
    training.measuresAccounts = true
    let result = try training.run()
    #expect(notes == ["\(run.path): was ended before its first checkpoint; beginning anew."])
    #expect(result.history.step == 6 && result.startStep == 0 && !result.accounts.isEmpty)
  }

  @Test func aDivergingTrainingNamesItsLastGoodCheckpoint() throws {
    let folder = try TemporaryFolder()
    let data = try TwoTasks.data(["training.optimizer.adam.learning_rate=1e15"])
    let message = failure { try RecipeTraining(data, in: .folder("\(folder.path)/run")).run() }
    #expect(message.hasPrefix("nonFinite Step ") && message.hasSuffix(" There is no checkpoint yet."), "\(message)")
  }
}
