// SPDX-License-Identifier: Apache-2.0
// The mean of a few values, and how sure it is.

/// Mean and spread of values, one for each seed; of paired differences the paired t test.
///
///     let differences = MeanEstimate([0.2, 0.5, 0.3])
///     differences?.mean       // 0.333...
///     differences?.interval   // -0.046...0.713
///
/// Interval and p assume that the values are drawn independently from a normal distribution: Student, "The probable
/// error of a mean", Biometrika 6 (1908).
public struct MeanEstimate: Sendable, Equatable {
  public let count: Int
  public let mean: Double
  /// Of the values, with `count` - 1; nil for a single one.
  public let standardDeviation: Double?
  /// The 95 % interval of the mean, with `count` - 1 degrees of freedom; nil for a single value, and where all values are
  /// the same, which says nothing about their spread.
  public let interval: ClosedRange<Double>?
  /// Two-sided, of the hypothesis that the mean is 0; nil where there is no interval.
  public let p: Double?

  /// nil without values.
  public init?(_ values: [Double]) { self.init(values, roundedAt: values.map(\.magnitude).max() ?? 0) }

  /// - Parameter magnitude: the largest of the numbers that the values were made of, which bounds their rounding.
  private init?(_ values: [Double], roundedAt magnitude: Double) {
    guard !values.isEmpty, values.allSatisfy(\.isFinite) else { return nil }
    count = values.count
    let mean = values.reduce(0, +) / Double(values.count)
    self.mean = mean
    guard count > 1 else {
      (standardDeviation, interval, p) = (nil, nil, nil)
      return
    }
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let deviation = (squares / Double(count - 1)).squareRoot()
    // Equal differences of unequal values differ in their last bits.
    guard deviation > 1e-12 * magnitude else {
      (standardDeviation, interval, p) = (0, nil, nil)
      return
    }
    standardDeviation = deviation
    let distribution = TDistribution(degreesOfFreedom: count - 1)
    let error = deviation / Double(count).squareRoot()
    let width = distribution.quantile(0.975) * error
    interval = mean - width...mean + width
    p = distribution.twoSidedTail(mean / error)
  }

  /// Of a - b, where both are known; nil where that is nowhere.
  public init?(of a: [Double?], minus b: [Double?]) {
    let pairs = zip(a, b).compactMap { a, b in a.flatMap { a in b.map { (a, $0) } } }
    self.init(
      pairs.map { $0 - $1 }, roundedAt: pairs.map { max($0.magnitude, $1.magnitude) }.max() ?? 0)
  }
}

/// p values of several tests, adjusted so that the chance of one false finding among all stays below their level:
/// S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979).
///
///     holmAdjusted([0.01, 0.04, 0.03])  // [0.03, 0.06, 0.06]
///
/// A test without a p value is no test.
public func holmAdjusted(_ values: [Double?]) -> [Double?] {
  let order = values.indices.filter { values[$0] != nil }.sorted {
    let (a, b) = (values[$0] ?? 1, values[$1] ?? 1)
    return a != b ? a < b : $0 < $1
  }
  var adjusted = [Double?](repeating: nil, count: values.count)
  var largest = 0.0
  for (rank, index) in order.enumerated() {
    largest = max(largest, min(1, Double(order.count - rank) * (values[index] ?? 1)))
    adjusted[index] = largest
  }
  return adjusted
}
