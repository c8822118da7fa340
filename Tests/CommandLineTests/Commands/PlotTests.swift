// SPDX-License-Identifier: Apache-2.0
// `plot` with the built program on runs that it trained.

import Foundation
import Testing

@Suite(.serialized) struct PlotTests {
  let folder: ProgramFolder
  init() throws {
    folder = try ProgramFolder()
    try folder.writePhotos()
    try folder.train("photos.yaml", to: "one", ["--set", "training.report=test"])
  }

  @Test func oneRunIsDrawnInItsFolder() throws {
    let run = try folder.succeed(["plot", "one"])
    #expect(run.errors == "")
    let paths = run.output.split(separator: "\n").map(String.init)
    #expect(paths.first == "one/plots/colour-training-accuracy.svg" && paths.last == "one/report.html")
    #expect(paths.contains("one/plots/tone-confusion-test.png") && paths.count == 17)
    #expect(paths.allSatisfy(folder.exists))
    #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/one/plots").count == 16)
    let page = try String(contentsOfFile: "\(folder.path)/one/report.html", encoding: .utf8)
    #expect(page.contains("<h1>photos: one</h1>") && page.contains("<p>one: 2 epochs, 6 steps.</p>"))
    // The last line of a run that trains is not whole.
    let steps = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(folder.path)/one/steps.jsonl"))
    try steps.seekToEnd()
    try steps.write(contentsOf: Data("{\"epoch\":3,".utf8))
    try folder.succeed(["plot", "one/"])
    try steps.write(contentsOf: Data("\n".utf8))
    let damaged = try folder.run(["plot", "one"])
    #expect(damaged.status == 65 && damaged.errors.hasPrefix("Error: one/steps.jsonl:7: is damaged: expected"))
  }

  @Test func aRunNamedLikeABuiltInRecipeIsDrawnWithItsOwn() throws {
    try FileManager.default.moveItem(atPath: "\(folder.path)/one", toPath: "\(folder.path)/cifar10")
    try folder.succeed(["plot", "cifar10"])
    let page = try String(contentsOfFile: "\(folder.path)/cifar10/report.html", encoding: .utf8)
    #expect(page.contains("<h1>photos: cifar10</h1>") && page.contains("name: photos"))
  }

  @Test func severalRunsAreDrawnTogether() throws {
    try folder.train("photos.yaml", to: "two", ["--task", "tone", "--set", "training.report=test"])
    let run = try folder.succeed(["plot", "one", "two", "--json"])
    let report = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
    #expect(report["report"] as? String == "plots/report.html")
    let pictures = try #require(report["pictures"] as? [[String: String]])
    #expect(pictures.map { $0["title"] }.contains("tone: test confusion, two"))
    try folder.succeed(["plot", "one", "two", "--output", "mine/pictures/"])
    #expect(folder.exists("mine/pictures/report.html") && folder.exists("mine/pictures/tone-epochs-accuracy.png"))
    let twice = try folder.run(["plot", "one", "./one"])
    #expect(twice.status == 64)
    #expect(twice.errors == "Error: ./one: is the same run as one before it. Name each run once.\n")
  }

  @Test func aRunWithoutStepsIsTold() throws {
    try folder.write("", to: "one/steps.jsonl")
    let run = try folder.run(["plot", "one"])
    #expect(run.status == 66)
    #expect(
      run.errors
        == "Error: one: no steps are logged yet, so there is nothing to draw. Train on, then try again.\n")
    #expect(try folder.run(["plot", "nowhere"]).errors == "Error: nowhere: no such run.\n")
  }

  @Test func withoutGnuplotItIsSaidWhatToInstall() throws {
    let run = try ProgramRun(["plot", "one"], in: folder.path, environment: ["PATH": folder.path])
    #expect(run.status == 66)
    #expect(run.errors.hasPrefix("Error: gnuplot is not installed, and it draws the pictures. Run ./setup.sh, or"))
    #expect(run.output == "" && !folder.exists("one/report.html"))
  }
}
