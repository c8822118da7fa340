// SPDX-License-Identifier: Apache-2.0
// Schedules in recipes: what is read, what is written again, and the words of each mistake.

import MTLFast
import MTLFastRecipes
import Testing

@Suite struct RecipeScheduleTests {
  func recipe(_ schedule: String) throws -> Recipe {
    try Recipe.parse(RecipeTexts.small(line: 20, "  schedule: \(schedule)"), file: "my.yaml")
  }

  @Test(
    arguments: [
      ("constant", LearningRateSchedule.constant, nil),
      ("{constant: {warm_up: 2}}", LearningRateSchedule(.constant, warmUp: 2), "{constant: {warm_up: 2}}"),
      ("step", LearningRateSchedule(.step(epochs: 10, factor: 0.5)), "{step: {every: 10, factor: 0.5}}"),
      (
        "{step: {every: 3, factor: 1e-5, warm_up: 0.1}}",
        LearningRateSchedule(.step(epochs: 3, factor: 1e-5), warmUp: 0.1),
        "{step: {every: 3, factor: 1e-05, warm_up: 0.1}}"
      ),
      ("cosine", LearningRateSchedule(.cosine(final: 0)), "{cosine: {final: 0}}"),
      ("cosine:", LearningRateSchedule(.cosine(final: 0)), "{cosine: {final: 0}}"),
      (
        "{cosine: {final: 0.3333333333333333}}", LearningRateSchedule(.cosine(final: 1.0 / 3)),
        "{cosine: {final: 0.3333333333333333}}"
      ),
      (
        "one_cycle", LearningRateSchedule(.oneCycle(peak: 0.3, start: 0.04, final: 0.0001)),
        "{one_cycle: {peak: 0.3, start: 0.04, final: 0.0001}}"
      ),
      (
        "{one_cycle: {peak: 0.1, start: 1, final: 0, warm_up: 1.5}}",
        LearningRateSchedule(.oneCycle(peak: 0.1, start: 1, final: 0), warmUp: 1.5),
        "{one_cycle: {peak: 0.1, start: 1, final: 0, warm_up: 1.5}}"
      ),
    ] as [(String, LearningRateSchedule, String?)])
  func schedules(text: String, schedule: LearningRateSchedule, written: String?) throws {
    let recipe = text == "cosine:" ? try recipe("\n    cosine:") : try recipe(text)
    #expect(recipe.training.schedule == schedule)
    let line = try recipe.yaml().split(separator: "\n").first { $0.hasPrefix("  schedule:") }
    #expect(line == written.map { "  schedule: \($0)" })
    #expect(try Recipe.parse(recipe.yaml(), file: "again.yaml") == recipe)
    try schedule.validate()
  }

  @Test(arguments: [
    (
      "cosin",
      "20:13: unknown schedule 'cosin' in training. Known schedules: constant, cosine, one_cycle, step. Did you mean 'cosine'?"
    ),
    ("{cosine: {}, step: {}}", "20:13: schedule names one schedule. Received: 2 keys."),
    ("[cosine]", "20:13: schedule must be text. Received: a list."),
    ("{cosine: 3}", "20:22: cosine must be a mapping (key: value). Received: '3'."),
    ("{cosine: {final: 2}}", "20:30: final must be a number from 0 to 1. Received: '2'."),
    ("{cosine: {peak: 2}}", "20:23: unknown key 'peak' in cosine. Known keys: final, warm_up."),
    ("{constant: {warm_up: -1}}", "20:34: warm_up must be 0 or more epochs. Received: '-1'."),
    ("{step: {every: 0.5}}", "20:28: every must be a whole number from 1 to 1000000. Received: '0.5'."),
    ("{step: {factor: 0}}", "20:29: factor must be a number above 0. Received: '0'."),
    ("{one_cycle: {peak: 1}}", "20:32: peak must be a share of the training between 0 and 1. Received: '1'."),
  ])
  func mistakes(text: String, message: String) {
    #expect(failure { try recipe(text) } == "badData my.yaml:\(message)")
  }
}
