// SPDX-License-Identifier: Apache-2.0
// What a net must beat.

import MTLFast
import MTLFastRecipes
import Testing

@Suite struct BaselineScoresTests {
  @Test func bothModelsAreScoredOnEveryPart() throws {
    let scores = try BaselineScores(TwoTasks.data())
    #expect(scores.recipe == "two" && scores.parts.map(\.split) == ["validation", "test"])
    for part in scores.parts {
      #expect(part.tasks.map(\.name) == ["sign", "size"])
      for task in part.tasks {
        #expect(task.metrics.allSatisfy { $0.constant != nil && $0.linear != nil }, "\(task)")
      }
      let accuracy = try #require(part.tasks[0].metrics.first { $0.metric == .accuracy })
      #expect(try #require(accuracy.linear) >= 0.5)
    }
  }

  @Test func somethingToScoreOnIsNeeded() throws {
    let data = try TwoTasks.data(["data.test=0", "data.validation=none", "training.report=none"])
    #expect(
      failure { try BaselineScores(data) }
        == "usage Recipe 'two': has neither validation nor test data to score on.")
  }
}
