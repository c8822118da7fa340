// SPDX-License-Identifier: Apache-2.0
// The callback that keeps the last epoch's confusion matrices.

import Files
import MTLFast

/// Replaces one file at the end of each epoch that is scored on test or validation samples:
///
///     {"epoch":10,"test":{"item":{"classes":["bag","coat"],"confusion":[[98,2],[5,95]]}},"validation":null}
///
/// Rows are the true classes, columns the predicted ones; of segmentations, pixels are counted. Heads without a matrix
/// and heads with more than `largest` classes are left out. Nothing in it depends on time or machine.
public final class ConfusionLog: Callback {
  /// A matrix of more classes can't be read as a picture, and the file would be written for long in every epoch.
  static let largest = 200

  private let path: String
  private var classes: [String: [String]] = [:]

  public init(path: String) { self.path = path }

  public func trainingDidStart(_ start: TrainingStart) throws {
    classes = Dictionary(start.graph.heads.map { ($0.name, $0.task.names) }, uniquingKeysWith: { first, _ in first })
  }

  public func epochDidEnd(_ record: EpochRecord, state: () throws -> TrainingState) throws {
    guard let text = Self.text(record, classes: classes) else { return }
    try DurableFile.replace(path, with: text)
  }

  /// nil where there is no matrix to keep.
  static func text(_ record: EpochRecord, classes: [String: [String]]) -> String? {
    let test = matrices(of: record.test, classes)
    let validation = matrices(of: record.validation, classes)
    guard !test.isEmpty || !validation.isEmpty else { return nil }
    return JSONValue.object([
      "epoch": .integer(record.epoch), "test": record.test == nil ? .null : .object(test),
      "validation": record.validation == nil ? .null : .object(validation),
    ]).text
  }

  private static func matrices(of scores: Scores?, _ classes: [String: [String]]) -> [String: JSONValue] {
    var matrices: [String: JSONValue] = [:]
    for (name, score) in scores?.tasks ?? [] {
      guard let matrix = score.confusion, let names = classes[name], names.count == matrix.count,
        matrix.count <= largest
      else { continue }
      matrices[name] = .object([
        "classes": .array(names.map { .string($0) }),
        "confusion": .array(matrix.map { .array($0.map { .integer($0) }) }),
      ])
    }
    return matrices
  }
}
