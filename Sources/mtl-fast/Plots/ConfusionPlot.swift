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
    var script = GnuplotScript(width: 900, height: 800)
    let shares = matrix.percentages
    let cells = script.data(
      shares.map { $0.map { GnuplotScript.number(($0 * 100).rounded() / 100) }.joined(separator: " ") })
    script.add("set title \(GnuplotScript.quoted(lines: titles))")
    script.add("set xlabel 'predicted class'")
    script.add("set ylabel 'true class'")
    script.add("set size ratio 1")
    script.add("set xrange [-0.5:\(size).0-0.5]")
    script.add("set yrange [\(size).0-0.5:-0.5]")
    script.add("set cbrange [0:100]")
    script.add("set cblabel 'share of the true class (%)'")
    script.add(
      "set palette defined (0 '#f7fbff', 10 '#deebf7', 30 '#9ecae1', 60 '#4292c6', 85 '#08519c', 100 '#08306b')")
    script.add("unset key")
    script.add("set tics nomirror out scale 0.5")
    if size <= Self.mostNames {
      let names = matrix.classes.enumerated().map { index, name in
        "\(GnuplotScript.quoted(GnuplotScript.shortened(name, to: 22))) \(index)"
      }.joined(separator: ", ")
      let isShort = size <= 12 && matrix.classes.allSatisfy { $0.count <= 60 / size }
      script.add("set xtics \(isShort ? "" : "rotate by 45 right ")(\(names))")
      script.add("set ytics (\(names))")
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
