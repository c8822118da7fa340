// SPDX-License-Identifier: Apache-2.0
// How the rows of a table are divided, by one of its columns or by chance.

import MTLFast

extension SplitRule {
  /// The rows of a table by this rule.
  ///
  ///     let table = try CSVTable(text: "x,use\n1,a\n2,b\n3,a\n", path: "t.csv")
  ///     try SplitRule.column("use", training: "a", validation: nil, test: "b").rows(of: table).training  // [0, 2]
  ///
  /// - Throws: `MTLFastError` of kind `badData` for an unknown column, a value that the rule doesn't name or a part
  ///   without rows; of kind `usage` for a fraction that isn't between 0 and 1.
  public func rows(of table: CSVTable) throws -> SplitRows {
    switch self {
    case .none:
      guard table.rowCount > 0 else {
        throw MTLFastError(.badData, "\(table.path): has a header but no rows. Add rows.")
      }
      return SplitRows(training: Array(0..<table.rowCount))
    case .column(let name, let training, let validation, let test):
      return try Self.rows(of: table, column: name, training: training, validation: validation, test: test)
    case .fraction(let fraction, let stratify, let seed):
      let all = Array(0..<table.rowCount)
      // A class column of one class or none divides like no column at all.
      let classes = try stratify.map { name in
        let column = try table.column(name)
        return all.map { row in
          let label = table.label(row, column)
          return label == "-1" ? "" : label
        }
      }
      return try Self.rows(count: table.rowCount, fraction: fraction, classes: classes, seed: seed, place: table.path)
    }
  }

  private static func rows(
    of table: CSVTable, column name: String, training: String, validation: String?, test: String?
  ) throws -> SplitRows {
    let column = try table.column(name)
    let named = [("training", training), ("validation", validation), ("test", test)].compactMap { part, value in
      value.map { (part, $0) }
    }
    for (index, (part, value)) in named.enumerated() {
      if let other = named[..<index].first(where: { $0.1 == value }) {
        throw MTLFastError(
          .usage,
          "\(table.path): '\(value)' in column '\(name)' means both \(other.0) and \(part). Name different values.")
      }
    }
    var rows: [String: [Int]] = [:]
    for row in 0..<table.rowCount {
      let value = table[row, column]
      guard named.contains(where: { $0.1 == value }) else {
        let values = named.map { "'\($0.1)' (\($0.0))" }.joined(separator: ", ")
        throw MTLFastError(
          .badData,
          "\(table.place(ofRow: row)): column '\(name)' is '\(table.excerpt(row, column))' but the split knows \(values). "
            + "Correct it, or name the value in the split.")
      }
      rows[value, default: []].append(row)
    }
    for (part, value) in named where rows[value] == nil {
      throw MTLFastError(
        .badData,
        "\(table.path): no row has '\(value)' in column '\(name)', so the \(part) part is empty. "
          + "Check the value, or leave the part out.")
    }
    func part(_ value: String?) -> [Int] { value.flatMap { rows[$0] } ?? [] }
    return SplitRows(training: part(training), validation: part(validation), test: part(test))
  }
}
