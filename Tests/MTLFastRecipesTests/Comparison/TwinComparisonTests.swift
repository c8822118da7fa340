// SPDX-License-Identifier: Apache-2.0
// A comparison from Swift: whole, and stopped and gone on with.

import Files
import MTLFast
import MTLFastRecipes
import MTLFastTraining
import TestSupport
import Testing

@Suite struct TwinComparisonTests {
  /// Requests a stop where a test asks for it, and remembers what it was told.
  final class Stopper: ComparisonObserver {
    let stop = StopRequest()
    var afterNet: Int?
    var atStepOfNet: Int?
    var told: [ComparedNet] = []
    var failed: [String] = []

    func netWillTrain(_ net: ComparedNet, _ start: RecipeTraining.Start) -> [any Callback] {
      told.append(net)
      return net.number == atStepOfNet ? [StopAfterStep(2, stop)] : []
    }
    func netDidTrain(_ net: ComparedNet, _ result: RecipeTraining.Result) {
      if net.number == afterNet { stop.request() }
    }
    func netDidFail(_ net: ComparedNet, reason: String) { failed.append(net.title) }
  }

  private func begin(
    _ data: RecipeData, seeds: Int = 2, in folder: TemporaryFolder, _ name: String
  ) throws -> (TwinComparison, ComparisonFolder) {
    let settings = try ComparisonSettings(seed: data.resolved.training.seed, count: seeds)
    return (
      try TwinComparison(data, settings: settings),
      try ComparisonFolder.create(
        at: "\(folder.path)/\(name)", for: "two", recipeText: data.resolved.yaml(), settings: settings)
    )
  }

  @Test func aStoppedComparisonGoesOnToTheSameResult() throws {
    let folder = try TemporaryFolder()
    let data = try TwoTasks.data()
    let (comparison, whole) = try begin(data, in: folder, "whole")
    let seen = Stopper()
    let expected = try #require(try comparison.run(in: whole, threads: 1, observer: seen))
    #expect(seen.told.map(\.number) == Array(1...6) && seen.told.allSatisfy { $0.count == 6 })
    #expect(seen.told.prefix(3).map(\.title) == ["seed 3, all tasks", "seed 3, sign alone", "seed 3, size alone"])
    #expect(seen.told[1].task == "sign" && seen.told[0].secondsLeft == nil && seen.told[1].secondsLeft != nil)
    #expect(expected.recipe == "two" && expected.seeds == [3, 4] && expected.failed.isEmpty)
    #expect(expected.tasks.map(\.scores.task) == ["sign", "size"] && expected.tasks.allSatisfy { $0.split == "test" })
    // 15 inputs to 8 units, 8 units to two classes and to one number.
    #expect(expected.parameters == 16 * 8 + 18 + 9 && expected["sign"]?.parameters == 16 * 8 + 18)
    #expect(expected["sign"]?.scores.together.count == 2 && expected["size"]?.scores.alone.contains(nil) == false)

    // Between two nets, in the middle of one, before anything.
    let (again, parts) = try begin(data, in: folder, "parts")
    let between = Stopper()
    between.afterNet = 2
    #expect(try again.run(in: parts, stop: between.stop, observer: between) == nil)
    #expect(between.told.map(\.number) == [1, 2])
    let within = Stopper()
    within.atStepOfNet = 4
    #expect(try again.run(in: parts, stop: within.stop, observer: within) == nil)
    #expect(within.told.map(\.number) == [3, 4] && parts.result(of: "seed-4/multi-task") == nil)
    let never = Stopper()
    never.stop.request()
    #expect(try again.run(in: parts, stop: never.stop, observer: never) == nil && never.told.isEmpty)
    let rest = Stopper()
    let result = try #require(try again.run(in: parts, stop: rest.stop, observer: rest))
    #expect(rest.told.map(\.number) == [4, 5, 6])
    #expect(result.tasks.map(\.scores) == expected.tasks.map(\.scores) && result.parameters == expected.parameters)
    #expect(result.adjusted == expected.adjusted && result.gain == expected.gain && result.failed.isEmpty)
    for file in ["steps.jsonl", "checkpoints/step-00000006.safetensors"] {
      let paths = ["whole", "parts"].map { "\($0)/seed-4/multi-task/\(file)" }
      #expect(folder.bytes(of: paths[0]) != nil && folder.bytes(of: paths[0]) == folder.bytes(of: paths[1]))
    }
    // All is there: nothing is trained, and the same is found.
    #expect(try again.run(in: parts) == result)
    let runs = try again.runs(in: parts)
    #expect(runs.together.map(\.path) == ["seed-3", "seed-4"].map { "\(parts.path)/\($0)/multi-task" })
    #expect(runs.alone.map(\.task) == ["sign", "size"] && runs.alone.allSatisfy { $0.runs.count == 2 })
  }

  @Test func aNetThatDivergesIsNamed() throws {
    let folder = try TemporaryFolder()
    let data = try TwoTasks.data(["training.optimizer.adam.learning_rate=1e15"])
    let (comparison, place) = try begin(data, seeds: 1, in: folder, "c")
    let seen = Stopper()
    let result = try #require(try comparison.run(in: place, observer: seen))
    #expect(seen.failed.contains("seed 3, all tasks") && result.failed.map(\.net) == seen.failed)
    #expect(result.failed[0].task == nil && result.failed[0].reason.hasPrefix("Step "))
    #expect(result["size"]?.scores.difference == nil && result.gain == nil && result.seconds == nil)
    // It isn't trained again.
    #expect(try comparison.run(in: place) == result)
  }

  @Test func oneTaskIsNoComparison() throws {
    let data = try TwoTasks.data().singleTask("sign")
    let settings = try ComparisonSettings(seed: 0, count: 1)
    #expect(
      failure { try TwinComparison(data, settings: settings) }
        == "usage Recipe 'two-sign': has one task, 'sign', so there is nothing to train together.")
  }
}
