// SPDX-License-Identifier: Apache-2.0
// Estimates, differences and what they show, as people read them.

import MTLFast
import MTLFastTraining

extension Metric {
  /// `90.51% ± 0.12`; of one seed the mean alone, `-` without any.
  func text(_ estimate: MeanEstimate?) -> String {
    guard let estimate else { return "-" }
    let mean = text(estimate.mean)
    guard let deviation = estimate.standardDeviation else { return mean }
    return "\(mean) ± \(isShare ? fixed(deviation * 100, 2) : text(deviation))"
  }

  /// `+0.31`: of shares in points, otherwise in the metric's unit.
  func signed(_ difference: Double?, digits: Int = 2) -> String {
    guard let difference else { return "-" }
    let text = isShare ? fixed(difference * 100, digits) : text(difference)
    return difference < 0 ? text : "+\(text)"
  }

  /// `-0.31...+0.12`; with more digits where a side that isn't 0 would look so.
  func signed(_ interval: ClosedRange<Double>?) -> String {
    guard let interval else { return "-" }
    let nearest = min(interval.lowerBound.magnitude, interval.upperBound.magnitude)
    let digits = interval.contains(0) || nearest >= 5e-5 ? 2 : 4
    return "\(signed(interval.lowerBound, digits: digits))...\(signed(interval.upperBound, digits: digits))"
  }
}

/// `+0.42`, of percent.
func signedPercent(_ value: Double) -> String { (value < 0 ? "" : "+") + fixed(value, 2) }

/// `0.021`, `<0.001`
func probability(_ value: Double?) -> String {
  guard let value else { return "-" }
  return value < 0.001 ? "<0.001" : fixed(value, 3)
}

extension Verdict {
  /// A sentence that claims no more than the interval shows.
  ///
  ///     item: no difference shown: the interval -0.31...+0.12 points includes 0.
  ///
  /// - Parameters:
  ///   - what: what is judged: `item`.
  ///   - interval: an interval in its unit: `-0.31...+0.12 points`.
  ///   - tests: over how many tests p is adjusted.
  func text(of what: String, tests: Int, interval: (ClosedRange<Double>) -> String) -> String {
    switch self {
    case .missing: "\(what): no seed has both scores: nothing can be claimed."
    case .oneSeed: "\(what): one seed: no interval, nothing can be claimed."
    case .identical: "\(what): no difference shown: the same result with every seed."
    case .noSpread: "\(what): the same difference with every seed: no interval, nothing can be claimed."
    case .notShown(let range): "\(what): no difference shown: the interval \(interval(range)) includes 0."
    case .uncertain(let range, let isBetter, let p):
      "\(what): perhaps \(isBetter ? "better" : "worse") together, but not shown: the interval \(interval(range)) excludes 0, yet p is \(probability(p)) when adjusted for \(tests) tasks."
    case .shown(let range, let isBetter):
      "\(what): \(isBetter ? "better" : "worse") together: the interval \(interval(range)) excludes 0."
    }
  }
}

/// Breaks a text at spaces so that no line is wider than 80 columns; later lines are indented.
func wrapped(_ text: String, columns: Int = 80) -> String {
  var lines = [""]
  for word in text.split(separator: " ") {
    let line = lines[lines.count - 1]
    if line.isEmpty || line.count + 1 + word.count <= columns {
      lines[lines.count - 1] += line.isEmpty ? String(word) : " \(word)"
    } else {
      lines.append("  \(word)")
    }
  }
  return lines.joined(separator: "\n")
}
