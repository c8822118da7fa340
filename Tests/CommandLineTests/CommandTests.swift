// SPDX-License-Identifier: Apache-2.0
// The program from outside: what it prints where, and its exit codes.

import Foundation
import Testing

@Suite struct CommandTests {
  @Test(arguments: [
    (
      ["summary", "fasion-mnist"], 66,
      "Error: Recipe 'fasion-mnist' is not known. Built-in recipes: cifar10, cifar100, fashion-mnist, paintings, simultaneous, simultaneous-fcn, simultaneous-shared. Did you mean 'fashion-mnist'? A recipe of your own is given as its file: my.yaml."
    ),
    (["summary", "nowhere.yaml"], 66, "Error: nowhere.yaml: no such file."),
    (
      ["summary", "--epochs", "0"], 64,
      "Error: --epochs 0: epochs must be a whole number from 1 to 1000000. Received: '0'."
    ),
    (["summary", "--lambda", "2"], 64, "Error: --lambda 2: lambda must be a number from 0 to 1. Received: '2'."),
    (
      ["summary", "--set", "training.epoch=3"], 64,
      "Error: --set training.epoch=3: unknown key 'epoch' in training. Known keys: batch_size, best, best_per_task, early_stopping, epochs, freeze, gradient_clipping, optimizer, report, schedule, seed. Did you mean 'epochs'?"
    ),
    (
      ["datasets", "show", "mnist"], 64,
      "Error: Data set 'mnist' is not known. Known: cifar10, cifar100, fashion-mnist."
    ),
    (["train", "--data", "/nowhere"], 66, "Error: --data /nowhere: the files of 'fashion-mnist' are not there."),
    (["train", "--threads", "0"], 64, "Error: --threads must be a whole number from 1 to 1024. Received: 0."),
    (
      ["train", "--resume", "x", "--seed", "1"], 64,
      "Error: --resume goes on with the run's own recipe: only --epochs can be changed."
    ),
    (
      ["train", "my.yaml", "--resume", "x"], 64, "Error: --resume goes on with the run's own recipe: leave RECIPE out."
    ),
    (
      ["train", "--resume", "x", "--output", "y"], 64,
      "Error: --resume goes on in the run's own folder: leave --output out."
    ),
    (["predict", "x", "--test-index", "0", "--top", "0"], 64, "Error: --top must be 1 or more. Received: 0."),
    (["predict", "x"], 64, "Error: Name at least one file, or a sample of the test set: --test-index 0."),
    (
      ["train", "--time-budget", "3d"], 64,
      "Error: The value '3d' is invalid for '--time-budget <time>'"
    ),
    (
      ["evaluate", "a.safetensors", "--best"], 64,
      "Error: a.safetensors: is one model, so there is no best of several. Leave --best out."
    ),
    (["trian"], 64, "Error: Unexpected argument 'trian'"),
  ])
  func anErrorIsOneLineAndACode(arguments: [String], status: Int32, message: String) throws {
    let run = try ProgramRun(arguments)
    #expect(run.status == status)
    #expect(run.output == "")
    #expect(run.errors.hasPrefix(message))
  }

  @Test func theSummaryTellsShapesParametersAndLosses() throws {
    let run = try ProgramRun(["summary"])
    #expect(run.status == 0)
    #expect(run.errors == "")
    let lines = run.output.split(separator: "\n").map(String.init)
    #expect(lines.contains("trunk.conv2d_2      64@3x3, valid, relu   11x11x64      18,496      4,460,544"))
    #expect(lines.contains("total                                                1,479,657      8,948,520"))
    #expect(lines.contains("group  3 classes: shoes, gendered, uni-sex      softmax cross entropy   0.500"))
    #expect(lines.contains("item   accuracy, balanced accuracy, top-5 accuracy"))
    #expect(lines.allSatisfy { $0.count <= 100 })
  }

  @Test func thePlanTellsStagesFlopsAndMemory() throws {
    let run = try ProgramRun(["summary", "fashion-mnist", "--plan"])
    #expect(run.status == 0)
    #expect(run.output.contains("blocks: trunk.dense_1 forward"))
    #expect(run.output.contains("a step: 26.46 MFLOP a sample, batches of 200 in shards of 13"))
  }

  @Test func whatIsShownCanBeTrained() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for changes in [[], ["--lambda", "0.8", "--epochs", "3"]] {
      let shown = try ProgramRun(["recipes", "show", "fashion-mnist"] + changes)
      #expect(shown.status == 0)
      try shown.output.write(toFile: "\(folder)/my.yaml", atomically: false, encoding: .utf8)
      let mine = try ProgramRun(["summary", "my.yaml", "--json"], in: folder)
      #expect(mine.status == 0)
      #expect(mine.output == (try ProgramRun(["summary", "--json"] + changes).output))
    }
  }

  @Test func helpTeaches() throws {
    for arguments in [
      ["--help"], ["help", "train"], ["help", "predict"], ["help", "plot"], ["help", "datasets", "fetch"],
    ] {
      let run = try ProgramRun(arguments)
      #expect(run.status == 0)
      #expect(run.output.contains("mtl-fast"))
      #expect(run.output.contains("xample") || arguments == ["--help"])
      // The parser doesn't wrap the line of usage.
      let lines = run.output.split(separator: "\n").filter { !$0.hasPrefix("USAGE:") }
      #expect(lines.allSatisfy { $0.count <= 80 })
    }
  }

  @Test func theVersionIsPrinted() throws {
    #expect(try ProgramRun(["--version"]).output.hasPrefix("mtl-fast 0.1.0"))
  }

  @Test func aDataSetThatIsNowhereNamesTheWaysToGetIt() throws {
    let missing = try ProgramRun(["datasets", "list"], environment: ["MTLF_DATA": "/nowhere"])
    #expect(missing.status == 0 && missing.errors == "Warning: MTLF_DATA is '/nowhere', which is not there.\n")
    let run = try ProgramRun(["datasets", "check", "fashion-mnist", "--data", "/nowhere"])
    #expect(run.status == 66)
    #expect(run.errors.split(separator: "\n").count == 1)
    #expect(run.errors.hasPrefix("Error: --data /nowhere: the files of 'fashion-mnist' are not there. Looked in "))
    #expect(run.errors.hasSuffix(", or leave --data out to search the usual places.\n"))
  }
}
