// SPDX-License-Identifier: Apache-2.0
// A task's sums over samples, and the metrics that follow from them.

import Kernels
import MTLFast

/// What a head's losses and predictions add up to. Sums of parts are the sum of the whole.
public struct TaskSum: Sendable, Equatable {
  /// Of the losses of present samples, times their class's weight.
  public var loss = 0.0
  /// Of these weights.
  public var weight = 0.0
  /// Samples with a label.
  public var present = 0
  /// Of classes: how often the label had each rank among the logits, then how often each class was the label, then how
  /// often it was also the prediction; with parents then samples, and those of them that are consistent.
  /// Of masks: true negatives, false positives, false negatives, true positives of each mask. Of classes of pixels: the
  /// confusion matrix, true x predicted.
  public var counts: [Int]
  /// Of a regression, for each target: count, sum |e|, sum e^2, sum t, sum t^2, in the node's unit.
  public var sums: [Double]

  public init(loss: Double = 0, weight: Double = 0, present: Int = 0, counts: [Int] = [], sums: [Double] = []) {
    self.loss = loss
    self.weight = weight
    self.present = present
    self.counts = counts
    self.sums = sums
  }

  /// All zero, for a head.
  init(of head: Head) {
    self.init()
    let names = head.task.names.count
    switch head.task {
    case .classification: counts = [Int](repeating: 0, count: 3 * names + (head.hierarchy == nil ? 0 : 2))
    case .regression: sums = [Double](repeating: 0, count: names * regressionSums)
    case .segmentation: counts = [Int](repeating: 0, count: names * names)
    case .masks: counts = [Int](repeating: 0, count: names * 4)
    }
  }

  static func += (sum: inout TaskSum, other: TaskSum) {
    sum.loss += other.loss
    sum.weight += other.weight
    sum.present += other.present
    for index in sum.counts.indices { sum.counts[index] += other.counts[index] }
    for index in sum.sums.indices { sum.sums[index] += other.sums[index] }
  }

  mutating func reset() {
    (loss, weight, present) = (0, 0, 0)
    for index in counts.indices { counts[index] = 0 }
    for index in sums.indices { sums[index] = 0 }
  }

  /// Loss and metrics; nil where nothing was present.
  func score(of head: Head, confusion: [[Int]]? = nil) -> TaskScore {
    TaskScore(
      loss: weight > 0 ? loss / weight : nil, metrics: head.metrics.map { ($0, value(of: $0, head)) }, present: present,
      confusion: confusion ?? pixelConfusion(of: head))
  }

  private func pixelConfusion(of head: Head) -> [[Int]]? {
    guard case .segmentation(let names) = head.task else { return nil }
    return names.indices.map { Array(counts[$0 * names.count..<($0 + 1) * names.count]) }
  }

  private func value(of metric: Metric, _ head: Head) -> Double? {
    switch head.task {
    case .classification(let names): classValue(of: metric, classes: names.count)
    case .regression(let targets): mean(targets.indices.map { regressionValue(of: metric, targets[$0], at: $0) })
    case .segmentation(let names): overlap(metric, overlaps: names.indices.map { classOverlap($0, of: names.count) })
    case .masks(let names):
      overlap(
        metric,
        overlaps: names.indices.map { mask in
          let at = mask * 4
          return Overlap(
            intersection: counts[at + 3], labelled: counts[at + 2] + counts[at + 3],
            predicted: counts[at + 1] + counts[at + 3], correct: counts[at] + counts[at + 3],
            all: counts[at..<at + 4].reduce(0, +))
        })
    }
  }

  private func classValue(of metric: Metric, classes: Int) -> Double? {
    switch metric {
    case .accuracy: ratio(counts[0], present)
    case .topK(let k): ratio(counts[0..<min(k, classes)].reduce(0, +), present)
    case .balancedAccuracy:
      mean((0..<classes).map { ratio(counts[2 * classes + $0], counts[classes + $0]) }.filter { $0 != nil })
    case .consistency:
      counts.count > 3 * classes ? ratio(counts[3 * classes + 1], counts[3 * classes]) : nil
    default: nil
    }
  }

  private func regressionValue(of metric: Metric, _ target: RegressionTarget, at index: Int) -> Double? {
    let at = index * regressionSums
    let count = sums[at]
    guard count > 0 else { return nil }
    let unit = Double(target.standardDeviation)
    switch metric {
    case .meanAbsoluteError: return sums[at + 1] / count * unit
    case .rootMeanSquaredError: return (sums[at + 2] / count).squareRoot() * unit
    case .r2:
      let deviation = sums[at + 4] - sums[at + 3] * sums[at + 3] / count
      return deviation > 0 ? 1 - sums[at + 2] / deviation : nil
    default: return nil
    }
  }

  /// Pixels of one class or mask.
  private struct Overlap {
    var intersection = 0, labelled = 0, predicted = 0, correct = 0, all = 0
  }

  private func classOverlap(_ index: Int, of classes: Int) -> Overlap {
    var overlap = Overlap()
    for other in 0..<classes {
      overlap.labelled += counts[index * classes + other]
      overlap.predicted += counts[other * classes + index]
    }
    overlap.intersection = counts[index * classes + index]
    // Correct and all pixels of the whole are the sums over the classes.
    overlap.correct = overlap.intersection
    overlap.all = overlap.labelled
    return overlap
  }

  private func overlap(_ metric: Metric, overlaps: [Overlap]) -> Double? {
    switch metric {
    case .pixelAccuracy: return ratio(overlaps.reduce(0) { $0 + $1.correct }, overlaps.reduce(0) { $0 + $1.all })
    case .intersectionOverUnion:
      return mean(
        overlaps.map { ratio($0.intersection, $0.labelled + $0.predicted - $0.intersection) }.filter { $0 != nil })
    case .dice:
      return mean(overlaps.map { ratio(2 * $0.intersection, $0.labelled + $0.predicted) }.filter { $0 != nil })
    default: return nil
    }
  }

  private func ratio(_ part: Int, _ whole: Int) -> Double? { whole > 0 ? Double(part) / Double(whole) : nil }

  /// nil where there is nothing, or something is missing.
  private func mean(_ values: [Double?]) -> Double? {
    guard !values.isEmpty, values.allSatisfy({ $0 != nil }) else { return nil }
    return values.reduce(0) { $0 + ($1 ?? 0) } / Double(values.count)
  }
}
