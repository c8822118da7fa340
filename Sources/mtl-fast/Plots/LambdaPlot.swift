// SPDX-License-Identifier: Apache-2.0
// The picture of a sweep over lambda.

import MTLFast
import MTLFastTraining

/// Each task's held-out metric against lambda, a panel for each task, the best lambda marked.
struct LambdaPlot {
  let title: String
  let tasks: [(name: String, metric: Metric)]
  /// With a value for each task; nil where there is none.
  let points: [(lambda: Double, values: [Double?])]
  let best: Double?

  init(
    title: String, tasks: [(name: String, metric: Metric)], points: [(lambda: Double, values: [Double?])],
    best: Double?
  ) {
    self.title = title
    self.tasks = tasks
    self.points = points.sorted { $0.lambda < $1.lambda }
    self.best = best
  }

  /// - Throws: `MTLFastError`, as of `Gnuplot.draw`.
  func draw(into folder: String) throws -> Picture {
    let picture = Picture(title: "\(title): lambda", name: "lambda", folder: folder)
    try Gnuplot.draw(script, name: picture.name, into: folder)
    return picture
  }

  var script: GnuplotScript {
    var script = GnuplotScript(height: max(600, 120 + 220 * tasks.count))
    let heading = [
      title, best.map { "held-out scores against lambda, best \(Self.text($0))" } ?? "held-out scores against lambda",
    ]
    script.add("set multiplot layout \(tasks.count),1 title \(GnuplotScript.quoted(lines: heading))")
    script.add("set grid linecolor rgb '#dddddd' linetype 1")
    script.add("set border 3 linecolor rgb '#444444'")
    script.add("set tics nomirror out")
    script.add("unset key")
    // Panels above each other are compared along x: labels of other widths must not shift them.
    script.add("set lmargin 14")
    script.add("set rmargin 4")
    let lambdas = points.map(\.lambda)
    let (first, last) = (lambdas.min() ?? 0, lambdas.max() ?? 1)
    let margin = max(0.02, (last - first) * 0.03)
    script.add("set xrange [\(GnuplotScript.number(first - margin)):\(GnuplotScript.number(last + margin))]")
    if let best {
      script.add(
        "set arrow 1 from first \(best), graph 0 to first \(best), graph 1 nohead linewidth 1.5 dashtype 2 linecolor rgb '\(GnuplotScript.color(1))'"
      )
    }
    for (index, task) in tasks.enumerated() {
      let values = points.map { point in
        (x: point.lambda, y: point.values[index].map(task.metric.axisValue) ?? .nan)
      }
      let all = script.data(values.map { "\(GnuplotScript.number($0.x)) \(GnuplotScript.number($0.y))" })
      let color = "rgb '\(GnuplotScript.color(0))'"
      var parts = ["\(all) using 1:2 with linespoints linewidth 2 pointtype 7 pointsize 1 linecolor \(color)"]
      if let best, let point = values.first(where: { $0.x == best }), !point.y.isNaN {
        let marked = script.data(["\(GnuplotScript.number(point.x)) \(GnuplotScript.number(point.y))"])
        parts.append(
          "\(marked) using 1:2 with points pointtype 7 pointsize 2 linecolor rgb '\(GnuplotScript.color(1))'")
      }
      script.add(
        "set ylabel \(GnuplotScript.quoted(lines: [GnuplotScript.shortened(task.name, to: 24), task.metric.axisTitle]))"
      )
      script.add("set xlabel \(index == tasks.count - 1 ? GnuplotScript.quoted(xTitle) : "''")")
      if let range = axisRange(values.map(\.y)) {
        script.add("set yrange [\(GnuplotScript.number(range.lowerBound)):\(GnuplotScript.number(range.upperBound))]")
      } else {
        script.add("set yrange [0:1]")
      }
      script.add("plot " + parts.joined(separator: ", \\\n  "))
    }
    script.add("unset multiplot")
    script.add("unset arrow")
    return script
  }

  private var xTitle: String {
    guard tasks.count == 2 else { return "lambda" }
    let names = tasks.map { GnuplotScript.shortened($0.name, to: 24) }
    return "lambda: the loss is lambda * \(names[0]) + (1 - lambda) * \(names[1])"
  }

  /// `0.5`, `0.25`
  private static func text(_ lambda: Double) -> String { "\((lambda * 1e6).rounded() / 1e6)" }
}
