// SPDX-License-Identifier: Apache-2.0
// Bad input through the program: one clear line, the right exit code, and nothing left behind.

import Foundation
import Testing

@Suite struct BadInputTests {
  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let arguments: [String]
    let status: Int32
    /// A star stands for any text.
    let message: String
    let prepare: @Sendable (ProgramFolder) throws -> Void

    init(
      _ description: String, _ arguments: [String], _ status: Int32, _ message: String,
      _ prepare: @escaping @Sendable (ProgramFolder) throws -> Void
    ) {
      testDescription = description
      self.arguments = arguments
      self.status = status
      self.message = message
      self.prepare = prepare
    }
  }

  /// The table with one text replaced.
  static func table(_ old: String, _ new: String) -> @Sendable (ProgramFolder) throws -> Void {
    { folder in
      try folder.writeTable()
      let text = try String(contentsOfFile: "\(folder.path)/t.csv", encoding: .utf8)
      try #require(text.contains(old))
      try folder.write(text.replacing(old, with: new, maxReplacements: 1), to: "t.csv")
    }
  }

  /// The recipe of the table with one text replaced.
  static func recipe(_ old: String, _ new: String) -> @Sendable (ProgramFolder) throws -> Void {
    { folder in
      try folder.writeTable()
      let text = try String(contentsOfFile: "\(folder.path)/table.yaml", encoding: .utf8)
      try #require(text.contains(old))
      try folder.write(text.replacing(old, with: new, maxReplacements: 1), to: "table.yaml")
    }
  }

  /// The files of CIFAR-10 with 20 records each, in their folder.
  static func cifar10(_ folder: ProgramFolder) throws {
    let files = (1...5).map { "data_batch_\($0).bin" } + ["test_batch.bin"]
    for (index, file) in files.enumerated() {
      var bytes = ProgramFolder.noise(20 * 3073, seed: index)
      for record in 0..<20 { bytes[record * 3073] %= 10 }
      try folder.write(bytes, to: "cifar-10-batches-bin/\(file)")
    }
    try folder.write("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n", to: "cifar-10-batches-bin/batches.meta.txt")
  }

  static let training: [Case] = [
    Case(
      "a truncated archive", ["cifar10", "--data", "archive"], 65,
      "archive/cifar-10-binary.tar.gz: is damaged in or after its member 'cifar-10-batches-bin/data_batch_3.bin' (the gzip data break off at the end of the file, * bytes). Get the file again."
    ) { folder in
      try cifar10(folder)
      let names = (1...5).map { "data_batch_\($0).bin" } + ["test_batch.bin", "batches.meta.txt"]
      try folder.archive(names.map { "cifar-10-batches-bin/\($0)" }, as: "cifar-10-binary.tar.gz")
      let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/cifar-10-binary.tar.gz")))
      try folder.write(Array(whole[..<(whole.count * 2 / 5)]), to: "archive/cifar-10-binary.tar.gz")
    },
    Case(
      "a file of records that was cut", ["cifar10", "--data", "."], 65,
      "cifar-10-batches-bin/data_batch_3.bin: has 61459 bytes, not a whole number of records of 3073 bytes. The file was cut short or is of another data set: get it again."
    ) { folder in
      try cifar10(folder)
      try folder.write(ProgramFolder.noise(3073 * 20 - 1), to: "cifar-10-batches-bin/data_batch_3.bin")
    },
    Case(
      "an unknown column", ["table.yaml"], 65,
      "Task 'kind': t.csv:1: unknown column 'knid' in the header. Known columns: a, b, kind, price, use. Did you mean 'kind'?",
      recipe("labels: kind", "labels: knid")),
    Case(
      "text among numbers", ["table.yaml"], 65,
      "t.csv:5: column 'a' is 'three', not a finite number. Correct it, or leave the row out.",
      table("\n3,0,", "\nthree,0,")),
    Case(
      "NaN among numbers", ["table.yaml"], 65,
      "t.csv:5: column 'a' is 'nan', not a finite number. Correct it, or leave the row out.",
      table("\n3,0,", "\nnan,0,")),
    Case(
      "infinity among numbers", ["table.yaml"], 65,
      "Task 'price': t.csv:5: column 'price' is 'inf', not a finite number. Correct it, or leave it empty where it is missing.",
      table("low,3000,", "low,inf,")),
    Case("an empty table", ["table.yaml"], 65, "t.csv:1: is empty. The first line has to name the columns.") { folder in
      try folder.writeTable()
      try folder.write("", to: "t.csv")
    },
    Case(
      "a table of a header alone", ["table.yaml"], 65,
      "t.csv: no row has 'in' in column 'use', so the training part is empty. Check the value, or leave the part out."
    ) { folder in
      try folder.writeTable()
      try folder.write("a,b,kind,price,use\n", to: "t.csv")
    },
    Case(
      "a column twice", ["table.yaml"], 65, "t.csv:1: columns 1 and 2 are both named 'a'. Rename one of them.",
      table("a,b,kind", "a,a,kind")),
    Case(
      "a class of validation alone", ["table.yaml"], 65,
      "t.csv:26: column 'kind' is 'odd', a class that no training row has. List every class in tasks.kind.classes, or move a row of it to training (stratify: kind does where a fraction is drawn).",
      table("2,low,4002,held", "2,odd,4002,held")),
    Case(
      "an image that is text", ["photos.yaml"], 65,
      "photos/4.png (row 6): is text, not an image. Convert it to PNG or JPEG. Of 9 images only this one is bad; --skip-bad goes on without it."
    ) { folder in
      try folder.writePhotos()
      try folder.write("This is no image.\n", to: "photos/4.png")
    },
    Case(
      "an image that is missing", ["photos.yaml"], 66,
      "photos/4.png (row 6): can't be opened (No such file or directory). Check the path. Of 9 images only this one is bad; --skip-bad goes on without it."
    ) { folder in
      try folder.writePhotos()
      try FileManager.default.removeItem(atPath: "\(folder.path)/photos/4.png")
    },
    Case(
      "an image that was cut", ["photos.yaml"], 65,
      "photos/4.png (row 6): is a damaged PNG image of 70 bytes (it breaks off). Get the file again. Of 9 images only this one is bad; --skip-bad goes on without it."
    ) { folder in
      try folder.writePhotos()
      let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/photos/4.png")))
      try folder.write(Array(whole[..<(whole.count - 20)]), to: "photos/4.png")
    },
    Case(
      "a mask of another size", ["scenes.yaml"], 65,
      "train/masks/2.png: has 10x10 pixels but its image train/images/2.png has 12x10. Give both the same size. Of 6 pairs of image and mask only this one is bad; --skip-bad goes on without it."
    ) { folder in
      try folder.writeScenes()
      try folder.writeImage(
        [UInt8](repeating: 1, count: 100), height: 10, width: 10, channels: 1, to: "train/masks/2.png")
    },
    Case(
      "a mask with a value that is no class", ["scenes.yaml"], 65,
      "Task 'ground': train/masks/2.png: holds 7 but there are 2 classes (0...1). Name more classes, or ignore: [7]."
    ) { folder in
      try folder.writeScenes()
      try folder.writeImage(
        [UInt8](repeating: 7, count: 120), height: 10, width: 12, channels: 1, to: "train/masks/2.png")
    },
    Case(
      "a folder that is missing", ["scenes.yaml"], 66,
      "train/masks: no such file or folder. Looked for train/masks. Name the folder that holds it with --data DIR, or run in the folder of the recipe."
    ) { folder in
      try folder.writeScenes()
      try FileManager.default.removeItem(atPath: "\(folder.path)/train/masks")
    },
    Case(
      "data that are nowhere", ["table.yaml", "--data", "/nowhere"], 66,
      "t.csv: no such file or folder. Looked for /nowhere/t.csv. Check --data."
    ) { try $0.writeTable() },
    Case("a recipe that is nowhere", ["table.yaml"], 66, "table.yaml: no such file.") { _ in },
    Case(
      "an unknown task", ["table.yaml", "--task", "knid"], 64,
      "unknown task 'knid' in recipe 'table'. Known tasks: kind, price. Did you mean 'kind'?"
    ) { try $0.writeTable() },
    Case(
      "an archive that isn't one", ["points.yaml"], 65,
      "points.npz: doesn't begin as a .npy file does. Save the array with numpy.save."
    ) { folder in
      try folder.writePoints()
      try folder.write("no arrays", to: "points.npz")
    },
    Case(
      "an array of another shape", ["points.yaml"], 65,
      "points.npz: Array 'x': has samples of shape 3 but the input's is 4. Set the input's shape, or reshape the array."
    ) { folder in
      try folder.writePoints()
      try folder.writeArrays(
        [("x", [20, 3], [Float](repeating: 1, count: 60)), ("sign", [20], [Float](repeating: 1, count: 20))],
        to: "points.npz")
    },
    Case(
      "a label beyond the classes", ["points.yaml"], 65,
      "Task 'sign': points.npz: Array 'sign': sample 0, element 0 is 2, but labels are 0...1, or -1 where one is missing. Correct it, or name more classes."
    ) { folder in
      try folder.writePoints()
      try folder.writeArrays(
        [("x", [20, 4], [Float](repeating: 1, count: 80)), ("sign", [20], [Float](repeating: 2, count: 20))],
        to: "points.npz")
    },
  ]

  /// Expects one line that begins with `Error:` on standard error alone, and no folder of a run.
  static func expect(
    _ arguments: [String], in folder: ProgramFolder, _ status: Int32, _ message: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let run = try folder.run(arguments)
    #expect(run.status == status, sourceLocation: sourceLocation)
    #expect(run.output == "", sourceLocation: sourceLocation)
    let parts = "Error: \(message)\n".split(separator: "*", maxSplits: 1)
    if parts.count == 1 {
      #expect(run.errors == parts[0], sourceLocation: sourceLocation)
    } else {
      #expect(
        run.errors.hasPrefix(parts[0]) && run.errors.hasSuffix(parts[1]), "\(run.errors)",
        sourceLocation: sourceLocation)
      #expect(run.errors.split(separator: "\n").count == 1, sourceLocation: sourceLocation)
    }
    for name in ["run", "runs", "predictions"] {
      #expect(!folder.exists(name), "\(name)", sourceLocation: sourceLocation)
    }
  }

  /// Into a folder that is named, and into the next free one.
  @Test(arguments: training, [["--output", "run"], []]) func trainingSaysItInOneLine(wrong: Case, output: [String])
    throws
  {
    let folder = try ProgramFolder()
    try wrong.prepare(folder)
    try Self.expect(["train"] + wrong.arguments + output, in: folder, wrong.status, wrong.message)
  }

  @Test func aBadImageCanBeLeftOut() throws {
    let folder = try ProgramFolder()
    try folder.writePhotos()
    try folder.write("This is no image.\n", to: "photos/4.png")
    try folder.write("Nor is this.\n", to: "photos/10.png")
    let run = try folder.succeed(["train", "photos.yaml", "--skip-bad", "--epochs", "1", "--quiet", "--output", "run"])
    #expect(
      run.errors == """
        photos/labels.csv (training): 1 bad image was left out: photos/4.png (row 6): is text, not an image. Convert it to PNG or JPEG.
        photos/labels.csv (test): 1 bad image was left out: photos/10.png (row 12): is text, not an image. Convert it to PNG or JPEG.

        """)
    let evaluation = try folder.succeed(["evaluate", "run", "--skip-bad", "--json"])
    #expect(evaluation.output.contains("\"recipe\":\"photos\""))
    try folder.writeScenes()
    try folder.writeImage([UInt8](repeating: 1, count: 9), height: 3, width: 3, channels: 1, to: "train/masks/2.png")
    let scenes = try folder.succeed(
      ["train", "scenes.yaml", "--skip-bad", "--epochs", "1", "--quiet", "--output", "scenes"])
    #expect(
      scenes.errors == """
        train/images: 1 bad image was left out: train/masks/2.png: has 3x3 pixels but its image train/images/2.png has 12x10. Give both the same size.

        """)
  }

  /// What no trained run can start from, and what it can't predict from.
  @Test func aTrainedRunSaysWhatDoesNotFit() throws {
    let folder = try ProgramFolder()
    try folder.writePhotos()
    try folder.writeTable()
    try folder.train("photos.yaml", to: "photos-run")
    try folder.train("table.yaml", to: "table-run")
    try folder.write("This is no image.\n", to: "text.jpg")
    try folder.write("a,c\n1,2\n", to: "other.csv")
    try folder.write("a,b\n1,2\n3,two\n", to: "text.csv")
    try folder.write("", to: "empty.csv")
    let start = ["train", "table.yaml", "--output", "run", "--init-from"]
    let cases: [([String], Int32, String)] = [
      (
        start + ["table-run", "--set", "model.trunk.layers.0.dense.units=9"], 64,
        "--init-from table-run: shapes don't fit: 'trunk.dense_1.kernel' is [2, 8] there but [2, 9] in the model; 'trunk.dense_1.bias' is [8] there but [9] in the model. Use the same layers, or name a node that fits."
      ),
      (
        start + ["table-run:knid"], 64,
        "--init-from table-run:knid: the model has no weights in 'knid'. It has trunk.dense_1.kernel, trunk.dense_1.bias, kind.logits.kernel, kind.logits.bias, price.output.kernel, price.output.bias."
      ),
      (
        start + ["photos-run:price"], 64,
        "--init-from photos-run:price: the checkpoint has no 'price.output.kernel' for 'price'. It has trunk.conv2d_1.kernel, trunk.conv2d_1.bias, colour.logits.kernel, colour.logits.bias, tone.dense_1.kernel, tone.dense_1.bias, tone.logits.kernel, tone.logits.bias."
      ),
      (
        start + ["photos-run"], 64,
        "--init-from photos-run: model and checkpoint have no weights of the same name outside heads. Name a node: RUN:NODE."
      ),
      (start + ["nowhere"], 66, "nowhere: no such run."),
      (start + ["photos"], 66, "photos: has no recipe.yaml, so it is no run."),
      (
        ["predict", "photos-run", "text.jpg"], 65,
        "text.jpg: is text, not an image. Convert it to PNG or JPEG."
      ),
      (
        ["predict", "photos-run", "photos/0.png", "nowhere.png"], 66,
        "nowhere.png: can't be opened (No such file or directory). Check the path. Of 2 images only this one is bad; --skip-bad goes on without it."
      ),
      (
        ["predict", "photos-run", "other.csv"], 65,
        "other.csv: has the columns of no input: input 'image' needs column 'file'."
      ),
      (
        ["predict", "table-run", "other.csv"], 65, "other.csv: has the columns of no input: input 'x' needs column 'b'."
      ),
      (
        ["predict", "table-run", "text.csv"], 65,
        "text.csv:3: column 'b' is 'two', not a finite number. Correct it, or leave the row out."
      ),
      (["predict", "table-run", "empty.csv"], 65, "empty.csv:1: is empty. The first line has to name the columns."),
      (
        ["predict", "table-run", "photos/0.png"], 64,
        "Recipe 'table': has no image input, so it can't predict from images."
      ),
      (["predict", "table-run", "--test-index", "3"], 64, "--test-index 3: the test set has 3 samples (0...2)."),
      (
        ["predict", "table-run", "t.csv", "--sum-parents"], 64,
        "--sum-parents: no task of recipe 'table' names a parent."
      ),
      (
        ["evaluate", "table-run", "--data", "/nowhere"], 66,
        "t.csv: no such file or folder. Looked for /nowhere/t.csv. Check --data."
      ),
      (
        ["evaluate", "nowhere.safetensors"], 66,
        "nowhere.safetensors: can't be opened (No such file or directory). Check the path."
      ),
    ]
    for (arguments, status, message) in cases { try Self.expect(arguments, in: folder, status, message) }
  }

  @Test func predictNeedsSomething() throws {
    let folder = try ProgramFolder()
    for arguments in [["predict", "run"], ["predict", "run", "--top", "3"]] {
      let run = try folder.run(arguments)
      #expect(run.status == 64 && run.output == "")
      #expect(
        run.errors.hasPrefix(
          "Error: Name at least one file, or a sample of the test set: --test-index 0.\nUsage: mtl-fast predict"),
        "\(run.errors)")
    }
  }
}
