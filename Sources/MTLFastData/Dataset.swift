// SPDX-License-Identifier: Apache-2.0
// Samples in memory: input columns and label columns of one split.

import MTLFast

/// One split (training or test) of a data set, in memory.
///
/// Columns are parallel: element i of each belongs to sample i.
public struct Dataset: Sendable {
  public let name: String
  public let count: Int
  /// By the name that the source gives them: `image`.
  public let inputs: [String: InputColumn]
  /// By the name that the source gives them: `label`.
  public let labels: [String: LabelColumn]

  /// - Throws: `MTLFastError` of kind `badData` where there are no samples, columns differ in count, an input isn't a
  ///   whole number of samples or a label is outside its classes.
  public init(name: String, inputs: [String: InputColumn], labels: [String: LabelColumn]) throws {
    for (column, input) in inputs.sorted(by: { $0.key < $1.key }) {
      guard let size = input.shape.checkedElementCount, input.valueCount % size == 0 else {
        throw MTLFastError(
          .badData,
          "\(name): '\(column)' has \(input.valueCount) values, not a whole number of samples of shape \(input.shape).")
      }
    }
    let counts =
      inputs.sorted { $0.key < $1.key }.map { ($0.key, $0.value.count) }
      + labels.sorted { $0.key < $1.key }.map { ($0.key, $0.value.values.count) }
    guard let first = counts.first else { throw MTLFastError(.badData, "\(name): has no columns.") }
    for (column, count) in counts where count != first.1 {
      throw MTLFastError(
        .badData,
        "\(name): '\(first.0)' has \(first.1) samples but '\(column)' has \(count). The files don't belong together.")
    }
    guard first.1 > 0 else { throw MTLFastError(.badData, "\(name): has no samples.") }
    for (column, label) in labels.sorted(by: { $0.key < $1.key }) {
      let classes = label.classNames.count
      if let row = label.values.firstIndex(where: { $0 < -1 || $0 >= classes }) {
        throw MTLFastError(
          .badData,
          "\(name): '\(column)' is \(label.values[row]) at row \(row) but has \(classes) classes"
            + "\(classes > 0 ? " (0...\(classes - 1))" : ""). The file is damaged or of another data set.")
      }
    }
    self.name = name
    self.count = first.1
    self.inputs = inputs
    self.labels = labels
  }
}

/// The values of one input for every sample.
public enum InputColumn: Sendable {
  /// Images as stored, `[N, H, W, C]` row-major, one byte a channel; scaled to float on the way into the first layer.
  case bytes(shape: Shape, values: [UInt8])
  /// Floats, `[N, K]` or `[N, H, W, C]`, row-major.
  case floats(shape: Shape, values: [Float])

  /// The shape of one sample.
  public var shape: Shape {
    switch self {
    case .bytes(let shape, _), .floats(let shape, _): shape
    }
  }

  /// The number of samples, N.
  public var count: Int { valueCount / max(1, shape.elementCount) }

  /// The number of values of all samples.
  public var valueCount: Int {
    switch self {
    case .bytes(_, let values): values.count
    case .floats(_, let values): values.count
    }
  }
}

/// Integer class labels, 0-based; -1 is a missing label.
public struct LabelColumn: Sendable {
  public let values: [Int32]
  public let classNames: [String]

  public init(values: [Int32], classNames: [String]) {
    self.values = values
    self.classNames = classNames
  }
}
