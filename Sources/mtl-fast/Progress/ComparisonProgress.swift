// SPDX-License-Identifier: Apache-2.0
// What is said of a comparison's nets on standard error.

import MTLFastRecipes
import MTLFastTraining

/// Shows the nets of a comparison, one after the other.
final class ComparisonProgress: ComparisonObserver {
  private let training: TrainingProgress
  /// The command that goes on with the comparison.
  private let continuation: String
  private var stoppedInNet = false

  init(of folder: ComparisonFolder, isShown: Bool) {
    training = TrainingProgress(isShown: isShown)
    continuation = "mtl-fast compare --resume \(folder.path)"
  }

  func netWillTrain(_ net: ComparedNet, _ start: RecipeTraining.Start) -> [any Callback] {
    let left = net.secondsLeft.map { ", about \(clockTime($0)) left" } ?? ""
    return training.begin(
      start, title: "net \(net.number) of \(net.count): \(net.title)\(left)", tellsData: net.secondsLeft == nil)
  }

  func netDidTrain(_ net: ComparedNet, _ result: RecipeTraining.Result) {
    training.end(result, continuation: continuation)
    stoppedInNet = result.history.wasStopped
  }

  func netDidFail(_ net: ComparedNet, reason: String) {
    training.end()
    Console.note("Warning: \(net.title) did not finish: \(reason)")
  }

  /// Leaves standard error at the beginning of a line.
  func end() { training.end() }

  /// Says how to go on, where that wasn't said of a net.
  func didStop() {
    if !stoppedInNet { Console.note("Stopped between two nets. Go on with: \(continuation)") }
  }
}
