// SPDX-License-Identifier: Apache-2.0
// One task, learnt together with others and alone: scores by seed, their difference, and what it shows.

import MTLFast

/// The scores of one task from nets that learn all tasks and from nets that learn it alone, seed by seed.
public struct TaskComparison: Sendable, Equatable {
  public let task: String
  public let metric: Metric
  /// By seed; nil where the metric is not defined.
  public let together: [Double?]
  public let alone: [Double?]

  public init(task: String, metric: Metric, together: [Double?], alone: [Double?]) {
    self.task = task
    self.metric = metric
    self.together = together
    self.alone = alone
  }

  /// Together minus alone, in pairs of the same seed.
  public var difference: MeanEstimate? { MeanEstimate(of: together, minus: alone) }

  /// The gain of a seed in percent of the score alone, above 0 where together is better; nil where a score is missing or
  /// the one alone is 0.
  public func relativeGain(ofSeed index: Int) -> Double? {
    guard let together = together[index], let alone = alone[index], alone != 0 else { return nil }
    let gain = (together - alone) / alone.magnitude * 100
    return metric.isBetter(1, than: 0) ? gain : -gain
  }

  /// The mean of the seeds' relative gains; nil where one of them is.
  public var relativeGain: Double? {
    let gains = together.indices.compactMap(relativeGain(ofSeed:))
    return gains.count == together.count ? MeanEstimate(gains)?.mean : nil
  }

  /// - Parameter p: adjusted over the tasks.
  public func verdict(p: Double?) -> Verdict { Verdict(difference, p: p, isGain: metric.isBetter(1, than: 0)) }
}

extension [TaskComparison] {
  /// Delta m: the mean over tasks of the relative gain in percent, of each seed, estimated over the seeds.
  ///
  /// K.-K. Maninis, I. Radosavovic, I. Kokkinos, "Attentive Single-Tasking of Multiple Tasks", CVPR 2019. nil where a gain
  /// is not defined for some seed.
  public var meanRelativeGain: MeanEstimate? {
    guard let seeds = map(\.together.count).min(), seeds > 0 else { return nil }
    let gains = (0..<seeds).compactMap { seed -> Double? in
      let gains = compactMap { $0.relativeGain(ofSeed: seed) }
      return gains.count == count ? gains.reduce(0, +) / Double(count) : nil
    }
    return gains.count == seeds ? MeanEstimate(gains) : nil
  }
}

/// What a difference over a few seeds allows to say.
public enum Verdict: Sendable, Equatable {
  /// There is no seed with both scores.
  case missing
  /// One seed: there is no interval.
  case oneSeed
  /// The same result with every seed.
  case identical
  /// The same difference with every seed: its spread is unknown.
  case noSpread
  /// The interval includes 0.
  case notShown(ClosedRange<Double>)
  /// The interval excludes 0, but the adjusted p is 0.05 or more.
  case uncertain(ClosedRange<Double>, isBetter: Bool, p: Double)
  /// The interval excludes 0, and so does the adjusted test.
  case shown(ClosedRange<Double>, isBetter: Bool)

  /// - Parameters:
  ///   - p: the test's, adjusted where there are several.
  ///   - isGain: whether a difference above 0 is better.
  public init(_ difference: MeanEstimate?, p: Double?, isGain: Bool) {
    guard let difference else {
      self = .missing
      return
    }
    guard let interval = difference.interval, let p else {
      self =
        difference.count == 1 ? .oneSeed : difference.mean == 0 ? .identical : .noSpread
      return
    }
    guard !interval.contains(0) else {
      self = .notShown(interval)
      return
    }
    let isBetter = (interval.lowerBound > 0) == isGain
    self = p < 0.05 ? .shown(interval, isBetter: isBetter) : .uncertain(interval, isBetter: isBetter, p: p)
  }
}
