// SPDX-License-Identifier: Apache-2.0
// What `predict` leaves on standard output: for each sample and head, classes by name with their probabilities.

import MTLFast
import MTLFastTraining

/// The predictions for one sample.
struct PredictionReport {
  struct Class {
    let name: String
    let probability: Float
  }

  struct Head {
    let name: String
    /// The most probable first.
    let classes: [Class]
    /// The class that the data name; nil where they name none.
    let label: String?

    /// - Parameter probabilities: of every class, in class order. Of equal ones the lower class comes first.
    init(name: String, classNames: [String], probabilities: [Float], label: Int32, top: Int) {
      self.name = name
      let order = probabilities.indices.sorted { (probabilities[$1], $0) < (probabilities[$0], $1) }
      classes = order.prefix(top).map { Class(name: classNames[$0], probability: probabilities[$0]) }
      self.label = classNames.indices.contains(Int(label)) ? classNames[Int(label)] : nil
    }
  }

  /// `test 17`
  let sample: String
  let heads: [Head]

  /// A table of all samples.
  static func text(_ reports: [PredictionReport]) -> String {
    var table = TextTable([("sample", .left), ("head", .left), ("predicted", .left), ("", .right), ("label", .left)])
    for report in reports {
      for (row, head) in report.heads.enumerated() {
        for (rank, prediction) in head.classes.enumerated() {
          table.add([
            row == 0 && rank == 0 ? report.sample : "", rank == 0 ? head.name : "", prediction.name,
            percent(Double(prediction.probability)), rank == 0 ? head.label ?? "-" : "",
          ])
        }
      }
    }
    return table.text
  }

  var json: JSONValue {
    .object([
      "sample": .string(sample),
      "heads": .object(
        Dictionary(
          heads.map { head in
            let classes = head.classes.map { entry -> JSONValue in
              .object(["class": .string(entry.name), "probability": .number(Double(entry.probability))])
            }
            return (head.name, .object(["top": .array(classes), "label": head.label.map { .string($0) } ?? .null]))
          }, uniquingKeysWith: { first, _ in first })),
    ])
  }
}
