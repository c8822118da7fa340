// SPDX-License-Identifier: Apache-2.0
// Trains with the built program, in processes of their own, on a small data set that the test makes.

import Foundation
import Testing

@Suite(.serialized) struct TrainingTests {
  /// A folder with IDX files of pictures whose classes can be told apart, gone with this object.
  final class DataFolder {
    let path: String

    init() throws {
      path = NSTemporaryDirectory() + "mtl-fast-training-\(UUID().uuidString)"
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      try write("train", count: 600)
      try write("t10k", count: 200)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func run(_ name: String) -> String { "\(path)/\(name)" }

    func contents(_ file: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(file)")) }

    func checkpoints(_ run: String) throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(run)/checkpoints").sorted()
    }

    private func write(_ split: String, count: Int) throws {
      var state: UInt32 = split == "train" ? 1 : 2
      func random(_ bound: UInt32) -> UInt32 {
        state = state &* 1_664_525 &+ 1_013_904_223
        return (state >> 16) % bound
      }
      var images: [UInt8] = [0, 0, 8, 3, 0, 0, UInt8(count >> 8), UInt8(count & 255), 0, 0, 0, 28, 0, 0, 0, 28]
      var labels: [UInt8] = [0, 0, 8, 1, 0, 0, UInt8(count >> 8), UInt8(count & 255)]
      for _ in 0..<count {
        let label = random(10)
        labels.append(UInt8(label))
        for pixel in 0..<784 {
          // A bright bar whose place tells the class, over noise.
          let isBar = pixel / 28 / 3 == Int(label) || pixel % 28 / 3 == Int((label * 7) % 10)
          images.append(UInt8(random(100) + (isBar ? 120 : 0)))
        }
      }
      try Data(images).write(to: URL(fileURLWithPath: "\(path)/\(split)-images-idx3-ubyte"))
      try Data(labels).write(to: URL(fileURLWithPath: "\(path)/\(split)-labels-idx1-ubyte"))
    }
  }

  static func train(
    _ folder: DataFolder, _ name: String, _ more: [String] = [], environment: [String: String] = [:]
  ) throws -> ProgramRun {
    try ProgramRun(
      ["train", "--data", folder.path, "--output", folder.run(name), "--batch-size", "64", "--quiet"] + more,
      environment: environment)
  }

  @Test func aShortTrainingLearnsAndIsReported() throws {
    let folder = try DataFolder()
    let run = try Self.train(folder, "run", ["--epochs", "3", "--json"])
    #expect(run.status == 0 && run.errors.isEmpty, "\(run.errors)")
    let report = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
    let test = try #require(report["test"] as? [String: [String: Double]])
    #expect(try #require(test["item"]?["accuracy"]) >= 0.9)
    #expect(try #require(test["group"]?["accuracy"]) >= 0.9)
    #expect(try #require(report["epochs"] as? [Any]).count == 3)
    let evaluation = try ProgramRun(["evaluate", folder.run("run"), "--data", folder.path, "--json"])
    let evaluated = try #require(try JSONSerialization.jsonObject(with: Data(evaluation.output.utf8)) as? [String: Any])
    #expect(try #require(evaluated["test"] as? [String: [String: Double]]) == test)
    let prediction = try ProgramRun(
      ["predict", folder.run("run"), "--data", folder.path, "--test-index", "0", "3", "--top", "2", "--json"])
    #expect(prediction.status == 0 && prediction.output.contains("\"probability\""), "\(prediction.output)")
    let beyond = try ProgramRun(["predict", folder.run("run"), "--data", folder.path, "--test-index", "200"])
    #expect(beyond.status == 64)
    #expect(beyond.errors == "Error: --test-index 200: the test set has 200 samples (0...199).\n")
  }

  @Test func threadsDoNotChangeAByteOfACheckpoint() throws {
    let folder = try DataFolder()
    for threads in [1, 2, 3] {
      let run = try Self.train(folder, "run\(threads)", ["--epochs", "2", "--json", "--threads", "\(threads)"])
      #expect(run.status == 0, "\(run.errors)")
      let report = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [String: Any])
      #expect(report["threads"] as? Int == threads, "the team really had \(threads)")
    }
    let names = try folder.checkpoints("run1")
    #expect(names == ["step-00000010.safetensors", "step-00000020.safetensors"])
    for threads in [2, 3] {
      for file in names.map({ "checkpoints/\($0)" }) + ["steps.jsonl", "recipe.yaml"] {
        #expect(try folder.contents("run\(threads)/\(file)") == folder.contents("run1/\(file)"), "\(file)")
      }
    }
  }

  @Test func aTrainingThatWasStoppedGoesOnWithTheSameBits() throws {
    let folder = try DataFolder()
    #expect(try Self.train(folder, "whole", ["--epochs", "6"]).status == 0)
    let process = Process()
    process.executableURL = try ProgramRun.program()
    process.arguments = [
      "train", "--data", folder.path, "--output", folder.run("stopped"), "--batch-size", "64", "--epochs", "6",
      "--quiet",
    ]
    let errors = Pipe()
    process.standardError = errors
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    while process.isRunning, ((try? folder.checkpoints("stopped")) ?? []).isEmpty { usleep(2000) }
    // Twice in a moment, as where a program that runs ours passes the terminal's signal on.
    process.terminate()
    process.terminate()
    let said = errors.textToEnd()
    process.waitUntilExit()
    // On a fast machine the training may have ended before the signal came.
    if process.terminationStatus != 0 {
      #expect(process.terminationStatus == 143)
      #expect(said.contains("Go on with: mtl-fast train --resume \(folder.run("stopped"))"), "\(said)")
      let rest = try ProgramRun(["train", "--resume", folder.run("stopped"), "--data", folder.path, "--quiet"])
      #expect(rest.status == 0, "\(rest.errors)")
    }
    let last = "checkpoints/step-00000060.safetensors"
    for file in [last, "steps.jsonl"] {
      #expect(try folder.contents("stopped/\(file)") == folder.contents("whole/\(file)"), "\(file)")
    }
    let again = try ProgramRun(["train", "--resume", folder.run("whole"), "--data", folder.path, "--quiet"])
    #expect(again.status == 64)
    #expect(
      again.errors
        == "Error: \(folder.run("whole")): all 6 epochs are trained. To train on, name more: --epochs 11.\n")
  }

  /// A run that was killed before its first checkpoint holds a recipe and the beginnings of logs.
  @Test func aRunWithoutACheckpointBeginsAnew() throws {
    let folder = try DataFolder()
    #expect(try Self.train(folder, "whole", ["--epochs", "1"]).status == 0)
    #expect(try Self.train(folder, "killed", ["--epochs", "1"]).status == 0)
    for name in try folder.checkpoints("killed") {
      try FileManager.default.removeItem(atPath: folder.run("killed/checkpoints/\(name)"))
    }
    let again = try ProgramRun(["train", "--resume", folder.run("killed"), "--data", folder.path, "--quiet"])
    #expect(again.status == 0)
    #expect(again.errors == "\(folder.run("killed")): was ended before its first checkpoint; beginning anew.\n")
    for file in ["checkpoints/step-00000010.safetensors", "steps.jsonl"] {
      #expect(try folder.contents("killed/\(file)") == folder.contents("whole/\(file)"), "\(file)")
    }
  }

  @Test func anotherInstructionSetIsTold() throws {
    let folder = try ProgramFolder()
    let small = ["--set", "data.training=64", "--set", "data.test=8", "--quiet"]
    let first = try folder.run(
      ["train", "simultaneous-shared", "--epochs", "1", "--output", "run"] + small, environment: ["MTLF_ISA": "scalar"])
    #expect(first.status == 0, "\(first.errors)")
    let rest = try folder.run(["train", "--resume", "run", "--epochs", "2", "--quiet"])
    #expect(rest.status == 0)
    #expect(
      rest.errors.hasPrefix("Warning: the run was trained with scalar kernels and goes on with "), "\(rest.errors)")
  }

  @Test func eventsGoOnWithTheirRun() throws {
    let folder = try DataFolder()
    func events(_ run: String) throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: folder.run(run)).filter { $0.contains("tfevents") }
    }
    #expect(try Self.train(folder, "without", ["--epochs", "1"]).status == 0)
    #expect(try events("without") == [])
    #expect(try Self.train(folder, "with", ["--epochs", "1", "--tensorboard"]).status == 0)
    let file = try #require(try events("with").first)
    let before = try folder.contents("with/\(file)")
    let rest = try ProgramRun(
      ["train", "--resume", folder.run("with"), "--epochs", "2", "--data", folder.path, "--quiet"])
    #expect(rest.status == 0, "\(rest.errors)")
    #expect(try events("with") == [file])
    #expect(try folder.contents("with/\(file)").starts(with: before))
    #expect(try folder.contents("with/\(file)").count > before.count)
  }

  @Test func im2colTrainsTheSame() throws {
    let folder = try DataFolder()
    func losses(_ name: String, _ environment: [String: String]) throws -> [Double] {
      let run = try Self.train(folder, name, ["--epochs", "1"], environment: environment)
      #expect(run.status == 0, "\(run.errors)")
      return try String(decoding: folder.contents("\(name)/steps.jsonl"), as: UTF8.self).split(separator: "\n").map {
        let line = try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        return try #require(line?["loss"] as? Double)
      }
    }
    let direct = try losses("direct", [:])
    let im2col = try losses("im2col", ["MTLF_CONV": "im2col"])
    #expect(direct.count == 10 && im2col.count == 10)
    for (a, b) in zip(direct, im2col) { #expect(abs(a - b) <= 1e-4 * a) }
    let wrong = try Self.train(folder, "wrong", environment: ["MTLF_CONV": "winograd"])
    #expect(wrong.status == 64)
    #expect(wrong.errors == "Error: MTLF_CONV is 'winograd', an unknown path. Use direct or im2col.\n")
  }

  /// What the process may not have is refused in one line, not by the allocator or the OpenMP runtime.
  @Test(arguments: [
    ("--set model.trunk.layers.6.dense.units=1048576", 1 as Int32, "A model of 1418817513 weights: needs "),
    ("--threads 1024", 64, "threads is 1024 but this process can make"),
  ])
  func moreThanTheProcessMayHaveIsRefused(options: String, status: Int32, message: String) throws {
    let folder = try DataFolder()
    let shell = Process()
    shell.executableURL = URL(fileURLWithPath: "/bin/sh")
    shell.arguments = [
      "-c",
      "ulimit -v 3000000; exec '\(try ProgramRun.program().path)' train --data '\(folder.path)' --output '\(folder.run("run"))' -q \(options)",
    ]
    let errors = Pipe()
    shell.standardError = errors
    try shell.run()
    let said = errors.textToEnd()
    shell.waitUntilExit()
    #expect(shell.terminationReason == .exit && shell.terminationStatus == status)
    #expect(said.hasPrefix("Error: \(message)") && said.split(separator: "\n").count == 1, "\(said)")
    #expect(!FileManager.default.fileExists(atPath: folder.run("run")))
  }

  /// A last file that can't be written: an error, and the checkpoint before is whole.
  @Test func aFullDiskLosesNothing() throws {
    let folder = try DataFolder()
    #expect(try Self.train(folder, "run", ["--epochs", "1"]).status == 0)
    let before = try folder.contents("run/checkpoints/step-00000010.safetensors")
    let shell = Process()
    shell.executableURL = URL(fileURLWithPath: "/bin/sh")
    let program = try ProgramRun.program().path
    shell.arguments = [
      "-c",
      "ulimit -f 8000; exec '\(program)' train --resume '\(folder.run("run"))' --data '\(folder.path)' --epochs 2 -q",
    ]
    let errors = Pipe()
    shell.standardError = errors
    try shell.run()
    let said = errors.textToEnd()
    shell.waitUntilExit()
    #expect(shell.terminationStatus == 74, "\(said)")
    #expect(said.contains("step-00000020.safetensors"))
    #expect(try folder.checkpoints("run") == ["step-00000010.safetensors"])
    #expect(try folder.contents("run/checkpoints/step-00000010.safetensors") == before)
  }
}
