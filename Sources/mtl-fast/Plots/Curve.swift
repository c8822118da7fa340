// SPDX-License-Identifier: Apache-2.0
// A curve of a picture: what is drawn of one run's values or of several runs'.

/// The mean over runs at each x, and how far the runs are apart.
struct Curve: Equatable {
  struct Point: Equatable {
    let x: Double
    let mean, low, high: Double
  }

  /// In the order of x; NaN where no run has a value.
  var points: [Point]
  /// How many runs it is of.
  let runs: Int

  /// No picture shows more.
  static let mostPoints = 2000

  /// The mean and the span of runs, each as values at the same places; as far as all of them reach.
  ///
  ///     Curve(x: [1, 2, 3], runs: [[1, 2, 3], [3, 4]]).points.map(\.mean)  // [2, 3]
  init(x: [Double], runs: [[Double]]) {
    let count = min(x.count, runs.map(\.count).min() ?? 0)
    points = (0..<count).map { index in
      let values = runs.map { $0[index] }.filter { !$0.isNaN }
      guard let low = values.min(), let high = values.max() else {
        return Point(x: x[index], mean: .nan, low: .nan, high: .nan)
      }
      return Point(x: x[index], mean: values.reduce(0, +) / Double(values.count), low: low, high: high)
    }
    self.runs = runs.count
  }

  /// Keeps points at equal distances, the first and the last among them.
  func thinned(to most: Int = Curve.mostPoints) -> Curve {
    guard points.count > most, most >= 2 else { return self }
    var thin = self
    thin.points = (0..<most).map { points[$0 * (points.count - 1) / (most - 1)] }
    return thin
  }

  var isEmpty: Bool { points.allSatisfy { $0.mean.isNaN } }
}

/// The mean of each value and those before it, `window` in all. At the beginning it is the last half of the values so far:
/// all of them would weigh the first steps until they fall out, and draw a bend that no training has. NaN doesn't count,
/// and stays where there is nothing else.
///
///     movingAverage([1, 3, 5, 7], window: 2)  // [1, 3, 4, 6]
func movingAverage(_ values: [Double], window: Int) -> [Double] {
  var (sum, count, first) = (0.0, 0, 0)
  return values.indices.map { index in
    if !values[index].isNaN { (sum, count) = (sum + values[index], count + 1) }
    while index + 1 - first > min(window, index / 2 + 1) {
      if !values[first].isNaN { (sum, count) = (sum - values[first], count - 1) }
      first += 1
    }
    return count > 0 ? sum / Double(count) : .nan
  }
}

/// The steps that are averaged: 200, fewer where a training is too short for that.
///
///     averagingWindow(steps: 300)  // 60
func averagingWindow(steps: Int) -> Int { max(1, min(200, steps / 5)) }

/// The part of the y axis that shows the values. Rare ones that lie far out (the first steps of an R2) are cut off rather
/// than that all others become a line.
func axisRange(_ values: [Double]) -> ClosedRange<Double>? {
  let sorted = values.filter(\.isFinite).sorted()
  guard var low = sorted.first, var high = sorted.last else { return nil }
  let usual = sorted[(sorted.count - 1) * 2 / 100]...sorted[sorted.count - 1 - (sorted.count - 1) * 2 / 100]
  let span = usual.upperBound - usual.lowerBound
  if span > 0 {
    if low < usual.lowerBound - 10 * span { low = usual.lowerBound - span / 2 }
    if high > usual.upperBound + 10 * span { high = usual.upperBound + span / 2 }
  }
  let margin = high > low ? (high - low) * 0.05 : max(abs(high) * 0.05, 0.5)
  return low - margin...high + margin
}
