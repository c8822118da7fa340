// SPDX-License-Identifier: Apache-2.0
// What `predict` leaves on standard output: for each sample and head, classes by name with their probabilities.

import MTLFast
import MTLFastRecipes
import MTLFastTraining

/// The predictions for one sample.
struct PredictionReport {
  /// What a head says about a sample.
  enum Result {
    /// Classes with their probabilities, the most probable first, and the class that the data name.
    case classes([(name: String, probability: Float)], label: String?)
    /// Numbers by name in their units, and those of the data.
    case values([(name: String, value: Float)], label: [Float]?)
    /// The share of pixels of each class or mask, and the file that it was written to.
    case mask([(name: String, share: Double, file: String)])
  }

  /// `test 17`, `photo.jpg`
  let sample: String
  let heads: [(name: String, result: Result)]

  /// A table of all samples; the last column, the labels, only where the data have some.
  static func text(_ reports: [PredictionReport]) -> String {
    let rows = reports.flatMap(\.rows)
    let hasLabels = rows.contains { !$0.label.isEmpty }
    let hasMasks = reports.contains { $0.heads.contains { if case .mask = $0.result { true } else { false } } }
    var table = TextTable(
      [("sample", .left), ("head", .left), ("predicted", .left), ("", .right)]
        + (hasLabels ? [(hasMasks ? "label, file" : "label", .left)] : []))
    var previous = (sample: "", head: "")
    for row in rows {
      let isNewSample = row.sample != previous.sample
      table.add(
        [
          isNewSample ? row.sample : "", isNewSample || row.head != previous.head ? row.head : "", row.name, row.value,
        ] + (hasLabels ? [row.label.isEmpty && row.isFirst ? "-" : row.label] : []))
      previous = (row.sample, row.head)
    }
    return table.text
  }

  /// The same rows as comma-separated values: sample, head, predicted, value, label, file.
  static func csv(_ reports: [PredictionReport]) -> String {
    let lines = reports.flatMap { report in
      report.heads.flatMap { head, result -> [[String]] in
        switch result {
        case .classes(let classes, let label):
          classes.map { [report.sample, head, $0.name, "\($0.probability)", label ?? "", ""] }
        case .values(let values, let label):
          values.indices.map { index in
            let known = label.map { $0[index].isNaN ? "" : "\($0[index])" } ?? ""
            return [report.sample, head, values[index].name, "\(values[index].value)", known, ""]
          }
        case .mask(let masks):
          masks.map { [report.sample, head, $0.name, "\($0.share)", "", $0.file] }
        }
      }
    }
    return ([["sample", "head", "predicted", "value", "label", "file"]] + lines).map { cells in
      cells.map(csvCell).joined(separator: ",")
    }.joined(separator: "\n")
  }

  private static func csvCell(_ text: String) -> String {
    guard text.contains(where: { $0 == "," || $0 == "\"" || $0.isNewline }) else { return text }
    return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }

  private struct Row {
    let sample: String
    let head: String
    let name: String
    let value: String
    let label: String
    let isFirst: Bool
  }

  private var rows: [Row] {
    heads.flatMap { head, result -> [Row] in
      func row(_ index: Int, _ name: String, _ value: String, _ label: String) -> Row {
        Row(sample: sample, head: head, name: name, value: value, label: label, isFirst: index == 0)
      }
      switch result {
      case .classes(let classes, let label):
        return classes.indices.map { index in
          row(index, classes[index].name, percent(Double(classes[index].probability)), index == 0 ? label ?? "" : "")
        }
      case .values(let values, let label):
        return values.indices.map { index in
          let known = label.map { $0[index].isNaN ? "" : shortNumber($0[index]) } ?? ""
          return row(index, values[index].name, shortNumber(values[index].value), known)
        }
      case .mask(let masks):
        return masks.indices.map { index in
          let isNew = index == 0 || masks[index].file != masks[index - 1].file
          return row(
            index, masks[index].name, percent(masks[index].share, 1) + " of pixels", isNew ? masks[index].file : "")
        }
      }
    }
  }

  /// Six digits at most.
  private func shortNumber(_ value: Float) -> String {
    let magnitude = Double(value.magnitude)
    let digits = magnitude >= 1000 ? 1 : magnitude >= 10 ? 3 : magnitude >= 0.01 || magnitude == 0 ? 4 : 7
    return fixed(Double(value), digits)
  }

  var json: JSONValue {
    .object([
      "sample": .string(sample),
      "heads": .object(
        Dictionary(heads.map { ($0.name, Self.json($0.result)) }, uniquingKeysWith: { first, _ in first })),
    ])
  }

  private static func json(_ result: Result) -> JSONValue {
    func object(_ pairs: [(String, Double?)]) -> JSONValue {
      .object(Dictionary(pairs.map { ($0.0, .number($0.1)) }, uniquingKeysWith: { first, _ in first }))
    }
    switch result {
    case .classes(let classes, let label):
      let top = classes.map { entry -> JSONValue in
        .object(["class": .string(entry.name), "probability": .number(Double(entry.probability))])
      }
      return .object(["top": .array(top), "label": label.map { .string($0) } ?? .null])
    case .values(let values, let label):
      let known = label.map { label in object(zip(values, label).map { ($0.name, $1.isNaN ? nil : Double($1)) }) }
      return .object(["values": object(values.map { ($0.name, Double($0.value)) }), "label": known ?? .null])
    case .mask(let masks):
      let members = masks.map { mask -> (String, JSONValue) in
        (mask.name, .object(["share": .number(mask.share), "file": .string(mask.file)]))
      }
      return .object(["masks": .object(Dictionary(members, uniquingKeysWith: { first, _ in first }))])
    }
  }
}

extension PredictionReport {
  /// - Parameters:
  ///   - sample: what it is called.
  ///   - graph: of the model that predicted.
  ///   - masks: writes the masks.
  /// - Throws: `MTLFastError` of kind `writeFailed`.
  init(_ prediction: Prediction, of sample: String, graph: ModelGraph, masks: MaskWriter) throws {
    self.sample = sample
    heads = try prediction.heads.compactMap { name, value in
      switch value {
      case .classes(let classes, let label): return (name, .classes(classes, label: label))
      case .values(let values, let label): return (name, .values(values, label: label))
      case .mask(let probabilities, let shape):
        guard let head = graph.heads.first(where: { $0.name == name }) else { return nil }
        return (name, .mask(try masks.write(probabilities, of: head, shape: shape, sample: sample)))
      }
    }
  }
}
