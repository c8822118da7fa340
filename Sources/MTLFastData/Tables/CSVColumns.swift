// SPDX-License-Identifier: Apache-2.0
// Columns of a table as numbers and as class labels.

import MTLFast

extension CSVTable {
  /// A numeric column for the given rows, in their order.
  ///
  ///     let table = try CSVTable(text: "size\n1.5\n\n2e3\n", path: "t.csv")
  ///     try table.numbers("size", rows: [0, 2], allowsMissing: false)  // [1.5, 2000]
  ///
  /// Decimal numbers with an optional exponent, spaces around them left out. An empty cell is missing: NaN.
  ///
  /// - Throws: `MTLFastError` of kind `badData` for an unknown column, text, `nan` or `inf`, a number too large for a
  ///   Float, or a missing one where that isn't allowed.
  public func numbers(_ name: String, rows: [Int], allowsMissing: Bool) throws -> [Float] {
    let column = try column(name)
    return try rows.map { row in
      switch withBytes(row, column, { Self.number($0) }) {
      case .number(let value): return value
      case .empty where allowsMissing: return .nan
      case .empty:
        throw MTLFastError(
          .badData, "\(place(ofRow: row)): column '\(name)' is empty. Fill it in, or leave the row out.")
      case .text:
        throw MTLFastError(
          .badData,
          "\(place(ofRow: row)): column '\(name)' is '\(excerpt(row, column))', not a finite number. "
            + (allowsMissing
              ? "Correct it, or leave it empty where it is missing." : "Correct it, or leave the row out."))
      }
    }
  }

  /// A column of class labels for the given rows, in their order; an empty cell or `-1` is missing. Spaces around a label
  /// don't count.
  ///
  ///     let table = try CSVTable(text: "animal\ncat\ndog\n\ncat\n", path: "t.csv")
  ///     let labels = try table.labels("animal", rows: [0, 1, 2], classes: ["dog", "cat"], trainingRows: [])
  ///     labels.values  // [1, 0, -1]
  ///
  /// - Parameters:
  ///   - classes: their names in order; nil finds them in `trainingRows`: in numeric order where each is a whole
  ///     number, else in the order of their Unicode scalars.
  ///   - trainingRows: where classes are found; not read where `classes` names them.
  /// - Throws: `MTLFastError` of kind `badData` for an unknown column, a class that isn't listed or that training never
  ///   sees, fewer than 2 classes, or a cell such as `nan` or `NA` that `classes` doesn't list.
  public func labels(
    _ name: String, rows: [Int], classes: [String]?, trainingRows: [Int]
  ) throws -> LabelColumn {
    let column = try column(name)
    let names = try classes ?? classesFound(in: column, rows: trainingRows)
    guard names.count >= 2 else {
      throw MTLFastError(
        .badData,
        "\(path): column '\(name)' has \(names.count) class\(names.count == 1 ? " ('\(names[0])')" : "es") "
          + "\(classes == nil ? "in the training rows" : "in 'classes'") but a classification needs at least 2. "
          + "Check the column.")
    }
    var indices: [String: Int32] = [:]
    for (index, label) in names.enumerated() {
      guard indices.updateValue(Int32(index), forKey: label) == nil else {
        throw MTLFastError(
          .badData, "\(path): the classes of column '\(name)' name '\(label)' twice. Name each class once.")
      }
    }
    let values = try rows.map { row -> Int32 in
      let text = label(row, column)
      if let index = indices[text] { return index }
      if Self.isMissingLabel(text) { return -1 }
      try requireLabel(row, column)
      throw MTLFastError(
        .badData,
        "\(place(ofRow: row)): column '\(name)' is '\(excerpt(row, column))', "
          + (classes == nil
            ? "a class that is seen only outside the training rows. List every class in 'classes:', or move a row of it."
            : "which is none of its \(names.count) classes. List it in 'classes:', or correct it."))
    }
    return LabelColumn(values: values, classNames: names)
  }

  /// The classes of a column, in the order of `labels`, for dividing rows by them: any text counts, and any number of
  /// classes. An empty cell or `-1` has none.
  public func strata(_ name: String, rows: [Int]) throws -> LabelColumn {
    let column = try column(name)
    let names = Self.sorted(Set(rows.map { label($0, column) }))
    let indices = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, Int32($0)) })
    return LabelColumn(values: rows.map { indices[label($0, column)] ?? -1 }, classNames: names)
  }

  /// A cell without the spaces around it, which no class name has.
  public func label(_ row: Int, _ column: Int) -> String {
    let text = self[row, column]
    guard let first = text.utf8.first, let last = text.utf8.last, first <= 0x20 || last <= 0x20 else { return text }
    return String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
  }

  private static func isMissingLabel(_ text: String) -> Bool { text.isEmpty || text == "-1" }

  /// What programs write for a missing value, in lower case.
  private static let placeholders: Set = ["nan", "na", "n/a", "#n/a", "<na>", "null", "none", "nil"]

  /// Refuses what is most likely a missing label and would silently be a class.
  private func requireLabel(_ row: Int, _ column: Int) throws {
    guard Self.placeholders.contains(label(row, column).lowercased()) else { return }
    throw MTLFastError(
      .badData,
      "\(place(ofRow: row)): column '\(header[column])' is '\(excerpt(row, column))'. "
        + "Write an empty cell for a missing label, or list it in classes: where it is one.")
  }

  private func classesFound(in column: Int, rows: [Int]) throws -> [String] {
    var names: Set<String> = []
    for row in rows where names.insert(label(row, column)).inserted { try requireLabel(row, column) }
    return Self.sorted(names)
  }

  private static func sorted(_ names: Set<String>) -> [String] {
    let present = names.filter { !isMissingLabel($0) }
    let numbers = present.compactMap { name in Int(name).map { (name, $0) } }
    guard numbers.count == present.count else {
      return present.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
    }
    // 1 and 01 are different names of equal numbers.
    return numbers.sorted { ($0.1, $0.0) < ($1.1, $1.0) }.map(\.0)
  }

  /// The text of a cell, short enough for one line.
  func excerpt(_ row: Int, _ column: Int) -> String {
    let text = String(self[row, column].map { $0.isNewline ? " " : $0 })
    return text.count <= 40 ? text : text.prefix(37) + "..."
  }

  // MARK: Numbers

  private enum Cell {
    case number(Float)
    case empty
    case text
  }

  /// A decimal number; no hexadecimal, `nan` or `inf`, which Float would accept.
  private static func number(_ field: UnsafeRawBufferPointer) -> Cell {
    var bytes = field[...]
    while let first = bytes.first, first == 0x20 || first == 0x09 { bytes.removeFirst() }
    while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
    guard !bytes.isEmpty else { return .empty }
    let isDecimal = bytes.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
        UInt8(ascii: "e"), UInt8(ascii: "E"):
        true
      default: false
      }
    }
    guard isDecimal, let value = Float(String(decoding: bytes, as: UTF8.self)), value.isFinite else { return .text }
    return .number(value)
  }
}
