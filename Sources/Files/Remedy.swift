// SPDX-License-Identifier: Apache-2.0
// What helps against an error, as a value: each program has words of its own for it.

extension MTLFastError {
  /// What a program can offer its user beside the message: an option of its own, or a command.
  public enum Remedy: Sendable, Hashable {
    // MARK: Data

    /// Go on without the images that can't be read; how many these are.
    case leavingOutImages(Int)
    /// Download the data set of this name.
    case fetchingDataset(String)
    /// Get a data set by Debian's package, where there is one, by download, or by naming the folder that it is in.
    case gettingDataset(String, package: String?)
    /// Name a folder to look in: none was named.
    case namingDataFolder
    /// Name another folder to look in than the one that was named.
    case changingDataFolder
    /// The same, or name none, so that the usual places are searched.
    case leavingOutDataFolder

    // MARK: Runs and comparisons

    /// Go on with what is in the folder.
    case resuming
    /// Go on with the run in this folder.
    case resumingRun(String)
    /// Go on with the comparison in this folder.
    case resumingComparison(String)
    /// Train to this number of epochs.
    case moreEpochs(Int)
    /// Take the newest model of a run, not its best.
    case takingNewest
    /// Begin a new run with the weights of this one.
    case takingOverWeights
    /// Start with other weights, or from none.
    case changingInitialWeights

    // MARK: Sweeps

    /// Write another range of loss weights, or none.
    case changingLambda
    /// Choose by another task.
    case changingSelection
    /// Choose by this task alone.
    case selecting(String)
  }
}
