// SPDX-License-Identifier: Apache-2.0
// The callback that keeps each step's loss and training accuracy.

import Files
import MTLFast

/// Writes one line for each step, with the first metric of each task:
///
///     {"epoch":1,"learning_rate":0.001,"loss":0.9,"step":1,"tasks":{"item":{"accuracy":0.1,"loss":2.3}}}
///
/// Nothing in it depends on time or machine: two runs with the same seed write the same file.
public final class StepLog: Callback {
  private let file: LineFile
  private let secondsBetweenFlushes = 2.0
  private var lastFlush = monotonicSeconds()

  /// - Parameter step: the step of the checkpoint that training goes on from; later lines are cut off.
  public init(path: String, resumingAfterStep step: Int = 0) throws {
    file = try LineFile(path: path, keepingLines: step)
  }

  public func stepDidEnd(_ record: StepRecord, state: () throws -> TrainingState) throws {
    try file.append(Self.line(record))
    // Whoever looks at a running training sees it move.
    let now = monotonicSeconds()
    guard now - lastFlush >= secondsBetweenFlushes else { return }
    lastFlush = now
    try file.flush()
  }

  public func epochDidEnd(_ record: EpochRecord, state: () throws -> TrainingState) throws { try file.flush() }

  public func trainingDidStop(step: Int, state: () throws -> TrainingState) throws { try file.flush() }

  public func synchronize() throws { try file.synchronize() }

  static func line(_ record: StepRecord) -> String {
    let tasks = record.scores.tasks.map { task -> (String, JSONValue) in
      var members: [String: JSONValue] = ["loss": .number(task.score.loss)]
      if let (metric, value) = task.score.metrics.first { members[metric.name] = .number(value) }
      return (task.name, .object(members))
    }
    return JSONValue.object([
      "epoch": .integer(record.epoch), "learning_rate": .single(record.learningRate),
      "loss": .number(record.scores.loss), "step": .integer(record.step),
      "tasks": .object(Dictionary(tasks, uniquingKeysWith: { first, _ in first })),
    ]).text
  }
}
