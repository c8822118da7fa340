// SPDX-License-Identifier: Apache-2.0
// The callback that keeps each epoch's scores and times.

import Files
import MTLFast

/// Writes one line for each epoch.
///
///     {"epoch":1,"learning_rate":0.001,"loss":0.4,"step":300,"tasks":{...},"test":{...},"timing":{"evaluation_seconds":0.3,...}}
///
/// Only what is below `timing` depends on the machine: without it, two runs with the same seed write the same lines.
/// `test` and `validation` are null where the recipe names none.
public final class HistoryLog: Callback {
  private let file: LineFile

  /// - Parameter epoch: the epoch of the checkpoint that training goes on from; later lines are cut off.
  public init(path: String, resumingAfterEpoch epoch: Int = 0) throws {
    file = try LineFile(path: path, keepingLines: epoch)
  }

  public func epochDidEnd(_ record: EpochRecord, state: () throws -> TrainingState) throws {
    try file.append(Self.line(record))
    try file.flush()
  }

  public func synchronize() throws { try file.synchronize() }

  static func line(_ record: EpochRecord) -> String {
    JSONValue.object([
      "epoch": .integer(record.epoch), "step": .integer(record.step), "learning_rate": .single(record.learningRate),
      "loss": .number(record.training.loss),
      "tasks": record.training.tasksJSON, "test": record.test?.tasksJSON ?? .null,
      "validation": record.validation?.tasksJSON ?? .null,
      "timing": .object([
        "training_seconds": .number(record.trainingSeconds), "evaluation_seconds": .number(record.evaluationSeconds),
        "samples_per_second": .number(record.samplesPerSecond),
      ]),
    ]).text
  }
}
