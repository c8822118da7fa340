// SPDX-License-Identifier: Apache-2.0
// A sweep over loss weights from Swift: whole, and stopped and gone on with.

import Files
import MTLFast
import MTLFastRecipes
import MTLFastTraining
import TestSupport
import Testing

@Suite struct LambdaSweepTests {
  @Test func aStoppedSweepGoesOnToTheSameChoice() throws {
    let folder = try TemporaryFolder()
    let data = try TwoTasks.data()
    let settings = try ComparisonSettings(seed: 3, count: 2, lambda: "0:1:0.5", select: "sign")
    let sweep = try LambdaSweep(data, settings: settings)
    func place(_ name: String) throws -> ComparisonFolder {
      try ComparisonFolder.create(
        at: "\(folder.path)/\(name)", for: "two", recipeText: data.resolved.yaml(), settings: settings)
    }
    let expected = try #require(try sweep.run(in: place("whole"), threads: 1))
    #expect(expected.rows.map(\.lambda.text) == ["0", "0.5", "1"] && expected.tasks.map(\.name) == ["sign", "size"])
    #expect(expected.rows.allSatisfy { $0.scores.allSatisfy { $0.count == 2 } } && expected.failed.isEmpty)
    let best = try #require(expected.best)
    let criteria = expected.rows.compactMap(expected.criterion)
    #expect(criteria.count == 3 && criteria[best] == criteria.max() && criteria.firstIndex(of: criteria[best]) == best)
    #expect(expected.test.count == 2 && expected.test[0].count == 2)

    let parts = try place("parts")
    let stopper = TwinComparisonTests.Stopper()
    stopper.afterNet = 3
    #expect(try sweep.run(in: parts, stop: stopper.stop, observer: stopper) == nil)
    let result = try #require(try sweep.run(in: parts))
    #expect(result.rows == expected.rows && result.best == best && result.test == expected.test)
  }

  @Test func twoHeadsAndAKnownTaskAreNeeded() throws {
    let recipe = try TwoTasks.data().resolved
    #expect(
      failure { try LambdaSweep.check(recipe.singleTask("sign"), range: "0:1:0.5", select: nil) }
        == "usage lambda 0:1:0.5: lambda weighs two heads but recipe 'two-sign' has 1 (sign). Leave the range out. -> changingLambda"
    )
    #expect(
      failure { try LambdaSweep.check(recipe, range: "0:1:0.5", select: "sine") }
        == "usage select: unknown task 'sine' in recipe 'two'. Known tasks: sign, size. Did you mean 'size'? -> changingSelection"
    )
    #expect(throws: MTLFastError.self) { try LambdaSweep.check(recipe, range: "0:1", select: nil) }
    try LambdaSweep.check(recipe, range: "0:1:0.5", select: "sign")
    let settings = try ComparisonSettings(seed: 3, count: 1, lambda: "0:1:0.5")
    #expect(
      failure { try LambdaSweep(TwoTasks.data(), settings: settings) }
        == #"usage lambda 0:1:0.5: the tasks' metrics have no common mean (sign by accuracy, size by r2). Name the task to choose by. -> selecting("sign")"#
    )
  }
}
