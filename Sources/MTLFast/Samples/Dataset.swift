// SPDX-License-Identifier: Apache-2.0
// Samples in memory: input columns and label columns of one split.

import Files

/// One split (training, validation or test) of a data set, in memory.
///
/// Columns are parallel: element i of each belongs to sample i.
public struct Dataset: Sendable {
  public let name: String
  public let count: Int
  /// By the name that the source gives them: `image`.
  public let inputs: [String: InputColumn]
  /// By the name that the source gives them: `label`.
  public let targets: [String: TargetColumn]
  /// The targets that are class labels.
  public var labels: [String: LabelColumn] {
    targets.compactMapValues { if case .classes(let column) = $0 { column } else { nil } }
  }

  public init(name: String, inputs: [String: InputColumn], labels: [String: LabelColumn]) throws {
    try self.init(name: name, inputs: inputs, targets: labels.mapValues { .classes($0) })
  }

  /// - Throws: `MTLFastError` of kind `badData` where there are no samples, columns differ in count, a column isn't a
  ///   whole number of samples or a label is outside its classes.
  public init(name: String, inputs: [String: InputColumn], targets: [String: TargetColumn]) throws {
    func checkWhole(_ column: String, _ values: Int, _ shape: Shape) throws {
      guard let size = shape.checkedElementCount, values % size == 0 else {
        throw MTLFastError(
          .badData, "\(name): '\(column)' has \(values) values, not a whole number of samples of shape \(shape).")
      }
    }
    let orderedInputs = inputs.sorted { $0.key < $1.key }
    let orderedTargets = targets.sorted { $0.key < $1.key }
    for (column, input) in orderedInputs { try checkWhole(column, input.valueCount, input.shape) }
    for (column, target) in orderedTargets {
      switch target {
      case .classes: break
      case .values(let values): try checkWhole(column, values.values.count, .vector(values.names.count))
      case .mask(let mask): try checkWhole(column, mask.values.count, mask.shape)
      }
    }
    let counts = orderedInputs.map { ($0.key, $0.value.count) } + orderedTargets.map { ($0.key, $0.value.count) }
    guard let first = counts.first else { throw MTLFastError(.badData, "\(name): has no columns.") }
    for (column, count) in counts where count != first.1 {
      throw MTLFastError(
        .badData,
        "\(name): '\(first.0)' has \(first.1) samples but '\(column)' has \(count). The files don't belong together.")
    }
    guard first.1 > 0 else { throw MTLFastError(.badData, "\(name): has no samples.") }
    for case (let column, .classes(let label)) in orderedTargets {
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
    self.targets = targets
  }
}

/// The splits of one source. Nothing is selected on `test`.
public struct DatasetSplits: Sendable {
  public let training: Dataset
  public let validation: Dataset?
  public let test: Dataset?

  public init(training: Dataset, validation: Dataset? = nil, test: Dataset? = nil) {
    self.training = training
    self.validation = validation
    self.test = test
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

/// What one task is to learn, for every sample.
public enum TargetColumn: Sendable {
  case classes(LabelColumn)
  case values(ValueColumn)
  case mask(MaskColumn)

  /// The number of samples, N.
  public var count: Int {
    switch self {
    case .classes(let column): column.values.count
    case .values(let column): column.values.count / max(1, column.names.count)
    case .mask(let column): column.values.count / max(1, column.shape.elementCount)
    }
  }

  /// The number of samples of which at least one element is present.
  public var presentCount: Int {
    switch self {
    case .classes(let column): column.values.count { $0 >= 0 }
    case .values(let column): (0..<count).count { column.isPresent($0) }
    case .mask(let column): (0..<count).count { column.isPresent($0) }
    }
  }
}

/// Numbers to predict, `[N, K]` row-major; NaN is a missing value.
public struct ValueColumn: Sendable {
  /// Of the K values: `mpg`.
  public let names: [String]
  public let values: [Float]

  public init(names: [String], values: [Float]) {
    self.names = names
    self.values = values
  }

  /// Whether a sample has a value.
  public func isPresent(_ sample: Int) -> Bool {
    values[sample * names.count..<(sample + 1) * names.count].contains { !$0.isNaN }
  }
}

/// A label for each pixel, `[N, H, W, C]` row-major: the class of the pixel (C is 1), or 0 and 1 for each of C masks.
public struct MaskColumn: Sendable {
  /// A pixel without a label, which loss and metrics leave out.
  public static let ignored: UInt8 = 255

  /// `[H, W, C]`
  public let shape: Shape
  public let values: [UInt8]
  /// Of the classes, or of the C masks.
  public let classNames: [String]

  public init(shape: Shape, values: [UInt8], classNames: [String]) {
    self.shape = shape
    self.values = values
    self.classNames = classNames
  }

  /// Whether a sample has a labelled pixel.
  public func isPresent(_ sample: Int) -> Bool {
    let size = shape.elementCount
    return values[sample * size..<(sample + 1) * size].contains { $0 != Self.ignored }
  }
}
