// SPDX-License-Identifier: Apache-2.0
// A picture of curves over iterations or epochs.

/// Curves with a legend below them.
struct CurvePlot {
  enum Axis { case steps, epochs }

  enum Style {
    case line
    /// Lines with a mark at each point: filled for test, open for validation, dotted for training.
    case test, validation, training
  }

  struct Series {
    let title: String
    let curve: Curve
    /// Of the palette.
    let color: Int
    var style = Style.line
  }

  let titles: [String]
  let axis: Axis
  let yTitle: String
  let series: [Series]

  var script: GnuplotScript {
    var script = GnuplotScript(height: 600 + 20 * max(0, legendRows - 2))
    let values = series.flatMap { $0.curve.points.flatMap { [$0.low, $0.high] } }
    let last = series.compactMap { $0.curve.points.last?.x }.max() ?? 1
    script.add("set title \(GnuplotScript.quoted(lines: titles))")
    // The empty line keeps the legend away from it.
    script.add(
      "set xlabel \(GnuplotScript.quoted(lines: [axis == .steps ? "iteration (optimizer steps)" : "epoch", " "]))")
    script.add("set ylabel \(GnuplotScript.quoted(yTitle))")
    script.add("set grid linecolor rgb '#dddddd' linetype 1")
    script.add("set border 3 linecolor rgb '#444444'")
    script.add("set tics nomirror out")
    // The last number stands half beyond the axis.
    script.add("set rmargin 5")
    script.add("set key outside bottom center horizontal Left reverse samplen 3 width 1 height 0.5")
    switch axis {
    case .steps:
      script.add("set format x '%.0f'")
      script.add("set xrange [0:\(GnuplotScript.number(max(1, last)))]")
    case .epochs:
      script.add("set xrange [0.5:\(GnuplotScript.number(last + 0.5))]")
      script.add("set xtics \(max(1, (Int(last) + 14) / 15))")
    }
    if let range = axisRange(values) {
      script.add(
        "set yrange [\(GnuplotScript.number(range.lowerBound)):\(GnuplotScript.number(range.upperBound))]")
    }
    var parts: [String] = []
    for one in series {
      let data = script.data(
        one.curve.thinned().points.map { point in
          [point.x, point.mean, point.low, point.high].map(GnuplotScript.number).joined(separator: " ")
        })
      let color = "rgb '\(GnuplotScript.color(one.color))'"
      if one.curve.runs > 1 {
        // The bands lie below all curves.
        parts.insert(
          "\(data) using 1:3:4 with filledcurves fillcolor \(color) fillstyle transparent solid 0.18 noborder notitle",
          at: 0)
      }
      parts.append("\(data) using 1:2 with \(look(one, color)) title \(GnuplotScript.quoted(title(one)))")
    }
    script.add("plot " + parts.joined(separator: ", \\\n  "))
    return script
  }

  /// As gnuplot will set them, about: columns as wide as the longest title.
  private var legendRows: Int {
    let columns = max(1, 780 / (60 + 9 * (series.map { title($0).count }.max() ?? 0)))
    return (series.count + columns - 1) / columns
  }

  private func title(_ one: Series) -> String {
    let name = GnuplotScript.shortened(one.title, to: 60)
    return one.curve.runs > 1 ? "\(name), mean and span of \(one.curve.runs) runs" : name
  }

  private func look(_ one: Series, _ color: String) -> String {
    // After the palette's end, dashes tell the curves apart.
    let dash = one.color / GnuplotScript.colors.count
    return switch one.style {
    case .line: "lines linewidth 2 dashtype \(dash + 1) linecolor \(color)"
    case .test: "linespoints linewidth 2 dashtype \(dash + 1) pointtype 7 pointsize 1 linecolor \(color)"
    case .validation: "linespoints linewidth 2 dashtype 2 pointtype 6 pointsize 1.2 linecolor \(color)"
    case .training: "linespoints linewidth 1.5 dashtype 3 pointtype 2 pointsize 0.8 linecolor \(color)"
    }
  }
}
