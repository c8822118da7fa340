// SPDX-License-Identifier: Apache-2.0
// What helps against an error, in the program's words.

import MTLFast
import Testing

@testable import mtl_fast

@Suite struct RemedyTextTests {
  @Test(
    arguments: [
      (nil, "a: is damaged.", "a: is damaged."),
      (.leavingOutImages(1), "Only this one is bad.", "Only this one is bad; --skip-bad goes on without it."),
      (.leavingOutImages(2), "2 are bad.", "2 are bad; --skip-bad goes on without them."),
      (.fetchingDataset("x"), "f: is missing.", "f: is missing. Get it with: mtl-fast datasets fetch x."),
      (
        .gettingDataset("x", package: "dataset-x"), "Looked in a.",
        "Looked in a. Get it by one of: apt-get install dataset-x; mtl-fast datasets fetch x; --data DIR with their folder."
      ),
      (
        .gettingDataset("x", package: nil), "Looked in a.",
        "Looked in a. Get it by one of: mtl-fast datasets fetch x; --data DIR with their folder."
      ),
      (
        .namingDataFolder, "Looked for a.",
        "Looked for a. Name the folder that holds it with --data DIR, or run in the folder of the recipe."
      ),
      (.changingDataFolder, "Looked for a.", "Looked for a. Check --data."),
      (
        .leavingOutDataFolder, "d: nothing is there. Name the folder that holds a.",
        "--data d: nothing is there. Name the folder that holds a, or leave --data out to search the usual places."
      ),
      (.resuming, "d: is not empty. Name a new folder.", "d: is not empty. Name a new folder, or go on with --resume."),
      (.resumingRun("r"), "Begin it anew.", "Begin it anew: mtl-fast train --resume r"),
      (.resumingComparison("c"), "Go on with it.", "Go on with it: mtl-fast compare --resume c"),
      (.moreEpochs(11), "Name more.", "Name more: --epochs 11."),
      (.takingNewest, "r: has no best.", "r: has no best. Leave --best out."),
      (
        .takingOverWeights, "It was changed.",
        "It was changed. A new run can take over its weights: --init-from."
      ),
      (.changingInitialWeights, "r: shapes don't fit.", "--init-from r: shapes don't fit."),
      (.changingLambda, "lambda 0:1: the step is 0.", "--lambda 0:1: the step is 0."),
      (.changingSelection, "select: unknown task 'a'.", "--select: unknown task 'a'."),
      (
        .selecting("a"), "lambda 0:1:1: no mean. Name the task to choose by.",
        "--lambda 0:1:1: no mean. Name the task to choose by: --select a."
      ),
    ] as [(MTLFastError.Remedy?, String, String)])
  func standsAroundTheMessage(remedy: MTLFastError.Remedy?, message: String, text: String) {
    #expect(RemedyText.text(of: MTLFastError(.usage, message, remedy: remedy)) == text)
  }
}
