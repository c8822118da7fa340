// SPDX-License-Identifier: Apache-2.0
// What helps against an error, in the words of this program: its options and commands.

import MTLFast

/// Puts a remedy's words around a message.
enum RemedyText {
  /// `a: is not empty, and a run is never overwritten. Name a new folder, or go on with --resume.`
  static func text(of error: MTLFastError) -> String { text(error.message, error.remedy) }

  static func text(_ message: String, _ remedy: MTLFastError.Remedy?) -> String {
    guard let remedy else { return message }
    return before(remedy) + (message.hasSuffix(".") ? message.dropLast() : message[...]) + after(remedy)
  }

  /// Makes what the message begins with the option that it is about.
  private static func before(_ remedy: MTLFastError.Remedy) -> String {
    switch remedy {
    case .leavingOutDataFolder: "--data "
    case .changingInitialWeights: "--init-from "
    // The message names the setting, which is called as the option.
    case .changingLambda, .changingSelection, .selecting: "--"
    case .leavingOutImages, .fetchingDataset, .gettingDataset, .namingDataFolder, .changingDataFolder, .resuming,
      .resumingRun, .resumingComparison, .moreEpochs, .takingNewest, .takingOverWeights:
      ""
    }
  }

  /// Goes on from the message's last word.
  private static func after(_ remedy: MTLFastError.Remedy) -> String {
    switch remedy {
    case .leavingOutImages(let count): "; --skip-bad goes on without \(count == 1 ? "it" : "them")."
    case .fetchingDataset(let name): ". Get it with: mtl-fast datasets fetch \(name)."
    case .gettingDataset(let name, let package):
      ". Get it by one of: \(package.map { "apt-get install \($0); " } ?? "")mtl-fast datasets fetch \(name); --data DIR with their folder."
    case .namingDataFolder:
      ". Name the folder that holds it with --data DIR, or run in the folder of the recipe."
    case .changingDataFolder: ". Check --data."
    case .leavingOutDataFolder: ", or leave --data out to search the usual places."
    case .resuming: ", or go on with --resume."
    case .resumingRun(let path): ": mtl-fast train --resume \(path)"
    case .resumingComparison(let path): ": mtl-fast compare --resume \(path)"
    case .moreEpochs(let epochs): ": --epochs \(epochs)."
    case .takingNewest: ". Leave --best out."
    case .takingOverWeights: ". A new run can take over its weights: --init-from."
    case .selecting(let task): ": --select \(task)."
    case .changingInitialWeights, .changingLambda, .changingSelection: "."
    }
  }
}
