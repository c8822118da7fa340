// SPDX-License-Identifier: Apache-2.0
// The folder of a comparison: made once, opened again, with what its nets left.

import Files
import MTLFast
import MTLFastTraining
import TestSupport
import Testing

@Suite struct ComparisonFolderTests {
  private func message(_ body: () throws -> some Any) -> String {
    do { return "no error: \(try body())" } catch let error as MTLFastError {
      return error.message + (error.remedy.map { " -> \($0)" } ?? "")
    } catch {
      return "\(error)"
    }
  }

  @Test func aComparisonIsOpenedWithItsSettings() throws {
    let folder = try TemporaryFolder()
    let settings = try ComparisonSettings(seed: 7, count: 2, lambda: "0:1:0.5", select: "item")
    #expect(settings.seeds == [7, 8])
    let made = try ComparisonFolder.create(
      at: nil, for: "small", in: "\(folder.path)/runs", recipeText: "recipe: 1", settings: settings)
    #expect(made.path == "\(folder.path)/runs/compare-small-001")
    #expect(
      try folder.text("runs/compare-small-001/settings.json")
        == #"{"comparison":1,"lambda":"0:1:0.5","seeds":[7,8],"select":"item"}"# + "\n")
    let opened = try ComparisonFolder.open(made.path + "/")
    #expect(opened.folder == made && opened.settings == settings)
    // It has a recipe, and yet nothing in it is a run's.
    #expect(
      message { try RunFolder.open(made.path) }
        == "\(made.path): is a comparison, not a run. Name one of the run folders inside it, or go on with all of it. -> \(MTLFastError.Remedy.resumingComparison(made.path))"
    )
    // Never overwritten; the same one is told how to go on.
    #expect(
      message {
        try ComparisonFolder.create(at: made.path, for: "small", recipeText: "recipe: 1\n", settings: settings)
      }
        == "\(made.path): this comparison has begun there. Go on with it. -> \(MTLFastError.Remedy.resumingComparison(made.path))"
    )
    #expect(
      message {
        try ComparisonFolder.create(
          at: made.path, for: "small", recipeText: "recipe: 1\n", settings: ComparisonSettings(seed: 7, count: 3))
      }.hasPrefix("\(made.path): is not empty, and a comparison is never overwritten."))
  }

  @Test func whatIsNoComparisonIsRefused() throws {
    let folder = try TemporaryFolder()
    #expect(message { try ComparisonFolder.open("\(folder.path)/a") } == "\(folder.path)/a: no such comparison.")
    #expect(
      message { try ComparisonFolder.open(folder.path) }
        == "\(folder.path): has no settings.json, so it is no comparison.")
    try folder.write("recipe: 1", to: "recipe.yaml")
    try folder.write(#"{"comparison":1,"lambda":null,"seeds":[],"select":null}"#, to: "settings.json")
    #expect(message { try ComparisonFolder.open(folder.path) }.contains("can't be read as a comparison's settings"))
    #expect(message { try ComparisonSettings(seed: .max, count: 2) }.hasPrefix("seed 18446744073709551615: 2 seeds"))
  }

  @Test func aResultIsThereOnceItIsWhole() throws {
    let folder = try TemporaryFolder()
    let comparison = try ComparisonFolder.create(
      at: "\(folder.path)/c", for: "small", recipeText: "recipe: 1", settings: ComparisonSettings(seed: 0, count: 1))
    let run = try comparison.run("seed-0/item", recipeText: "recipe: 1")
    #expect(try comparison.run("seed-0/item", recipeText: "recipe: 1") == run)
    #expect(comparison.result(of: "seed-0/item") == nil)
    let scores = Scores(
      loss: 1, tasks: [("item", TaskScore(loss: 1, metrics: [(.accuracy, 0.1 + 0.2), (.topK(2), nil)], present: 3))])
    try folder.write(
      #"{"epoch":1,"timing":{"training_seconds":1.5}}"# + "\n" + #"{"epoch":2,"timing":{"training_seconds":2}}"#
        + "\n{",
      to: "c/seed-0/item/history.jsonl")
    let text = NetResult.text(
      parameters: 5, scores: [("test", scores)], trainingSeconds: run.trainingSeconds())
    try comparison.write(text, to: "seed-0/item/result.json")
    let result = try #require(comparison.result(of: "seed-0/item"))
    #expect(result.parameters == 5 && result.trainingSeconds == 3.5)
    // The same bits.
    #expect(result.score(of: "item", .accuracy, on: "test") == 0.1 + 0.2)
    #expect(result.score(of: "item", .topK(2), on: "test") == nil)
    #expect(result.score(of: "item", .accuracy, on: "validation") == nil)
    let failed = NetResult.text(parameters: 5, scores: [], failure: "it diverged", trainingSeconds: 1)
    #expect(failed == #"{"failed":"it diverged","parameters":5,"scores":null,"timing":{"training_seconds":1.0}}"#)
    try comparison.write(failed, to: "seed-0/item/result.json")
    #expect(comparison.result(of: "seed-0/item")?.failure == "it diverged" && result.failure == nil)
    #expect(comparison.result(of: "seed-0/item")?.score(of: "item", .accuracy, on: "test") == nil)
    try comparison.write(String(text.dropLast()), to: "seed-0/item/result.json")
    #expect(comparison.result(of: "seed-0/item") == nil)
  }
}
