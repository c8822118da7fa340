// SPDX-License-Identifier: Apache-2.0
// Trained runs used through the program: predictions of every format, confusion matrices, runs as first weights.

import Foundation
import Testing

@Suite struct PredictTests {
  private func object(_ run: ProgramRun) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any], "\(run.output)")
  }

  /// What `predict --json` says about each sample: its name and its heads.
  private func predictions(_ run: ProgramRun) throws -> [(sample: String, heads: [String: [String: Any]])] {
    try #require(try object(run)["predictions"] as? [[String: Any]]).map {
      (try #require($0["sample"] as? String), try #require($0["heads"] as? [String: [String: Any]]))
    }
  }

  private func classes(_ head: [String: Any]?) throws -> [(name: String, probability: Double)] {
    try #require(head?["top"] as? [[String: Any]]).map {
      (try #require($0["class"] as? String), try #require($0["probability"] as? Double))
    }
  }

  @Test func imagesOfAnySize() throws {
    let folder = try ProgramFolder()
    try folder.writePhotos()
    try folder.train("photos.yaml", to: "run", ["--epochs", "60"])
    // Light red, of another size and shape.
    try folder.writeImage((0..<20 * 31 * 3).map { $0 % 3 == 0 ? 200 : 50 }, height: 20, width: 31, to: "large.png")
    let found = try predictions(
      try folder.succeed(["predict", "run", "large.png", "photos/2.png", "--top", "2", "--json"]))
    #expect(found.map(\.sample) == ["large.png", "photos/2.png"])
    for sample in found {
      #expect(sample.heads.keys.sorted() == ["colour", "tone"])
      for (_, head) in sample.heads {
        #expect(head["label"] is NSNull)
        let top = try classes(head)
        #expect(top.count == 2 && top[0].probability >= top[1].probability)
      }
    }
    #expect(try classes(found[0].heads["colour"])[0].name == "red")
    #expect(try classes(found[0].heads["tone"])[0].name == "light")
    #expect(try classes(found[1].heads["colour"])[0].name == "blue")
    #expect(try classes(found[1].heads["tone"])[0].name == "dark")
    let text = try folder.succeed(["predict", "run", "large.png"]).output.split(separator: "\n").map(String.init)
    #expect(text.count == 3)
    #expect(text[0].split(separator: " ") == ["sample", "head", "predicted"])
    #expect(text[1].split(separator: " ").prefix(3) == ["large.png", "colour", "red"] && text[1].hasSuffix("%"))
    #expect(text[2].split(separator: " ").prefix(2) == ["tone", "light"])
    #expect(!folder.exists("predictions"))
  }

  /// In a list of files and in the table that names them.
  @Test func badImagesCanBeLeftOut() throws {
    let folder = try ProgramFolder()
    try folder.writePhotos()
    try folder.train("photos.yaml", to: "run")
    try folder.write("This is no image.\n", to: "photos/1.png")
    let files = try folder.succeed([
      "predict", "run", "photos/0.png", "photos/1.png", "photos/2.png", "--skip-bad", "--json",
    ])
    #expect(files.errors == "Left out: photos/1.png: is text, not an image. Convert it to PNG or JPEG.\n")
    #expect(try predictions(files).map(\.sample) == ["photos/0.png", "photos/2.png"])
    try folder.write("file\n0.png\n1.png\n2.png\n", to: "photos/new.csv")
    let rows = try folder.succeed(["predict", "run", "photos/new.csv", "--skip-bad", "--json"])
    #expect(rows.errors == "Left out: photos/1.png (row 3): is text, not an image. Convert it to PNG or JPEG.\n")
    #expect(try predictions(rows).map(\.sample) == ["photos/new.csv:2", "photos/new.csv:4"])
    // The same predictions, whatever was left out beside them.
    #expect(
      try predictions(files).map { try classes($0.heads["colour"])[0].probability }
        == predictions(rows).map { try classes($0.heads["colour"])[0].probability })
  }

  /// Rows need no labels, and numbers come in the unit of the training data.
  @Test func rowsOfATable() throws {
    let folder = try ProgramFolder()
    try folder.writeTable()
    try folder.train("table.yaml", to: "run", ["--epochs", "150"])
    try folder.write("note,b,a\nx,1,2\n\"y, z\",0,8\n", to: "new.csv")
    let found = try predictions(try folder.succeed(["predict", "run", "new.csv", "--json"]))
    #expect(found.map(\.sample) == ["new.csv:2", "new.csv:3"])
    for (row, price) in [2001.0, 8000].enumerated() {
      let values = try #require(found[row].heads["price"]?["values"] as? [String: Double])
      #expect(abs(try #require(values["price"]) - price) < 700)
      #expect(try classes(found[row].heads["kind"]).map(\.name) == [row == 0 ? "low" : "high"])
    }
    let lines = try folder.succeed(["predict", "run", "new.csv", "--csv", "--top", "2"]).output.split(separator: "\n")
      .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
    #expect(lines.count == 7)
    #expect(lines[0] == ["sample", "head", "predicted", "value", "label", "file"])
    #expect(lines.dropFirst().allSatisfy { $0.count == 6 && Double($0[3]) != nil && $0[4].isEmpty && $0[5].isEmpty })
    #expect(lines[1][...2] == ["new.csv:2", "kind", "low"] && lines[2][...2] == ["new.csv:2", "kind", "high"])
    #expect(abs(try #require(Double(lines[1][3])) + (try #require(Double(lines[2][3]))) - 1) < 1e-5)
    #expect(lines[3][...2] == ["new.csv:2", "price", "price"])
    // Samples of the test set have labels beside.
    let test = try predictions(try folder.succeed(["predict", "run", "--test-index", "2", "0", "--json"]))
    #expect(test.map(\.sample) == ["test 2", "test 0"])
    #expect(test[0].heads["kind"]?["label"] as? String == "high")
    #expect((test[0].heads["price"]?["label"] as? [String: Double])?["price"] == 9002)
    #expect(try folder.run(["predict", "run", "new.csv", "--csv", "--json"]).status == 64)
  }

  @Test func arrays() throws {
    let folder = try ProgramFolder()
    try folder.writePoints()
    try folder.train("points.yaml", to: "run", ["--epochs", "80"])
    try folder.writeArrays([("x", [2, 4], [0.9, 0, 0, 0, -0.9, 0, 0, 0])], to: "new.npz")
    let found = try predictions(try folder.succeed(["predict", "run", "new.npz", "--json"]))
    #expect(found.map(\.sample) == ["new.npz:0", "new.npz:1"])
    #expect(try found.map { try classes($0.heads["sign"]).map(\.name) } == [["plus"], ["minus"]])
  }

  @Test func masksBecomeImages() throws {
    let folder = try ProgramFolder()
    try folder.writeScenes()
    try folder.train("scenes.yaml", to: "run")
    let run = try folder.succeed(["predict", "run", "test/images/7.png", "--json", "--masks", "out"])
    let heads = try #require(try predictions(run).first).heads
    for (name, shares) in [("ground", ["road", "sky"]), ("road", ["road"])] {
      let head = try #require(heads[name])
      let masks = try #require(head["masks"] as? [String: [String: Any]])
      let found = masks.mapValues { $0["share"] as? Double ?? -1 }
      #expect(found.keys.sorted() == shares && found.values.allSatisfy { (0...1).contains($0) })
      #expect(masks.values.allSatisfy { $0["file"] as? String == "out/7-\(name).png" })
      // Width and height of a PNG's first chunk: those of the net's output.
      let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/out/7-\(name).png")))
      #expect(bytes[16..<24] == [0, 0, 0, 8, 0, 0, 0, 8])
    }
    let masks = try #require(heads["ground"]?["masks"] as? [String: [String: Any]])
    #expect(abs(masks.values.reduce(0) { $0 + ($1["share"] as? Double ?? 0) } - 1) < 1e-9)
    let text = try folder.succeed(["predict", "run", "test/images/7.png"]).output
    #expect(text.contains("of pixels") && text.contains("predictions/7-ground.png"))
    #expect(folder.exists("predictions/7-road.png"))
  }

  @Test func confusionMatrices() throws {
    let folder = try ProgramFolder()
    try folder.writeTable()
    try folder.train("table.yaml", to: "run", ["--epochs", "60"])
    let plain = try object(try folder.succeed(["evaluate", "run", "--json"]))
    #expect(plain.keys.sorted() == ["checkpoint", "recipe", "test", "validation"])
    let report = try object(try folder.succeed(["evaluate", "run", "--json", "--confusion"]))
    for (part, counts) in [("test", [0, 3]), ("validation", [3, 0])] {
      let tasks = try #require(report[part] as? [String: [String: Any]])
      // Rows 24 to 26 have a from 4 to 6 of which only 4 is low; rows 27 to 29 are high.
      let matrix = try #require(tasks["kind"]?["confusion"] as? [[Int]])
      #expect(tasks["kind"]?["classes"] as? [String] == ["high", "low"])
      #expect(matrix.map { $0.reduce(0, +) } == (part == "test" ? [3, 0] : [2, 1]), "\(counts)")
      #expect(tasks["price"]?["confusion"] == nil)
      #expect((plain[part] as? [String: [String: Any]])?["kind"]?["confusion"] == nil)
    }
    let text = try folder.succeed(["evaluate", "run", "--confusion"]).output
    let lines = text.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    let title = try #require(lines.firstIndex(of: ["kind,", "test", "high", "low"]))
    #expect(lines[title + 1].first == "high" && lines[title + 2] == ["low", "0", "0"])
  }

  /// A task trained alone, then both tasks from its weights.
  @Test func oneTaskAndThenBoth() throws {
    let folder = try ProgramFolder()
    try folder.writePhotos()
    try folder.train("photos.yaml", to: "alone", ["--task", "colour"])
    let recipe = try String(contentsOfFile: "\(folder.path)/alone/recipe.yaml", encoding: .utf8)
    #expect(recipe.contains("name: photos-colour") && !recipe.contains("tone"))
    let still = ["--set", "training.optimizer={sgd: {learning_rate: 1e-30}}", "--epochs", "1"]
    let both = try folder.succeed(
      ["train", "photos.yaml", "--output", "both", "--init-from", "alone", "--init-from", "alone:colour"] + still)
    let checkpoint = "alone/checkpoints/step-00000006.safetensors"
    #expect(
      both.errors.hasPrefix(
        """
        Starting with 2 tensors of \(checkpoint): trunk.conv2d_1.kernel, trunk.conv2d_1.bias
        Starting with 2 tensors of \(checkpoint): colour.logits.kernel, colour.logits.bias

        """), "\(both.errors)")
    // A step of 1e-30 moves nothing: colour is predicted as before.
    func colours(_ run: String) throws -> [String] {
      try folder.succeed(["predict", run, "photos/0.png", "photos/1.png", "photos/5.png", "--top", "3", "--csv"])
        .output.split(separator: "\n").map(String.init).filter { $0.contains(",colour,") }
    }
    let alone = try colours("alone")
    #expect(alone.count == 9)
    #expect(try colours("both") == alone)
    try folder.train("photos.yaml", to: "drawn", Array(still.dropLast(2)))
    #expect(try colours("drawn") != alone)
    // A bare checkpoint will do.
    let file = try folder.succeed(["train", "photos.yaml", "--output", "file", "--init-from", checkpoint] + still)
    #expect(file.errors.hasPrefix("Starting with 2 tensors of \(checkpoint)"))
  }
}
