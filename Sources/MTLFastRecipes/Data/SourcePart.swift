// SPDX-License-Identifier: Apache-2.0
// The rows of one part of a stream, before inputs and tasks give its columns a meaning.

import MTLFast
import MTLFastData

/// The parts of the data that a command needs.
enum DataPart: String, CaseIterable {
  case training, validation, test
}

/// Some rows of what a source holds.
struct SourcePart {
  /// For messages: `labels.csv training`.
  let name: String
  let content: Content
  let rows: [Int]

  enum Content {
    /// Columns that are in memory with their meaning: a known data set, IDX, a generator.
    case dataset(Dataset)
    case table(CSVTable)
    /// `count` is that of the arrays which inputs and tasks name.
    case arrays([NumPyArray], path: String, count: Int)
    /// Images and the masks as stored.
    case masks(images: InputColumn, masks: RawMasks)

    var count: Int {
      switch self {
      case .dataset(let dataset): dataset.count
      case .table(let table): table.rowCount
      case .arrays(_, path: _, let count): count
      case .masks(let images, masks: _): images.count
      }
    }
  }

  /// All rows.
  init(name: String, content: Content) {
    self.init(name: name, content: content, rows: Array(0..<content.count))
  }

  init(name: String, content: Content, rows: [Int]) {
    self.name = name
    self.content = content
    self.rows = rows
  }

  /// Divides the rows into training and validation.
  func divided(by fraction: Recipe.Fraction) throws -> (training: SourcePart, validation: SourcePart) {
    let rows = try SplitRule.rows(
      count: rows.count, fraction: fraction.share, stratify: try fraction.stratify.map(strata), seed: fraction.seed,
      place: name)
    func part(_ name: String, _ indices: [Int]) -> SourcePart {
      SourcePart(name: name, content: content, rows: indices.map { self.rows[$0] })
    }
    // Files are called `t.csv (training)`, data sets of the catalogue `cifar10 training`.
    let ending = [" (training)", " training"].first { name.hasSuffix($0) } ?? ""
    let source = name.dropLast(ending.count)
    return (part("\(source) (training)", rows.training), part("\(source) (validation)", rows.validation))
  }

  /// The labels of a column, for drawing the same share of each.
  private func strata(_ column: String) throws -> LabelColumn {
    switch content {
    // A column of one class or none divides like no column at all.
    case .table(let table): return try table.strata(column, rows: rows)
    case .dataset(let dataset):
      guard let labels = dataset.labels[column] else {
        throw MTLFastError(
          .badData, "stratify: " + unknownName("label column", column, in: name, known: Array(dataset.labels.keys)))
      }
      return LabelColumn(values: rows.map { labels.values[$0] }, classNames: labels.classNames)
    case .arrays(let arrays, let path, count: _):
      let labels = try arrays.named(column, in: path).labels()
      return LabelColumn(values: rows.map { labels.values[$0] }, classNames: labels.classNames)
    case .masks: throw MTLFastError(.usage, "stratify: \(name) has masks but no column of classes. Leave it out.")
    }
  }
}

extension [NumPyArray] {
  /// - Throws: `MTLFastError` of kind `badData` that lists the arrays.
  func named(_ name: String, in path: String) throws -> NumPyArray {
    guard let array = first(where: { $0.name == name }) else {
      throw MTLFastError(.badData, unknownName("array", name, in: path, known: map(\.name)))
    }
    return array
  }
}

/// Puts the file of an array in front of its errors.
func located<Value>(_ path: String, _ body: () throws -> Value) throws -> Value {
  do { return try body() } catch let error as MTLFastError {
    throw error.within(path)
  }
}
