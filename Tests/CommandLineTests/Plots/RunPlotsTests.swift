// SPDX-License-Identifier: Apache-2.0
// What is drawn of runs, and how gnuplot is told.

import Foundation
import MTLFast
import MTLFastTraining
import Testing

@testable import mtl_fast

@Suite struct RunPlotsTests {
  let runs: LoggedRuns
  init() throws { runs = try LoggedRuns() }

  @Test func groupsWithSeveralRunsHaveABand() throws {
    let multi = try [40, 50].map { try runs.addRising("multi-\($0)", steps: 100, from: $0) }
    let single = try runs.addRising("single", steps: 100, from: 45, tasks: ["item"])
    let plots = try RunPlots(
      title: "fashion_mnist",
      groups: [
        PlotGroup(name: "multi-task", runs: multi.map { ($0, nil) }),
        PlotGroup(name: "single-task", runs: [(single, ["item"])]),
      ])
    let drawings = plots.drawings
    #expect(
      drawings.map(\.name) == [
        "group-training-accuracy", "group-training-loss", "group-epochs-accuracy", "item-training-accuracy",
        "item-training-loss", "item-epochs-accuracy",
      ])
    let script = drawings[3].script.text(writing: "/tmp/x")
    #expect(script.contains("'fashion_mnist, moving average of 20 steps, fewer at the start'"))
    #expect(script.contains("'multi-task, mean and span of 2 runs'"))
    #expect(script.contains("title 'single-task'"))
    #expect(script.contains("\n1.0 45.3 40.3 50.3\n"))
    #expect(script.components(separatedBy: "filledcurves").count == 3)
  }

  @Test func onlyTheTasksThatAreNamedAreDrawn() throws {
    let run = try runs.addRising("run", steps: 10, from: 40)
    let plots = try RunPlots(title: "t", groups: [PlotGroup(name: "g", runs: [(run, ["group"])])])
    #expect(plots.drawings.allSatisfy { $0.name.hasPrefix("group-") })
  }

  @Test func filesHaveNamesOfTheirOwn() throws {
    let run = try runs.addRising("run", steps: 10, from: 40, tasks: ["a/b", "a b"])
    let plots = try RunPlots(title: "t", groups: [PlotGroup(name: "g", runs: [(run, nil)])])
    let names = try plots.draw(into: "\(runs.path)/plots").map(\.name)
    #expect(Set(names).count == 6)
    #expect(names.contains("a-b-training-loss") && names.contains("a-b-training-loss-2"))
  }

  @Test func noNameReachesGnuplotAsACommand() throws {
    let odd = "<b>&_^ 100% %s it's `touch HERE` @x $(y)"
    #expect(GnuplotScript.quoted("it's\n`x`") == "'it''s `x`'")
    let marker = "\(runs.path)/HERE"
    let name = odd.replacing("HERE", with: marker)
    let run = try runs.addRising("run", steps: 10, from: 40, tasks: [name])
    let plots = try RunPlots(title: name, groups: [PlotGroup(name: name, runs: [(run, nil)])])
    let picture = try #require(try plots.draw(into: "\(runs.path)/plots").first)
    #expect(!FileManager.default.fileExists(atPath: marker))
    let svg = try String(contentsOfFile: picture.svgPath, encoding: .utf8)
    #expect(!svg.contains("<b>"))
    #expect(svg.contains("&lt;b>&amp;_^ 100% %s it's"))
    #expect(try XMLDocumentCheck.isWellFormed(svg))
  }

  /// gnuplot takes the names beside an axis for formats of numbers.
  @Test func classesWithPercentSignsKeepTheirNames() throws {
    #expect(GnuplotScript.ticLabel("100% cotton") == "'100%% cotton'")
    let long = String(repeating: "漢", count: 20) + "%"
    let names = ["50%", "100% cotton", "%s %d", "%%", long]
    let matrix = ConfusionMatrix(
      task: "t", split: "test", epoch: 1, classes: names, counts: names.map { _ in names.map { _ in 1 } })
    try Gnuplot.draw(
      ConfusionPlot(titles: ["50% %s"], matrix: matrix).script, name: "percent", into: "\(runs.path)/plots")
    let svg = try String(contentsOfFile: "\(runs.path)/plots/percent.svg", encoding: .utf8)
    for name in names.dropLast() + ["50% %s", String(repeating: "漢", count: 16)] {
      #expect(svg.contains(">\(name)<"), "\(name)")
    }
  }

  @Test func theLambdaPictureMarksTheBest() throws {
    let plot = LambdaPlot(
      title: "fashion-mnist", tasks: [("item", .accuracy), ("price", .meanAbsoluteError)],
      points: [(1, [0.9, nil]), (0, [nil, 12.5]), (0.5, [0.88, 14])], best: 0.5)
    #expect(plot.points.map(\.lambda) == [0, 0.5, 1])
    let text = plot.script.text(writing: "x")
    #expect(text.contains("\n0.0 NaN\n0.5 88.0\n1.0 90.0\n"))
    #expect(text.contains("set arrow 1 from first 0.5"))
    let picture = try plot.draw(into: "\(runs.path)/plots")
    #expect(picture.name == "lambda" && FileManager.default.fileExists(atPath: picture.pngPath))
  }

  @Test(arguments: [(2, true), (12, true), (13, false), (31, false), (200, false)])
  func matricesOfEverySizeAreDrawn(classes: Int, hasCounts: Bool) throws {
    let matrix = ConfusionMatrix(
      task: "t", split: "test", epoch: 1, classes: (0..<classes).map { "class_\($0)" },
      counts: (0..<classes).map { row in (0..<classes).map { $0 == row ? 1_234_567 : $0 } })
    let script = ConfusionPlot(titles: ["a", "b"], matrix: matrix).script
    let text = script.text(writing: "x")
    #expect(text.contains("1.2M") == hasCounts)
    #expect(text.contains("class_1'") == (classes <= 30))
    try Gnuplot.draw(script, name: "matrix", into: "\(runs.path)/plots")
    let svg = try String(contentsOfFile: "\(runs.path)/plots/matrix.svg", encoding: .utf8)
    #expect(svg.contains("<image style='image-rendering:pixelated'"))
  }
}

/// Whether a text is well-formed XML.
enum XMLDocumentCheck {
  /// Tags close in the order in which they open, attributes are quoted, and no `&` stands alone.
  static func isWellFormed(_ text: String) throws -> Bool {
    var open: [Substring] = []
    var rest = text[...]
    while let start = rest.firstIndex(of: "<") {
      guard isText(rest[..<start]) else { return false }
      rest = rest[start...]
      if rest.hasPrefix("<?") || rest.hasPrefix("<!") {
        guard let end = rest.firstIndex(of: ">") else { return false }
        rest = rest[rest.index(after: end)...]
        continue
      }
      let tag = /<(\/?)([A-Za-z][-\w:]*)((?:\s+[-\w:]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/
      guard let match = rest.prefixMatch(of: tag), isText(match.3) else { return false }
      if match.1 == "/" {
        guard open.popLast() == match.2 else { return false }
      } else if match.4 != "/" {
        open.append(match.2)
      }
      rest = rest[match.range.upperBound...]
    }
    return open.isEmpty && isText(rest)
  }

  private static func isText(_ text: Substring) -> Bool {
    text.matches(of: /&/).count == text.matches(of: /&(?:[a-z]+|#[0-9]+);/).count
  }
}
