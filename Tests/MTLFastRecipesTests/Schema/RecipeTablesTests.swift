// SPDX-License-Identifier: Apache-2.0
// The tables of docs/recipes.md are those that the declarations of the keys make.

import Foundation
import MTLFastRecipes
import TestSupport
import Testing

@Suite struct RecipeTablesTests {
  private static let file = packageFolder.appendingPathComponent("docs/recipes.md")

  private static func markdown(_ table: RecipeTable) -> String {
    func line(_ cells: [String]) -> String {
      "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
    }
    return ([line(table.header), line(table.header.map { _ in "---" })] + table.rows.map(line)).joined(separator: "\n")
  }

  /// `MTLF_WRITE_DOCS=1 swift test --filter RecipeTablesTests` writes them anew.
  @Test func theDocumentationHoldsThem() throws {
    var text = try String(contentsOf: Self.file, encoding: .utf8)
    let written = text
    for table in RecipeTable.all {
      let (start, end) = ("<!-- keys: \(table.name) -->\n", "\n<!-- end of keys -->")
      let opening = try #require(text.range(of: start), "docs/recipes.md has no '\(start)'")
      let closing = try #require(text.range(of: end, range: opening.upperBound..<text.endIndex))
      text.replaceSubrange(opening.upperBound..<closing.lowerBound, with: Self.markdown(table))
    }
    if ProcessInfo.processInfo.environment["MTLF_WRITE_DOCS"] != nil {
      try text.write(to: Self.file, atomically: true, encoding: .utf8)
    } else {
      #expect(text == written, "Write them anew: MTLF_WRITE_DOCS=1 swift test --filter RecipeTablesTests")
    }
  }

  @Test func everyKeySaysWhatItMeans() {
    for table in RecipeTable.all {
      #expect(!table.rows.isEmpty)
      for row in table.rows {
        #expect(row.count == table.header.count && row.last?.isEmpty == false && row.last?.hasSuffix(".") == false)
      }
    }
  }
}
