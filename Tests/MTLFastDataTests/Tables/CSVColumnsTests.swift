// SPDX-License-Identifier: Apache-2.0
// Columns as numbers and as classes, and the cell that an error names.

import MTLFast
import Testing

@testable import MTLFastData

struct CSVColumnsTests {
  private func table(_ cells: [String]) throws -> CSVTable {
    try CSVTable(text: (["x,y"] + cells.map { "\($0),z" }).joined(separator: "\n"), path: "t.csv")
  }

  private func numbers(_ cells: [String], allowsMissing: Bool = false) throws -> [Float] {
    try table(cells).numbers("x", rows: Array(cells.indices), allowsMissing: allowsMissing)
  }

  @Test func readsNumbers() throws {
    #expect(try numbers(["1", " -2.5 ", "+.5", "1e3", "\"7\"", "0.1"]) == [1, -2.5, 0.5, 1000, 7, 0.1])
    #expect(try table(["1", "2", "3"]).numbers("x", rows: [2, 0], allowsMissing: false) == [3, 1])
  }

  @Test func anEmptyCellIsMissing() throws {
    let read = try numbers(["1", "", " "], allowsMissing: true)
    #expect(read[0] == 1)
    #expect(read[1].isNaN && read[2].isNaN)
    expectError(.badData, "t.csv:3: column 'x' is empty. Fill it in, or leave the row out.") {
      try numbers(["1", ""])
    }
  }

  @Test(arguments: ["red", "nan", "NaN", "inf", "-Infinity", "0x10", "1 2", "1e99", "--1", "."])
  func textInANumericColumn(text: String) {
    expectError(
      .badData,
      "t.csv:3: column 'x' is '\(text)', not a finite number. "
        + "Correct it, or leave it empty where it is missing."
    ) { try numbers(["1", text], allowsMissing: true) }
    expectError(
      .badData, "t.csv:3: column 'x' is '\(text)', not a finite number. Correct it, or leave the row out."
    ) { try numbers(["1", text]) }
  }

  // MARK: Labels

  @Test func classesAreFoundInTheTrainingRows() throws {
    let numeric = try table(["10", "9", "-1", "", "2", "10"])
    let labels = try numeric.labels("x", rows: [0, 1, 2, 3, 4, 5], classes: nil, trainingRows: [0, 1, 4])
    #expect(labels.classNames == ["2", "9", "10"])
    #expect(labels.values == [2, 1, -1, -1, 0, 2])
    let text = try table(["b", "a", "é", "B", "10"])
    #expect(
      try text.labels("x", rows: [], classes: nil, trainingRows: [0, 1, 2, 3, 4]).classNames
        == ["10", "B", "a", "b", "é"])
  }

  @Test func listedClassesKeepTheirOrder() throws {
    let labels = try table(["a", "b", "a"]).labels("x", rows: [0, 1], classes: ["b", "c", "a"], trainingRows: [])
    #expect(labels.classNames == ["b", "c", "a"])
    #expect(labels.values == [2, 0])
  }

  @Test func spacesAroundALabelDoNotCount() throws {
    let table = try table([" 1", "0 ", "\"\t1 \"", " ", " -1"])
    let labels = try table.labels("x", rows: [0, 1, 2, 3, 4], classes: nil, trainingRows: [0, 1, 2, 3, 4])
    #expect(labels.classNames == ["0", "1"])
    #expect(labels.values == [1, 0, 1, -1, -1])
    #expect(try self.table([" a b "]).labels("x", rows: [0], classes: ["a b", "c"], trainingRows: []).values == [0])
  }

  @Test(arguments: ["nan", "NaN", "NA", "N/A", "null", "None", " nan "])
  func textThatStandsForAMissingLabel(text: String) throws {
    let table = try table(["a", text, "b"])
    let message =
      "t.csv:3: column 'x' is '\(text)'. Write an empty cell for a missing label, or list it in classes: where it is one."
    expectError(.badData, message) { try table.labels("x", rows: [], classes: nil, trainingRows: [0, 1, 2]) }
    expectError(.badData, message) { try table.labels("x", rows: [1], classes: nil, trainingRows: [0, 2]) }
    expectError(.badData, message) { try table.labels("x", rows: [1], classes: ["a", "b"], trainingRows: []) }
    let name = text.filter { $0 != " " }
    #expect(try table.labels("x", rows: [1], classes: ["a", name, "b"], trainingRows: []).values == [1])
  }

  @Test func strataAreAnyTexts() throws {
    let table = try table(["b", "nan", " b", "", "-1"])
    #expect(try table.strata("x", rows: [0, 1, 2, 3, 4]).values == [0, 1, 0, -1, -1])
    #expect(try self.table(["b", "b"]).strata("x", rows: [0, 1]).classNames == ["b"])
  }

  @Test func classThatIsNotListed() throws {
    let table = try table(["a", "b", "c"])
    expectError(
      .badData,
      "t.csv:4: column 'x' is 'c', which is none of its 2 classes. List it in 'classes:', or correct it."
    ) { try table.labels("x", rows: [0, 1, 2], classes: ["a", "b"], trainingRows: []) }
    expectError(
      .badData,
      "t.csv:4: column 'x' is 'c', a class that is seen only outside the training rows. "
        + "List every class in 'classes:', or move a row of it."
    ) { try table.labels("x", rows: [2], classes: nil, trainingRows: [0, 1]) }
  }

  @Test func fewerThanTwoClasses() throws {
    let table = try table(["a", "a", ""])
    expectError(
      .badData,
      "t.csv: column 'x' has 1 class ('a') in the training rows but a classification needs at least 2. "
        + "Check the column."
    ) { try table.labels("x", rows: [0], classes: nil, trainingRows: [0, 1, 2]) }
    expectError(
      .badData,
      "t.csv: column 'x' has 0 classes in 'classes' but a classification needs at least 2. Check the column."
    ) { try table.labels("x", rows: [0], classes: [], trainingRows: []) }
  }

  @Test func classListedTwice() throws {
    expectError(.badData, "t.csv: the classes of column 'x' name 'a' twice. Name each class once.") {
      try table(["a"]).labels("x", rows: [0], classes: ["a", "b", "a"], trainingRows: [])
    }
  }
}
