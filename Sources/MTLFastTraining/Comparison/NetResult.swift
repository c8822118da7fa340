// SPDX-License-Identifier: Apache-2.0
// What a comparison keeps of one finished net.

import MTLFast

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The scores of one finished net, as `result.json` in its run folder holds them.
///
///     {"parameters":9000,"scores":{"test":{"item":{"accuracy":0.9,"loss":0.3,"present":200}}},"timing":{"training_seconds":2.5}}
public struct NetResult: Sendable, Equatable, Decodable {
  /// Trained numbers and moving averages.
  public let parameters: Int
  /// By split (`test`, `validation`), task and metric.
  private let scores: [String: [String: [String: Double?]]]
  private let timing: Timing

  fileprivate struct Timing: Sendable, Equatable, Decodable {
    let trainingSeconds: Double
    enum CodingKeys: String, CodingKey { case trainingSeconds = "training_seconds" }
  }

  public static let fileName = "result.json"

  /// The text of the file.
  public static func text(
    parameters: Int, scores: [(split: String, scores: Scores)], trainingSeconds: Double
  ) -> String {
    JSONValue.object([
      "parameters": .integer(parameters),
      "scores": .object(
        Dictionary(scores.map { ($0.split, $0.scores.tasksJSON) }, uniquingKeysWith: { first, _ in first })),
      "timing": .object(["training_seconds": .number(trainingSeconds)]),
    ]).text
  }

  /// nil where the net isn't finished or the file can't be read.
  init?(contentsOf path: String) {
    guard let bytes = FileManager.default.contents(atPath: path),
      let result = try? JSONDecoder().decode(NetResult.self, from: bytes)
    else { return nil }
    self = result
  }

  /// nil where the task has no such metric or it is not defined.
  public func score(of task: String, _ metric: Metric, on split: String) -> Double? {
    scores[split]?[task]?[metric.name] ?? nil
  }

  public var trainingSeconds: Double { timing.trainingSeconds }
}

extension RunFolder {
  /// The time of all epochs in the run's history, of a training that was interrupted too.
  public func trainingSeconds() -> Double {
    struct Line: Decodable { let timing: NetResult.Timing }
    let bytes = FileManager.default.contents(atPath: historyPath) ?? Data()
    return bytes.split(separator: UInt8(ascii: "\n")).reduce(0) { sum, line in
      sum + ((try? JSONDecoder().decode(Line.self, from: Data(line)))?.timing.trainingSeconds ?? 0)
    }
  }
}
