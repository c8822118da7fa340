// SPDX-License-Identifier: Apache-2.0
// How the rows of one source are divided into training, validation and test.

import Files
import Kernels

/// How the rows of a source are divided.
public enum SplitRule: Hashable, Sendable {
  /// Every row trains.
  case none
  /// A column of the table says it: the values that mean training, validation and test.
  case column(String, training: String, validation: String?, test: String?)
  /// A share of the rows, drawn by the seed, is for validation and the rest trains.
  ///
  /// With `stratify`, a column of classes, each class is divided by the same share; rows without a class are one more.
  case fraction(Double, stratify: String?, seed: UInt64)
}

/// The rows of each part, in the order of the source.
public struct SplitRows: Hashable, Sendable {
  public var training: [Int]
  public var validation: [Int]
  public var test: [Int]

  public init(training: [Int], validation: [Int] = [], test: [Int] = []) {
    self.training = training
    self.validation = validation
    self.test = test
  }
}

extension SplitRule {
  /// A share of `count` rows, drawn by the seed: `fraction` of them for validation, rounded, the rest for training.
  ///
  /// With labels, each class (missing labels are one more) gives the same share: rounded down, and what is left to the
  /// rounded total comes from the classes with the largest remainders, of equals the first.
  ///
  ///     let rows = try SplitRule.rows(count: 10, fraction: 0.2, stratify: nil, seed: 0, place: "digits")
  ///     rows.validation.count  // 2
  ///
  /// - Parameter place: what messages call the source.
  /// - Throws: `MTLFastError` of kind `usage` for a fraction that isn't between 0 and 1, `badData` where a part would
  ///   have no rows or the labels are of another count.
  public static func rows(
    count: Int, fraction: Double, stratify labels: LabelColumn?, seed: UInt64, place: String
  ) throws -> SplitRows {
    guard labels?.values.count ?? count == count else {
      throw MTLFastError(
        .badData, "\(place): has \(count) rows but \(labels?.values.count ?? 0) labels to stratify by.")
    }
    return try rows(count: count, fraction: fraction, classes: labels?.values, seed: seed, place: place)
  }

  /// The same with classes of any kind.
  package static func rows<Class: Hashable & Comparable>(
    count: Int, fraction: Double, classes: [Class]?, seed: UInt64, place: String
  ) throws -> SplitRows {
    try rows(count: count, fraction: fraction, groups: groups(count: count, classes: classes), seed: seed, place: place)
  }

  /// The rows of each class, in the order of classes.
  private static func groups<Class: Hashable & Comparable>(count: Int, classes: [Class]?) -> [[Int]] {
    guard let classes else { return [Array(0..<count)] }
    var rows: [Class: [Int]] = [:]
    for (row, label) in classes.enumerated() { rows[label, default: []].append(row) }
    return rows.sorted { $0.key < $1.key }.map(\.value)
  }

  private static func rows(
    count: Int, fraction: Double, groups: [[Int]], seed: UInt64, place: String
  ) throws -> SplitRows {
    guard fraction > 0, fraction < 1 else {
      throw MTLFastError(
        .usage, "\(place): the validation fraction is \(fraction) but has to be above 0 and below 1: 0.1 is a tenth.")
    }
    let total = Int((Double(count) * fraction).rounded())
    guard total >= 1, total < count else {
      throw MTLFastError(
        .badData,
        "\(place): a fraction of \(fraction) of \(count) rows leaves \(total) for validation and \(count - total) for "
          + "training, and each needs at least 1. Choose another fraction, or add rows.")
    }
    let shares = groups.map { Double($0.count) * fraction }
    var taken = shares.map { Int($0) }
    let order = groups.indices.sorted {
      let (a, b) = (shares[$0] - Double(taken[$0]), shares[$1] - Double(taken[$1]))
      return a != b ? a > b : $0 < $1
    }
    for group in order.prefix(max(0, total - taken.reduce(0, +))) { taken[group] += 1 }
    var isValidation = [Bool](repeating: false, count: count)
    for (index, group) in groups.enumerated() {
      let stream = RandomStream(seed: seed, purpose: "split", stream: UInt64(index))
      for position in stream.permutation(count: group.count).prefix(taken[index]) {
        isValidation[group[Int(position)]] = true
      }
    }
    return SplitRows(
      training: (0..<count).filter { !isValidation[$0] }, validation: (0..<count).filter { isValidation[$0] })
  }
}

extension Dataset {
  /// Divides the samples: a share for validation, drawn by the seed, and the rest for training, both in their order.
  ///
  ///     let (training, validation) = try dataset.split(fraction: 0.1, stratify: "label", seed: 0)
  ///
  /// - Parameter stratify: a column of class labels, each of which is divided by the same share.
  /// - Throws: `MTLFastError` of kind `usage` for a fraction that isn't between 0 and 1, `badData` for an unknown
  ///   column or a part without samples.
  public func split(
    fraction: Double, stratify: String? = nil, seed: UInt64
  ) throws -> (training: Dataset, validation: Dataset) {
    let column = try stratify.map { column in
      guard let labels = labels[column] else {
        throw MTLFastError(
          .badData, unknownName("label column", column, in: name, known: labels.keys.sorted()))
      }
      return labels
    }
    let rows = try SplitRule.rows(count: count, fraction: fraction, stratify: column, seed: seed, place: name)
    return (
      try self.rows(rows.training, name: "\(name) (training part)"),
      try self.rows(rows.validation, name: "\(name) (validation part)")
    )
  }

  /// The samples of the given indices, in that order, with every column.
  ///
  /// - Throws: `MTLFastError` of kind `usage` for an index that is no sample, `badData` where there are none.
  public func rows(_ indices: [Int], name: String) throws -> Dataset {
    if let index = indices.first(where: { !(0..<count).contains($0) }) {
      throw MTLFastError(
        .usage, "\(self.name): sample \(index) was asked for but there are \(count) (0...\(count - 1)).")
    }
    func gather<Value>(_ values: [Value], width: Int) -> [Value] {
      var result: [Value] = []
      result.reserveCapacity(indices.count * width)
      for index in indices { result += values[index * width..<(index + 1) * width] }
      return result
    }
    return try Dataset(
      name: name,
      inputs: inputs.mapValues { input in
        switch input {
        case .bytes(let shape, let values): .bytes(shape: shape, values: gather(values, width: shape.elementCount))
        case .floats(let shape, let values): .floats(shape: shape, values: gather(values, width: shape.elementCount))
        }
      },
      targets: targets.mapValues { target in
        switch target {
        case .classes(let column):
          .classes(LabelColumn(values: gather(column.values, width: 1), classNames: column.classNames))
        case .values(let column):
          .values(ValueColumn(names: column.names, values: gather(column.values, width: column.names.count)))
        case .mask(let column):
          .mask(
            MaskColumn(
              shape: column.shape, values: gather(column.values, width: column.shape.elementCount),
              classNames: column.classNames))
        }
      })
  }
}
