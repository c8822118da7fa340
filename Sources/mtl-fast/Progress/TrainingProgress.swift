// SPDX-License-Identifier: Apache-2.0
// What is said of a training on standard error, before its first step, while it runs, and why it ended early.

import MTLFast
import MTLFastRecipes
import MTLFastTraining

/// Tells of one training after another.
final class TrainingProgress {
  /// Of the program, when the trainer was called.
  private(set) var secondsBefore = 0.0
  private let isShown: Bool
  private var reporter: ProgressReporter?

  /// - Parameter isShown: whether more is told than what may be wrong.
  init(isShown: Bool) { self.isShown = isShown }

  /// Says what is trained, and on what.
  ///
  /// - Parameters:
  ///   - title: what stands above the epochs; nil for recipe, threads and run.
  ///   - tellsData: whether nothing was said about the data yet.
  /// - Returns: what shows its epochs.
  func begin(_ start: RecipeTraining.Start, title: String? = nil, tellsData: Bool = true) -> [any Callback] {
    defer { secondsBefore = ProcessClock.seconds }
    if isShown {
      for taken in start.initialWeights {
        let names = taken.parameters
        Console.note("Starting with \(names.count) tensors of \(taken.path): \(names.joined(separator: ", "))")
      }
    }
    if tellsData { tell(start.training, batchSize: start.recipe.training.batchSize) }
    guard isShown else { return [] }
    if let path = start.resumedFrom { Console.note("Going on after step \(start.step) with \(path)") }
    let threads = "\(start.threads) thread\(start.threads == 1 ? "" : "s")"
    Console.note(
      title ?? "\(start.recipe.name) with \(threads), seed \(start.recipe.training.seed): \(start.run.path)")
    let reporter = ProgressReporter(
      tasks: start.graph.heads.map { ($0.name, $0.metrics.first ?? .accuracy) },
      splits: (start.validation == nil ? [] : ["val"]) + (start.test == nil ? [] : ["test"]))
    self.reporter = reporter
    return [reporter]
  }

  private func tell(_ training: Samples, batchSize: Int) {
    for (head, target) in training.streams.flatMap(\.targets).sorted(by: { $0.key < $1.key })
    where isShown && target.presentCount < target.count {
      Console.note(
        "\(head): \(grouped(target.count - target.presentCount)) of \(grouped(target.count)) training labels are missing."
      )
    }
    if batchSize > training.count {
      Console.note(
        "Warning: batches of \(batchSize) from \(training.count) training samples: each step takes all of them.")
    }
  }

  /// Leaves standard error at the beginning of a line.
  func end() {
    reporter?.clearLine()
    reporter = nil
  }

  /// Says why the training ended before its last epoch, where it did, and how to go on.
  ///
  /// - Parameter continuation: the command that goes on.
  func end(_ result: RecipeTraining.Result, continuation: String) {
    end()
    let step = result.history.step
    if result.history.wasStopped {
      Console.note("Stopped after step \(step); a checkpoint was written. Go on with: \(continuation)")
    } else if let reason = result.history.stopReason {
      var text = "Ended after step \(step): \(reason)."
      if result.endedWithinEpoch {
        if let epoch = result.history.epochs.last?.epoch { text += "\nThe scores are those after epoch \(epoch)." }
        text += "\nA checkpoint was written. Go on with: \(continuation)"
      }
      Console.note(text)
    }
  }
}
