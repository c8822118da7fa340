// SPDX-License-Identifier: Apache-2.0
// The rows of a table by a column or by chance.

import MTLFast
import MTLFastData
import Testing

struct TableSplitTests {
  private func table(_ values: [String]) throws -> CSVTable {
    try CSVTable(text: (["id,use"] + values.enumerated().map { "\($0),\($1)" }).joined(separator: "\n"), path: "t.csv")
  }

  @Test func noneTrainsOnEveryRow() throws {
    #expect(try SplitRule.none.rows(of: table(["a", "b"])) == SplitRows(training: [0, 1]))
    expectError(.badData, "t.csv: has a header but no rows. Add rows.") { try SplitRule.none.rows(of: table([])) }
  }

  // MARK: By column

  private let rule = SplitRule.column("use", training: "tr", validation: "va", test: "te")

  @Test func byColumn() throws {
    let rows = try rule.rows(of: table(["te", "tr", "va", "tr"]))
    #expect(rows == SplitRows(training: [1, 3], validation: [2], test: [0]))
    let two = SplitRule.column("use", training: "tr", validation: nil, test: "te")
    #expect(try two.rows(of: table(["te", "tr"])) == SplitRows(training: [1], test: [0]))
  }

  @Test func valueThatTheRuleDoesNotName() {
    expectError(
      .badData,
      "t.csv:4: column 'use' is 'Te' but the split knows 'tr' (training), 'va' (validation), 'te' (test). "
        + "Correct it, or name the value in the split."
    ) { try rule.rows(of: table(["tr", "va", "Te"])) }
  }

  @Test func partWithoutRows() {
    expectError(
      .badData,
      "t.csv: no row has 'te' in column 'use', so the test part is empty. Check the value, or leave the part out."
    ) { try rule.rows(of: table(["tr", "va"])) }
  }

  @Test func oneValueForTwoParts() {
    expectError(
      .usage, "t.csv: 'tr' in column 'use' means both training and test. Name different values."
    ) { try SplitRule.column("use", training: "tr", validation: nil, test: "tr").rows(of: table(["tr"])) }
  }

  // MARK: By fraction

  /// The classes of a column divide as labels do: `-1` and an empty cell are no class.
  @Test func aColumnStratifiesAsLabelsDo() throws {
    let values = (0..<40).map { Int32($0 % 4) - 1 }
    let names = values.enumerated().map { row, value in
      value < 0 ? (row % 8 == 0 ? "-1" : "") : "abc".map(String.init)[Int(value)]
    }
    let labels = LabelColumn(values: values, classNames: ["a", "b", "c"])
    let expected = try SplitRule.rows(count: 40, fraction: 0.2, stratify: labels, seed: 1, place: "d")
    #expect(try SplitRule.fraction(0.2, stratify: "use", seed: 1).rows(of: table(names)) == expected)
  }
}
