// SPDX-License-Identifier: Apache-2.0
// The program: its commands, and how an error becomes a line and an exit code.

import ArgumentParser
import MTLFast

@main
struct Program: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mtl-fast",
    abstract: "Trains one network for several tasks, fast, on an ordinary CPU.",
    discussion: """
      Start here:
        mtl-fast train                           trains two heads on Fashion-MNIST
        mtl-fast recipes                         lists the built-in recipes
        mtl-fast train my.yaml                   trains your own; docs/recipes.md has every key
        mtl-fast predict runs/latest photo.jpg   uses what was trained
        mtl-fast help train                      says what can be changed

      Results go to standard output, everything else to standard error.
      \(ExitStatus.explanation)
      """,
    version: Version.text,
    subcommands: [
      Train.self, Compare.self, Evaluate.self, Predict.self, Plot.self, Baseline.self, Summary.self, Recipes.self,
      Datasets.self,
    ])

  static func main() {
    ProcessClock.begin()
    Console.ignoreClosedPipes()
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch let error as MTLFastError {
      Console.note("Error: \(RemedyText.text(of: error))")
      exit(withError: ExitCode(ExitStatus.of(error)))
    } catch {
      exit(withError: error)
    }
  }
}
