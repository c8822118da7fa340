// SPDX-License-Identifier: Apache-2.0
// What a sweep over loss weights finds.

import MTLFast
import MTLFastTraining

/// The held-out scores of nets with different loss weights, and the test scores of those that were chosen.
public struct SweepResult: Sendable {
  /// The recipe's name.
  public let recipe: String
  public let seeds: [UInt64]
  public let tasks: [(name: String, metric: Metric)]
  /// The task to choose by; nil for the mean over both.
  public let select: String?
  public let rows: [Row]
  /// Of all trainings.
  public let seconds: Double
  /// Nets that have no result, in the order in which they were trained.
  public var failed: [FailedNet] = []
  /// By task and seed, of the chosen weight's nets; empty where there are no test data.
  public var test: [[Double?]] = []

  public struct Row: Sendable, Equatable {
    public let lambda: Lambda
    /// On the held-out samples, by task and seed.
    public let scores: [[Double?]]
  }

  /// What a row is chosen by: the mean of its scores over the seeds, and over the tasks where none is selected; nil where
  /// a score is missing.
  public func criterion(_ row: Row) -> Double? {
    let chosen = tasks.indices.filter { select == nil || tasks[$0].name == select }.flatMap { row.scores[$0] }
    let known = chosen.compactMap { $0 }
    return known.count == chosen.count ? MeanEstimate(known)?.mean : nil
  }

  /// The row of the best criterion, of equals the first; nil where no row has one.
  public var best: Int? {
    let metric = tasks.first { select == nil || $0.name == select }?.metric ?? .accuracy
    var best: (row: Int, value: Double)?
    for (index, row) in rows.enumerated() {
      guard let value = criterion(row) else { continue }
      if best.map({ metric.isBetter(value, than: $0.value) }) ?? true { best = (index, value) }
    }
    return best?.row
  }
}
