// SPDX-License-Identifier: Apache-2.0
// Comparisons with the built program: finished, killed and gone on with, refused.

import Foundation
import Testing

@Suite(.serialized) struct CompareTests {
  private static let small = [
    "compare", "simultaneous-shared", "--seeds", "2", "--epochs", "2", "--batch-size", "32",
    "--set", "data.training=160", "--set", "data.test=40",
  ]

  /// comparison.json without what depends on the machine.
  private func result(_ folder: ProgramFolder, _ name: String) throws -> NSDictionary {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/\(name)/comparison.json"))
    var members = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
    #expect(members.removeValue(forKey: "timing") != nil)
    return members as NSDictionary
  }

  private func number(_ value: Any?, _ path: String...) -> Double? {
    path.reduce(value) { ($0 as? [String: Any])?[$1] } as? Double
  }

  private func text(_ folder: ProgramFolder, _ name: String) throws -> String {
    try String(contentsOfFile: "\(folder.path)/\(name)", encoding: .utf8)
  }

  @Test func aKilledComparisonEndsWithTheSameNumbers() throws {
    let folder = try ProgramFolder()
    let whole = try folder.succeed(Self.small + ["--quiet"])
    #expect(whole.errors.isEmpty)
    #expect(whole.output.hasSuffix("\n\nruns/compare-simultaneous-shared-001/report.html\n"))
    #expect(whole.output.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(whole.output)")
    let expected = try result(folder, "runs/compare-simultaneous-shared-001")
    #expect((expected["tasks"] as? [Any])?.count == 3)

    let process = Process()
    process.executableURL = try ProgramRun.program()
    process.arguments = Self.small + ["--output", "killed", "--quiet"]
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    // In the middle of the third net, or soon after.
    while process.isRunning, !folder.exists("killed/seed-0/segmentation/steps.jsonl") { usleep(500) }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(folder.exists("killed/seed-0/classification/result.json"))
    // As if it had been killed before the first checkpoint of one net, and while a result was written.
    try folder.write("{\"parameters\":3", to: "killed/seed-0/classification/result.json")
    let checkpoints = "\(folder.path)/killed/seed-0/segmentation/checkpoints"
    try? FileManager.default.removeItem(atPath: checkpoints)
    try interrupt(["compare", "--resume", "killed"], in: folder)
    let rest = try folder.succeed(["compare", "--resume", "killed", "--json"])
    #expect(!rest.errors.contains("net 1 of 8"))
    #expect(try result(folder, "killed") == expected)
    #expect(
      try text(folder, "killed/comparison.csv") == text(folder, "runs/compare-simultaneous-shared-001/comparison.csv"))
    for file in ["steps.jsonl", "checkpoints/step-00000010.safetensors"] {
      let paths = ["killed", "runs/compare-simultaneous-shared-001"].map { "\(folder.path)/\($0)/seed-0/segmentation/" }
      #expect(FileManager.default.contentsEqual(atPath: paths[0] + file, andPath: paths[1] + file))
    }
    // All is there: nothing is trained, and the same is printed.
    let again = try folder.succeed(["compare", "--resume", "killed", "--json"])
    #expect(!again.errors.contains("net ") && again.output == rest.output)
    let twin = try folder.run(["evaluate", "killed/seed-1/regression", "--json"])
    #expect(twin.status == 0 && twin.output.contains("\"regression\""), "\(twin.errors)")

    let begun = try folder.run(Self.small + ["--output", "killed"])
    #expect(begun.status == 64)
    #expect(
      begun.errors
        == "Error: killed: this comparison has begun there. Go on with it: mtl-fast compare --resume killed\n")
    let other = try folder.run(Self.small + ["--output", "killed", "--lambda", "0:1:0.5"])
    #expect(other.status == 64, "\(other.errors)")
    let settings = try folder.run(Self.small + ["--output", "killed", "--seed", "5"])
    #expect(settings.status == 64)
    #expect(settings.errors.hasPrefix("Error: killed: is not empty, and a comparison is never overwritten."))
  }

  /// Interrupts the third net as soon as it runs.
  private func interrupt(_ arguments: [String], in folder: ProgramFolder) throws {
    let process = Process()
    process.executableURL = try ProgramRun.program()
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    let errors = Pipe()
    process.standardError = errors
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    while process.isRunning, !folder.exists("killed/seed-0/segmentation/checkpoints/step-00000005.safetensors") {
      usleep(500)
    }
    process.interrupt()
    let said = errors.textToEnd()
    process.waitUntilExit()
    #expect(said.contains("net 3 of 8: seed 0, segmentation alone"), "\(said)")
    // On a fast machine the last net may have ended before the signal came.
    if process.terminationStatus != 0 {
      #expect(process.terminationStatus == 130)
      #expect(said.contains("Go on with: mtl-fast compare --resume killed"), "\(said)")
    }
  }

  /// One seed, a head that reads another, no test data.
  @Test func aFedHeadIsComparedOnValidationData() throws {
    let folder = try ProgramFolder()
    try folder.writeTable()
    let recipe = try text(folder, "table.yaml")
    let fed = recipe.replacingOccurrences(of: "price: {from: trunk}", with: "price: {from: kind.logits}")
      .replacingOccurrences(
        of: "split: {column: use, training: in, validation: held, test: out}",
        with: "validation: {fraction: 0.3}")
    try folder.write(fed, to: "fed.yaml")
    let run = try folder.succeed(["compare", "fed.yaml", "--seeds", "1", "--epochs", "2", "--output", "c"])
    #expect(run.output.contains("validation  metric"), "\(run.output)")
    #expect(run.output.contains("price: one seed: no interval, nothing can be claimed."))
    #expect(try text(folder, "c/seed-0/price/recipe.yaml").contains("weight: 0\n"))
    let csv = try folder.succeed(["compare", "--resume", "c", "--csv", "--quiet"])
    #expect(csv.output == (try text(folder, "c/comparison.csv")))
    try folder.succeed(["train", "fed.yaml", "--task", "price", "--epochs", "1", "--quiet"])
  }

  /// Two streams, each twin the best of its epochs by a metric of its own.
  @Test func twinsAreSelectedAsTheNetOfAllTasks() throws {
    let folder = try ProgramFolder()
    try folder.writeTable()
    try folder.write(
      """
      recipe: 1
      name: two
      data:
        streams:
          rows: {format: csv, path: t.csv, validation: {fraction: 0.3}}
          others: {format: csv, path: t.csv, validation: {fraction: 0.4, seed: 1}}
      inputs: {x: {from: rows, columns: [a, b]}, z: {from: others, columns: [a, b]}}
      tasks: {kind: {labels: kind}, price: {target: price}}
      heads: {kind: {from: x, layers: [dense: 6]}, price: {from: z, layers: [dense: 6]}}
      training:
        batch_size: 8
        optimizer: {adam: {learning_rate: 0.3}}
        best: kind.accuracy + price.r2
        early_stopping: {patience: 3, on: kind.loss}

      """, to: "two.yaml")
    try folder.succeed(["compare", "two.yaml", "--seeds", "1", "--epochs", "12", "--output", "c", "--quiet"])
    let members = try result(folder, "c")
    for (task, metric, stopping) in [("kind", "accuracy", "kind.loss"), ("price", "r2", "price.r2")] {
      let recipe = try text(folder, "c/seed-0/\(task)/recipe.yaml")
      #expect(recipe.contains("best: \(task).\(metric)\n") && recipe.contains("on: \(stopping)"), "\(recipe)")
      let best = try folder.succeed(["evaluate", "c/seed-0/\(task)", "--best", "--json"])
      let scores = try JSONSerialization.jsonObject(with: Data(best.output.utf8))
      let expected = try #require(number(scores, "validation", task, metric))
      let compared = (members["tasks"] as? [[String: Any]])?.first { $0["task"] as? String == task }
      #expect(number(compared, "alone", "mean") == expected, "\(best.output)")
    }
    // Killed between the training and its result.
    try FileManager.default.removeItem(atPath: "\(folder.path)/c/seed-0/price/result.json")
    try folder.succeed(["compare", "--resume", "c", "--quiet"])
    #expect(try result(folder, "c") == members)
    // R2 of a single number is not defined.
    let undefined = try folder.succeed(
      ["compare", "two.yaml", "--seeds", "1", "--epochs", "2", "--output", "u", "--quiet"]
        + ["--set", "data.streams.others.validation={fraction: 0.03}", "--set", "training.best=price.r2"])
    #expect(undefined.errors.contains("did not finish: 'price.r2' has no value after any epoch"), "\(undefined.errors)")
    let refused = try folder.run(
      ["compare", "two.yaml", "--set", "training.best=loss", "--set", "data.streams.others.validation=none"])
    #expect(refused.status == 64)
    #expect(
      refused.errors
        == "Error: Recipe 'two': the net of all tasks is taken where 'loss' is best, but the data have no validation labels of task 'price' to choose its twin by. Name some in data.streams, or leave training.best out.\n"
    )
  }

  /// Of numbers that are far too large the squares diverge, the classes don't.
  @Test func aDivergingNetEndsNoComparison() throws {
    let folder = try ProgramFolder()
    try folder.writeTable()
    let rate = ["--set", "training.optimizer.adam.learning_rate=1e15", "--epochs", "2", "--seeds", "2"]
    let run = try folder.succeed(["compare", "table.yaml", "--output", "c"] + rate)
    #expect(run.errors.contains("Warning: seed 0, all tasks did not finish: Step "), "\(run.errors)")
    #expect(!run.errors.contains("checkpoint"))
    for line in [
      "price: 4 nets did not finish", "kind: 2 nets did not finish (seed 0, all tasks; seed 1, all",
      "delta m is not defined",
    ] {
      #expect(run.output.contains(line), "\(run.output)")
    }
    let failed = try #require(try result(folder, "c")["failed"] as? [NSDictionary])
    #expect(failed.map { $0["net"] as? String }.contains("seed 1, price alone") && failed.count == 4)
    #expect(try text(folder, "c/seed-0/price/result.json").contains(#""scores":null"#))
    #expect(try text(folder, "c/report.html").contains("seed 1, price alone did not finish: Step "))
    let again = try folder.succeed(["compare", "--resume", "c"])
    #expect(again.output == run.output && !again.errors.contains("net "), "\(again.errors)")
    let sweep = try folder.succeed(
      ["compare", "table.yaml", "--output", "s", "--lambda", "0:1:1", "--select", "kind", "--quiet"] + rate)
    #expect(sweep.output.contains("Without a result: lambda 0, seed 0;"), "\(sweep.output)")
  }

  /// The numbers are there and printed, whatever stands in the way of the pictures.
  @Test func aFailedPictureIsAWarning() throws {
    let folder = try ProgramFolder()
    try folder.writeTable()
    let compare = ["compare", "table.yaml", "--seeds", "1", "--epochs", "1", "--output", "c", "--quiet"]
    let run = try folder.run(compare, environment: ["TMPDIR": "\(folder.path)/nowhere"])
    #expect(run.status == 0)
    #expect(run.errors.hasPrefix("Warning: no pictures: \(folder.path)/nowhere: no temporary folder can be made"))
    #expect(run.output.contains("price: one seed: ") && run.output.hasSuffix("\n\nc\n"), "\(run.output)")
    #expect(folder.exists("c/comparison.json") && folder.exists("c/comparison.csv") && !folder.exists("c/report.html"))
    func files() throws -> [Int] {
      try ["multi-task", "kind", "price"].map { net in
        let path = "\(folder.path)/c/seed-0/\(net)/recipe.yaml"
        return try #require(try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int)
      }
    }
    // What is finished isn't written again.
    let before = try files()
    let again = try folder.succeed(["compare", "--resume", "c", "--quiet"])
    #expect(again.errors.isEmpty && again.output.hasSuffix("\n\nc/report.html\n"))
    #expect(try files() == before)

    for arguments in [["evaluate", "c"], ["train", "--resume", "c"], ["plot", "c"]] {
      let refused = try folder.run(arguments)
      #expect(refused.status == 64, "\(arguments)")
      #expect(
        refused.errors
          == "Error: c: is a comparison, not a run. Name one of the run folders inside it, or go on with all of it: mtl-fast compare --resume c\n"
      )
    }
  }

  @Test func aSweepChoosesOnHeldOutSamples() throws {
    let folder = try ProgramFolder()
    try folder.writePhotos()
    var table = try text(folder, "photos/labels.csv")
    for row in 0..<30 {
      table += "\(row % 12).png,\(["red", "green", "blue"][row % 3]),\(row % 2 == 0 ? "dark" : "light"),in\n"
    }
    try folder.write(table, to: "photos/labels.csv")
    let sweep = ["compare", "photos.yaml", "--epochs", "2", "--seeds", "2", "--lambda", "0:1:0.5"]
    let run = try folder.succeed(sweep + ["--output", "s"])
    for line in ["held-out scores: colour accuracy, tone accuracy", "0.5     ", "test, lambda "] {
      #expect(run.output.contains(line), "\(run.output)")
    }
    #expect(run.errors.contains("net 6 of 6: lambda 1, seed 1"))
    #expect(folder.exists("s/lambda-0.5/seed-1/result.json"))
    #expect(try text(folder, "s/recipe.yaml").contains("fraction: 0.1, stratify: colour"))
    let expected = try result(folder, "s")
    // A net of the last weight is trained again.
    try FileManager.default.removeItem(atPath: "\(folder.path)/s/lambda-1/seed-1/result.json")
    try folder.succeed(["compare", "--resume", "s", "--quiet"])
    #expect(try result(folder, "s") == expected)
    let selected = try folder.succeed(sweep + ["--select", "tone", "--output", "t", "--quiet"])
    #expect(selected.output.contains("has the best held-out score of tone."))
    try folder.write(
      text(folder, "photos.yaml").replacingOccurrences(
        of: "split: {column: use, training: in, test: out}", with: "validation: {fraction: 0.5}"), to: "untested.yaml")
    let untested = try folder.succeed(
      [
        "compare", "untested.yaml", "--epochs", "1", "--seeds", "1", "--lambda", "0.5:1:0.5", "--output", "u",
        "--quiet",
      ])
    #expect(untested.output.contains("\nThere are no test data.\n") && !untested.output.contains("test, lambda"))
    #expect(try result(folder, "u")["test"] is NSNull)
    #expect(try text(folder, "u/recipe.yaml").contains("fraction: 0.5"))
  }

  @Test(
    arguments: [
      (["--seeds", "0"], 64, "--seeds must be a whole number from 1 to 100. Received: 0."),
      (["--csv", "--json"], 64, "--csv and --json can't be used together. Keep one."),
      (["--select", "item"], 64, "--select chooses one of several lambdas: give a range, --lambda 0:1:0.1."),
      (
        ["simultaneous", "--lambda", "0:1:0.5"], 64,
        "--lambda 0:1:0.5: lambda weighs two heads but recipe 'simultaneous' has 3 (classification, segmentation, regression). Leave the range out."
      ),
      (
        ["points.yaml"], 64, "Recipe 'points': has one task, 'sign', so there is nothing to train together."
      ),
      (
        ["table.yaml", "--lambda", "0:1:0.5"], 64,
        "--lambda 0:1:0.5: the tasks' metrics have no common mean (kind by accuracy, price by r2). Name the task to choose by: --select kind."
      ),
      (
        ["table.yaml", "--lambda", "0:1"], 64,
        "--lambda 0:1: a range has three numbers. Write from:to:step, such as 0:1:0.1."
      ),
      (
        ["table.yaml", "--lambda", "0:1:0.5", "--select", "kin"], 64,
        "--select: unknown task 'kin' in recipe 'table'. Known tasks: kind, price. Did you mean 'kind'?"
      ),
      (["--resume", "nowhere"], 66, "nowhere: no such comparison."),
      (["--resume", "."], 66, ".: has no settings.json, so it is no comparison."),
      (
        ["--resume", "x", "--seeds", "2"], 64,
        "--resume goes on with the comparison's own settings: leave the others out, or compare in a new folder."
      ),
    ] as [([String], Int32, String)])
  func mistakes(arguments: [String], status: Int32, message: String) throws {
    let folder = try ProgramFolder()
    try folder.writeTable()
    try folder.writePoints()
    let run = try folder.run(["compare"] + arguments)
    #expect(run.status == status)
    #expect(run.errors.hasPrefix("Error: \(message)"), "\(run.errors)")
    #expect(!folder.exists("runs"))
  }
}
