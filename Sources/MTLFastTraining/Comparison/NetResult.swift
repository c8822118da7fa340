// SPDX-License-Identifier: Apache-2.0
// What a comparison keeps of one finished net.

import Files
import MTLFast

/// The scores of one finished net, as `result.json` in its run folder holds them.
///
/// Of a net that did not finish `scores` is null and `failed` says why.
///
///     {"parameters":9000,"scores":{"test":{"item":{"accuracy":0.9,"loss":0.3,"present":200}}},"timing":{"training_seconds":2.5}}
public struct NetResult: Sendable, Equatable {
  /// Trained numbers and moving averages.
  public let parameters: Int
  /// As of `RunFolder.trainingSeconds()`.
  public let trainingSeconds: Double
  /// Why it did not finish; nil where it did.
  public let failure: String?
  /// By split (`test`, `validation`), task and metric; null where it did not finish.
  private let scores: JSONValue

  public static let fileName = "result.json"

  /// The text of the file.
  ///
  /// - Parameter failure: why the net did not finish; it then has no scores.
  public static func text(
    parameters: Int, scores: [(split: String, scores: Scores)], failure: String? = nil, trainingSeconds: Double
  ) -> String {
    var members: [String: JSONValue] = [
      "parameters": .integer(parameters),
      "scores": .object(
        Dictionary(scores.map { ($0.split, $0.scores.tasksJSON) }, uniquingKeysWith: { first, _ in first })),
      "timing": .object(["training_seconds": .number(trainingSeconds)]),
    ]
    if let failure { (members["failed"], members["scores"]) = (.string(failure), .null) }
    return JSONValue.object(members).text
  }

  /// nil where the net isn't finished or the file can't be read.
  init?(contentsOf path: String) {
    guard let value = JSONValue(contentsOf: path), let parameters = value["parameters"]?.integer,
      let scores = value["scores"], scores.members != nil || value["failed"]?.string != nil,
      let seconds = value["timing"]?["training_seconds"]?.number
    else { return nil }
    (self.parameters, self.scores, trainingSeconds) = (parameters, scores, seconds)
    failure = value["failed"]?.string
  }

  /// nil where the task has no such metric, it is not defined, or the net did not finish.
  public func score(of task: String, _ metric: Metric, on split: String) -> Double? {
    scores[split]?[task]?[metric.name]?.number
  }
}

extension RunFolder {
  /// The time of all epochs in the run's history. Of an epoch in which the training was interrupted, only the part after
  /// that counts, so the sum is then too small.
  public func trainingSeconds() -> Double {
    guard let history = try? WholeFile(path: historyPath) else { return 0 }
    return withExtendedLifetime(history) {
      history.bytes.split(separator: UInt8(ascii: "\n")).reduce(0) { sum, line in
        sum + ((try? JSONValue(reading: line))?["timing"]?["training_seconds"]?.number ?? 0)
      }
    }
  }
}
