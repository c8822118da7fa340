// SPDX-License-Identifier: Apache-2.0
// A picture of a confusion matrix.

/// Cells coloured by the share of the true class; with names where there is room for them, and counts in the cells of small
/// matrices.
struct ConfusionPlot {
  static let mostNames = 30
  static let mostCounts = 12

  let titles: [String]
  let matrix: ConfusionMatrix

  var script: GnuplotScript {
    let size = matrix.classes.count
    let layout = Layout(classes: matrix.classes)
    var script = GnuplotScript(width: Layout.width, height: layout.height)
    let shares = matrix.percentages
    let cells = script.data(
      shares.map { $0.map { GnuplotScript.number(($0 * 100).rounded() / 100) }.joined(separator: " ") })
    script.add("set title \(GnuplotScript.quoted(lines: titles))")
    let number = layout.hasNames ? "" : " (number)"
    script.add("set label 1 'predicted class\(number)' at graph 0.5, screen \(layout.y(14)) center")
    script.add("set label 2 'true class\(number)' at screen \(layout.x(20)), graph 0.5 center rotate")
    script.add("set lmargin at screen \(layout.x(layout.left))")
    script.add("set rmargin at screen \(layout.x(layout.left + layout.side))")
    script.add("set bmargin at screen \(layout.y(layout.bottom))")
    script.add("set tmargin at screen \(layout.y(layout.bottom + layout.side))")
    script.add("set xrange [-0.5:\(size).0-0.5]")
    script.add("set yrange [\(size).0-0.5:-0.5]")
    script.add("set cbrange [0:100]")
    script.add("set cblabel 'share of the true class (%)'")
    script.add(
      "set palette defined (0 '#f7fbff', 10 '#deebf7', 30 '#9ecae1', 60 '#4292c6', 85 '#08519c', 100 '#08306b')")
    script.add("unset key")
    script.add("set tics nomirror out scale 0.5")
    if layout.hasNames {
      let names = layout.names.enumerated().map { "\(GnuplotScript.ticLabel($1)) \($0)" }.joined(separator: ", ")
      script.add("set xtics \(layout.isUpright ? "" : "rotate by 90 right ")font ',\(layout.fontSize)' (\(names))")
      script.add("set ytics font ',\(layout.fontSize)' (\(names))")
    }
    var parts = ["\(cells) matrix with image"]
    if size <= Self.mostCounts {
      for isDark in [false, true] {
        let rows = matrix.counts.enumerated().flatMap { row, counts in
          counts.enumerated().filter { shares[row][$0.offset] >= 50 ? isDark : !isDark }.map {
            "\($0.offset) \(row) \(Self.short($0.element))"
          }
        }
        guard !rows.isEmpty else { continue }
        let color = isDark ? "#ffffff" : "#222222"
        parts.append("\(script.data(rows)) using 1:2:(stringcolumn(3)) with labels textcolor rgb '\(color)'")
      }
    }
    script.add("plot " + parts.joined(separator: ", \\\n  "))
    return script
  }

  /// Where everything lies, in pixels from the left and the bottom. gnuplot's own margins leave long names and square
  /// cells no room beside each other.
  private struct Layout {
    static let width = 900
    let hasNames: Bool
    let names: [String]
    let fontSize: Int
    /// Whether names stand below their columns without being turned.
    let isUpright: Bool
    let left, bottom, side: Int

    init(classes: [String]) {
      hasNames = classes.count <= ConfusionPlot.mostNames
      names = hasNames ? classes.map { GnuplotScript.shortened($0, to: 24) } : []
      fontSize = classes.count > 14 ? 10 : 12
      let longest = (names.map(\.count).max() ?? 3) * (fontSize == 12 ? 10 : 8)
      left = 60 + max(30, longest)
      side = Self.width - left - 130
      isUpright = longest < side / max(1, classes.count) - 8
      bottom = hasNames && !isUpright ? 50 + longest : 70
    }

    var height: Int { bottom + side + 70 }
    func x(_ pixels: Int) -> String { fixed(Double(pixels) / Double(Self.width), 4) }
    func y(_ pixels: Int) -> String { fixed(Double(pixels) / Double(height), 4) }
  }

  /// A count in at most five characters: `1234`, `123k`, `12M`.
  static func short(_ count: Int) -> String {
    switch count {
    case ..<10_000: "\(count)"
    case ..<1_000_000: "\((count + 500) / 1000)k"
    case ..<10_000_000: "\(fixed(Double(count) / 1e6, 1))M"
    default: "\((count + 500_000) / 1_000_000)M"
    }
  }
}
