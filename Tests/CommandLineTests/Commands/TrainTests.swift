// SPDX-License-Identifier: Apache-2.0
// Trainings that end early, and the best of their models, with the built program.

import Foundation
import Testing

@Suite(.serialized) struct TrainTests {
  func report(_ run: ProgramRun) throws -> [String: Any] {
    #expect(run.status == 0, "\(run.errors)")
    return try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
  }

  func bytes(_ name: String, in folder: ProgramFolder) -> Data? {
    FileManager.default.contents(atPath: "\(folder.path)/\(name)")
  }

  @Test func theBestModelIsKeptAndReported() throws {
    let folder = try ProgramFolder()
    try folder.writeTable()
    let run = try folder.succeed([
      "train", "table.yaml", "--output", "run", "--epochs", "60", "--set", "training.early_stopping=4", "--set",
      "training.best=kind.accuracy + 0.1*price.r2", "--set", "training.best_per_task=true", "--set",
      "training.schedule={cosine: {warm_up: 1}}", "--seed", "4",
    ])
    let lines = run.output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    #expect(lines.allSatisfy { $0.count <= 80 })
    let place = try #require(lines.firstIndex { $0.hasPrefix("best on validation") })
    #expect(lines[place + 1].hasPrefix("kind.accuracy + 0.1*price.r2"))
    #expect(lines[place + 2].hasPrefix("kind accuracy") && lines[place + 3].hasPrefix("price R2"))
    let epoch = try #require(lines[place + 1].split(separator: " ").last)
    #expect(lines[place + 4] == "the model of epoch \(epoch): run/best.safetensors")
    for name in ["best", "best-kind", "best-price"] { #expect(folder.exists("run/\(name).safetensors")) }
    let scores = try report(folder.run(["evaluate", "run", "--best", "--json"]))
    #expect(scores["checkpoint"] as? String == "run/best.safetensors")
    let table = try folder.succeed(["predict", "run", "t.csv", "--best", "--csv"])
    let direct = try folder.succeed(["predict", "run/best.safetensors", "t.csv", "--csv"])
    #expect(table.output == direct.output)
  }

  @Test func aTrainingThatEndedEarlySaysWhy() throws {
    let folder = try ProgramFolder()
    try folder.writeTable()
    let arguments = [
      "train", "table.yaml", "--output", "run", "--epochs", "200", "--set",
      "training.early_stopping={patience: 2, on: kind.accuracy}",
    ]
    let run = try folder.run(arguments + ["--json"])
    let first = try report(run)
    let reason = try #require(first["stopped"] as? String)
    #expect(reason.hasPrefix("no better kind.accuracy on the validation data for 2 epochs; the best was epoch "))
    #expect(run.errors.contains(": \(reason).\n") && !run.errors.contains("Go on with"))
    let epochs = try #require(first["epochs"] as? [Any]).count
    #expect(epochs < 200)
    // Without a best of its own, the recipe keeps the smallest loss.
    #expect((first["best"] as? [String: Any])?["by"] as? String == "loss")
    // Going on ends at once.
    let before = bytes("run/steps.jsonl", in: folder)
    let again = try report(folder.run(["train", "--resume", "run", "--json"]))
    #expect(again["stopped"] as? String == reason && (again["epochs"] as? [Any])?.isEmpty == true)
    #expect(try #require(again["threads"] as? Int) >= 1)
    #expect(bytes("run/steps.jsonl", in: folder) == before)
  }

  @Test func aTimeBudgetEndsATrainingThatCanGoOn() throws {
    let folder = try ProgramFolder()
    try folder.writeTable()
    try folder.train("table.yaml", to: "whole")
    let run = try folder.succeed([
      "train", "table.yaml", "--output", "short", "--epochs", "2", "--time-budget", "0.000001",
    ])
    #expect(
      run.errors.contains(
        "Ended after step 1: the time budget of 1e-06 s is used up.\nA checkpoint was written. Go on with: mtl-fast train --resume short\n"
      ), "\(run.errors)")
    try folder.succeed(["train", "--resume", "short", "--quiet"])
    for name in ["best.safetensors", "steps.jsonl", "checkpoints/step-00000006.safetensors"] {
      #expect(bytes("short/\(name)", in: folder) == bytes("whole/\(name)", in: folder), "\(name)")
    }
    #expect(bytes("whole/best.safetensors", in: folder) != nil)
  }

  @Test func aRunWithoutValidationDataHasNoBestModel() throws {
    let folder = try ProgramFolder()
    try folder.writePoints()
    try folder.train("points.yaml", to: "run")
    #expect(!folder.exists("run/best.safetensors"))
    let run = try folder.run(["evaluate", "run", "--best"])
    #expect(run.status == 66)
    #expect(
      run.errors
        == "Error: run: has no best.safetensors: its recipe selects no model on validation data, or no epoch has ended yet. Leave --best out.\n"
    )
  }
}
