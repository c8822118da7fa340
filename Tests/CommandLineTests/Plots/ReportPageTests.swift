// SPDX-License-Identifier: Apache-2.0
// The page stands alone, and no name becomes markup.

import Foundation
import MTLFast
import Testing

@testable import mtl_fast

@Suite struct ReportPageTests {
  let runs: LoggedRuns
  init() throws { runs = try LoggedRuns() }

  @Test func namesAreEscaped() {
    #expect(ReportPage.escaped("<b a=\"1\"> & 'c'\u{7}") == "&lt;b a=&quot;1&quot;&gt; &amp; &#39;c&#39;\u{fffd}")
  }

  @Test func thePageNeedsNothingBesideItself() throws {
    let odd = "<script>alert('&')</script>"
    let run = try runs.addRising("run", steps: 10, from: 40, tasks: [odd])
    let plots = try RunPlots(title: odd, groups: [PlotGroup(name: odd, runs: [(run, nil)])])
    var table = TextTable([(odd, .left), ("loss", .right)])
    table.add([odd, "0.5"])
    let path = "\(runs.path)/report.html"
    try ReportPage(
      title: odd, tables: [(odd, table)], pictures: try plots.draw(into: "\(runs.path)/plots"), notes: [odd],
      texts: [(odd, odd)]
    ).write(to: path)
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(!text.contains("<script"))
    #expect(text.contains("<td>&lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;</td><td class=\"number\">0.5</td>"))
    // The names of XML's vocabularies are no addresses that anything is fetched from.
    let rest = text.replacing("http://www.w3.org/2000/svg", with: "").replacing(
      "http://www.w3.org/1999/xlink", with: "")
    #expect(!rest.contains("http") && !rest.contains("//") && !rest.contains("url("))
    #expect(try XMLDocumentCheck.isWellFormed(text))
    #expect(text.components(separatedBy: "<svg").count == 4)
  }

  @Test func aPictureThatIsGoneIsTold() {
    let page = ReportPage(
      title: "t", tables: [], pictures: [Picture(title: "p", name: "p", folder: runs.path)], notes: [])
    #expect(throws: MTLFastError.self) { try page.html() }
  }
}
