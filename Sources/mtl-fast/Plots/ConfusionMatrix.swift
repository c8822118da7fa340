// SPDX-License-Identifier: Apache-2.0
// How often each class was predicted as which, read from confusion.json.

import Files
import MTLFast
import MTLFastTraining

/// The matrix of one task on one part of the data.
struct ConfusionMatrix: Equatable {
  let task: String
  /// `test` or `validation`.
  let split: String
  let epoch: Int
  let classes: [String]
  /// True x predicted.
  var counts: [[Int]]
  /// How many runs are added up.
  var runs = 1

  /// The share of each row's samples, in percent; 0 for a class without any.
  var percentages: [[Double]] {
    counts.map { row in
      let sum = row.reduce(0, +)
      return row.map { sum > 0 ? 100 * Double($0) / Double(sum) : 0 }
    }
  }

  /// The sum over runs; nil where the classes differ.
  static func sum(_ matrices: [ConfusionMatrix]) -> ConfusionMatrix? {
    guard var sum = matrices.first else { return nil }
    for matrix in matrices.dropFirst() {
      guard matrix.classes == sum.classes else { return nil }
      for (row, counts) in matrix.counts.enumerated() {
        for (column, count) in counts.enumerated() { sum.counts[row][column] += count }
      }
      sum.runs += matrix.runs
    }
    return sum
  }

  /// The matrices of a run; none where the file isn't there.
  ///
  /// - Throws: `MTLFastError` of kind `badData`.
  static func read(from path: String) throws -> [ConfusionMatrix] {
    guard FilePath.exists(path) else { return [] }
    func damaged(_ what: String) -> MTLFastError {
      MTLFastError(.badData, "\(path): is damaged: \(what). Remove it to draw the run without confusion matrices.")
    }
    let whole = try WholeFile(path: path)
    let file: JSONValue
    do throws(JSONDamage) {
      file = try withExtendedLifetime(whole) { () throws(JSONDamage) in try JSONValue(reading: whole.bytes) }
    } catch {
      throw damaged("\(error.what) at byte \(error.column)")
    }
    guard let epoch = file["epoch"]?.integer else { throw damaged("it has no 'epoch'") }
    var matrices: [ConfusionMatrix] = []
    for split in ["test", "validation"] {
      for (task, value) in (file[split]?.members ?? [:]).sorted(by: { $0.key < $1.key }) {
        let classes = value["classes"]?.elements?.compactMap(\.string) ?? []
        let counts = value["confusion"]?.elements?.map { $0.elements?.compactMap(\.integer) ?? [] } ?? []
        guard !classes.isEmpty, counts.count == classes.count, counts.allSatisfy({ $0.count == classes.count }),
          counts.allSatisfy({ $0.allSatisfy { (0..<1 << 48).contains($0) } })
        else { throw damaged("the matrix of task '\(task)' has not a row and a column of counts for each class") }
        matrices.append(ConfusionMatrix(task: task, split: split, epoch: epoch, classes: classes, counts: counts))
      }
    }
    return matrices
  }
}
