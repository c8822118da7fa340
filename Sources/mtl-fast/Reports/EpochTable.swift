// SPDX-License-Identifier: Apache-2.0
// The epochs of a training as rows of a table, or in lines of their own where that is too wide.

import MTLFast
import MTLFastTraining

/// Lays out what is said about each epoch: the first metric of each task, in training and on every split that is scored.
struct EpochTable {
  private let tasks: [(name: String, metric: Metric)]
  private let splits: [String]
  private let columns: [(title: String, width: Int)]
  private let isWide: Bool

  /// - Parameters:
  ///   - splits: what each epoch is scored on: `val`, `test`.
  ///   - width: the columns that there are.
  init(tasks: [(name: String, metric: Metric)], splits: [String], width: Int) {
    self.tasks = tasks
    self.splits = splits
    let scores = tasks.map(\.name) + splits.flatMap { split in tasks.map { "\(split) \($0.name)" } }
    columns =
      [("epoch", 7), ("loss", 7)] + scores.map { ($0, max(7, $0.count)) } + [("samples/s", 9), ("seconds", 7)]
    isWide = columns.reduce(-2) { $0 + $1.width + 2 } > width
  }

  /// What stands above the epochs; ends in a line end.
  var header: String {
    var text = ""
    if tasks.contains(where: { $0.metric != .accuracy }) {
      text += "scores: \(tasks.map { "\($0.name) \($0.metric.title)" }.joined(separator: ", "))\n"
    }
    return isWide ? text : text + row(columns.map(\.title))
  }

  func row(_ record: EpochRecord, epochs: Int) -> String {
    let evaluated = splits.map { $0 == "test" ? record.test : record.validation }
    let rate = fixed(record.samplesPerSecond, 0)
    let seconds = fixed(record.trainingSeconds + record.evaluationSeconds, 1)
    let epoch = "\(record.epoch)/\(epochs)"
    let loss = fixed(record.training.loss, 4)
    guard isWide else {
      let scores = ([record.training] + evaluated).flatMap { scores in tasks.map { text(scores?[$0.name]) } }
      return row([epoch, loss] + scores + [rate, seconds])
    }
    let lines = zip(["training"] + splits, [record.training] + evaluated).map { split, scores in
      let name = split + String(repeating: " ", count: max(0, 8 - split.count))
      return "  \(name)  " + tasks.map { "\($0.name) \(text(scores?[$0.name]))" }.joined(separator: "  ")
    }
    return "epoch \(epoch)  loss \(loss)  \(rate) samples/s  \(seconds) s\n" + lines.joined(separator: "\n") + "\n"
  }

  private func text(_ score: TaskScore?) -> String { score?.firstText() ?? "-" }

  private func row(_ cells: [String]) -> String {
    let padded = zip(cells, columns).map { cell, column in
      String(repeating: " ", count: max(0, column.width - cell.count)) + cell
    }
    return padded.joined(separator: "  ") + "\n"
  }
}
