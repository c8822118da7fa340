// SPDX-License-Identifier: Apache-2.0
// What a comparison of twins finds.

import MTLFastTraining

/// The scores of a net of all tasks and of a net for each task, over several seeds.
public struct ComparisonResult: Sendable, Equatable {
  /// The recipe's name.
  public let recipe: String
  public let seeds: [UInt64]
  public let tasks: [Task]
  /// Of the net of all tasks, counted with moving averages.
  public let parameters: Int
  /// Of its training, the mean over the seeds; nil where none finished.
  public let seconds: Double?
  /// Nets that have no result, in the order in which they were trained.
  public var failed: [FailedNet] = []

  public struct Task: Sendable, Equatable {
    /// Of nets that learn all tasks and of nets that learn this one, seed by seed; their difference with its interval.
    public let scores: TaskComparison
    /// What the scores are on: `test`, or `validation` where the test data have no labels of the task.
    public let split: String
    /// Of the twin.
    public let parameters: Int
    /// Of the twin's training, the mean over the seeds; nil where none finished.
    public let seconds: Double?
  }

  public subscript(task: String) -> Task? { tasks.first { $0.scores.task == task } }

  /// By task: the p of its difference, adjusted over all tasks by Holm's method; nil where there is no interval.
  public var adjusted: [Double?] { holmAdjusted(tasks.map { $0.scores.difference?.p }) }

  /// Of all twins together; nil where one has none.
  public var twinSeconds: Double? {
    let seconds = tasks.compactMap(\.seconds)
    return seconds.count == tasks.count ? seconds.reduce(0, +) : nil
  }

  /// Delta m, the mean over the tasks of the relative gain in percent, estimated over the seeds; nil where it is not
  /// defined.
  public var gain: MeanEstimate? { tasks.map(\.scores).meanRelativeGain }
}
