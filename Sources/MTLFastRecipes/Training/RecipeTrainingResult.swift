// SPDX-License-Identifier: Apache-2.0
// What is known of a recipe's training before its first step, and after its last.

import MTLFast
import MTLFastTraining

extension RecipeTraining {
  /// What is to be trained, where, and from which weights on.
  public struct Start: Sendable {
    /// As resolved.
    public let recipe: Recipe
    public let graph: ModelGraph
    public let run: RunFolder
    public let threads: Int
    public let training: Samples
    /// Scored after each epoch; nil where there are none.
    public let validation: Samples?
    /// Scored after each epoch; nil where the recipe reports on none.
    public let test: Samples?
    /// In the order in which they were taken.
    public let initialWeights: [InitialWeights]
    /// Steps that were taken before; 0 for a new run.
    public let step: Int
    /// The checkpoint that the run goes on from; nil for a new one.
    public let resumedFrom: String?

    /// What was taken from another training.
    public struct InitialWeights: Sendable, Hashable {
      /// Of the checkpoint.
      public let path: String
      /// `trunk.dense_1.kernel`
      public let parameters: [String]
    }
  }

  /// How a training ended.
  public struct Result: Sendable {
    /// As resolved.
    public let recipe: Recipe
    public let run: RunFolder
    /// Steps that were taken before.
    public let startStep: Int
    /// Of this training, without the epochs before it.
    public let history: History
    public let threads: Int
    /// What was selected on the validation data; nil where nothing was.
    public let best: ModelChoice?
    /// Thread-seconds of the steps by what they went to; empty unless they were clocked.
    public let accounts: [(name: String, seconds: Double)]

    /// What the last epoch was scored on (`validation`, `test`), and how; its training where it was on nothing else. Empty
    /// where no epoch ended.
    public var scores: [(split: String, scores: Scores)] {
      guard let last = history.epochs.last else { return [] }
      let scored = [("validation", last.validation), ("test", last.test)].compactMap { split, scores in
        scores.map { (split: split, scores: $0) }
      }
      return scored.isEmpty ? [("training", last.training)] : scored
    }

    /// Whether the last step is not the last of an epoch, so that the run can go on where it is.
    public var endedWithinEpoch: Bool { history.step > history.epochs.last?.step ?? startStep }
  }
}
