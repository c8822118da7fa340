// SPDX-License-Identifier: Apache-2.0
// Tables of text: quoting, line ends and what a file that is no table says.

import Files
import MTLFast
import TestSupport
import Testing

@testable import MTLFastData

struct CSVTableTests {
  private func table(_ text: String) throws -> CSVTable { try CSVTable(text: text, path: "t.csv") }

  private func rows(_ table: CSVTable) -> [[String]] {
    (0..<table.rowCount).map { row in table.header.indices.map { table[row, $0] } }
  }

  @Test(arguments: ["\n", "\r\n"]) func readsQuotedFields(end: String) throws {
    let text = ["a,b,c", "1,\"x, y\",", "\"\",\"say \"\"hi\"\"\",\"two\(end)lines\"", " s ,\"\"\"\",é"]
    for last in ["", end, end + end] {
      let table = try table(text.joined(separator: end) + last)
      #expect(table.header == ["a", "b", "c"])
      #expect(rows(table) == [["1", "x, y", ""], ["", "say \"hi\"", "two\(end)lines"], [" s ", "\"", "é"]])
      #expect((0..<3).map(table.line(ofRow:)) == [2, 3, 5])
    }
  }

  @Test func readsFilesWithAByteOrderMark() throws {
    let folder = try TemporaryFolder()
    let text = [0xef, 0xbb, 0xbf] + Array("\"a\",b\n1,2\n".utf8)
    for (name, bytes) in [("plain.csv", text), ("t.csv.gz", try gzip(text))] {
      let table = try CSVTable(path: folder.write(bytes, to: name))
      #expect(table.header == ["a", "b"])
      #expect(rows(table) == [["1", "2"]])
    }
    let long = Array("a\n".utf8) + (0..<300_000).flatMap { _ in Array("12345\n".utf8) }
    #expect(try CSVTable(path: folder.write(gzip(long), to: "long.csv.gz")).rowCount == 300_000)
  }

  @Test func aCarriageReturnAloneIsText() throws {
    #expect(rows(try table("a,b\n1\r2,3\n")) == [["1\r2", "3"]])
  }

  @Test func oneColumnMayHaveEmptyCells() throws {
    #expect(rows(try table("a\n1\n\n2\n")) == [["1"], [""], ["2"]])
    #expect(try table("a,b\n").rowCount == 0)
  }

  @Test func findsColumns() throws {
    #expect(try table("a,b\n").column("b") == 1)
    expectError(
      .badData,
      "t.csv:1: unknown column 'wieght' in the header. Known columns: size, weight. Did you mean 'weight'?"
    ) { try table("size,weight\n1,2\n").column("wieght") }
  }

  // MARK: Errors

  @Test(arguments: ["", "\n\n", "\u{feff}"]) func emptyFile(text: String) {
    expectError(.badData, "t.csv:1: is empty. The first line has to name the columns.") { try table(text) }
  }

  @Test func missingFile() {
    expectError(.missingInput, "/no/t.csv: can't be opened (No such file or directory). Check the path.") {
      try CSVTable(path: "/no/t.csv")
    }
  }

  @Test func duplicateColumn() {
    expectError(.badData, "t.csv:1: columns 1 and 3 are both named 'a'. Rename one of them.") {
      try table("a,b,a\n1,2,3\n")
    }
  }

  @Test(arguments: [("1", 1), ("1,2,3", 3), ("", 1)]) func anotherNumberOfFields(row: String, count: Int) {
    expectError(
      .badData,
      "t.csv:4: has \(count) fields but the header has 2. Quote fields that hold commas, or add what is missing."
    ) { try table("a,b\n\"1\n\",2\n\(row)\n1,2\n") }
  }

  @Test func quoteThatIsNeverClosed() {
    expectError(.badData, "t.csv:3: opens a quote that is never closed. Close it.") {
      try table("a,b\n1,2\n3,\"4\n5,6\n")
    }
  }

  @Test func misplacedQuotes() {
    expectError(
      .badData, "t.csv:2: goes on after the quote that ends a field. Double quotes inside a field."
    ) { try table("a,b\n\"1\"x,2\n") }
    expectError(
      .badData,
      "t.csv:2: has a quote inside a field that doesn't begin with one. Quote the whole field and double the quote."
    ) { try table("a,b\n1\",2\n") }
  }

  @Test func notUTF8() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write(Array("a,b\n1,2\n".utf8) + [0x4d, 0xfc] + Array(",3\n".utf8), to: "t.csv")
    expectError(.badData, "\(path):3: is not UTF-8 text. Save the table as UTF-8.") { try CSVTable(path: path) }
  }
}
