// SPDX-License-Identifier: Apache-2.0
// Relative gains, and what a difference allows to say.

import MTLFast
import MTLFastTraining
import Testing

@Suite struct TaskComparisonTests {
  private func comparison(_ metric: Metric, _ together: [Double?], _ alone: [Double?]) -> TaskComparison {
    TaskComparison(task: "t", metric: metric, together: together, alone: alone)
  }

  @Test func gainsHaveTheSignOfTheMetric() {
    #expect(comparison(.accuracy, [0.6], [0.5]).relativeGain.map { abs($0 - 20) < 1e-9 } == true)
    #expect(comparison(.rootMeanSquaredError, [4], [5]).relativeGain == 20)
    #expect(comparison(.r2, [-0.5], [-1]).relativeGain == 50)
    #expect(comparison(.accuracy, [0.6], [0]).relativeGain == nil)
    #expect(comparison(.accuracy, [0.6, nil], [0.5, 0.5]).relativeGain == nil)
  }

  @Test func deltaMIsTheMeanOverTasksOfEachSeed() {
    let tasks = [comparison(.r2, [0.75, 0.5], [0.5, 0.5]), comparison(.meanAbsoluteError, [4, 3], [4, 4])]
    // Seeds: (50 + 0) / 2 and (0 + 25) / 2.
    #expect(tasks.meanRelativeGain?.mean == 18.75)
    #expect(tasks.meanRelativeGain?.count == 2)
    #expect((tasks + [comparison(.accuracy, [0.5, 0.5], [0, 0.5])]).meanRelativeGain == nil)
    #expect([TaskComparison]().meanRelativeGain == nil)
  }

  @Test func verdicts() throws {
    func verdict(_ values: [Double], p: Double? = 0.01, isGain: Bool = true) -> Verdict {
      Verdict(MeanEstimate(values), p: p, isGain: isGain)
    }
    func interval(_ values: [Double]) throws -> ClosedRange<Double> { try #require(MeanEstimate(values)?.interval) }
    #expect(verdict([]) == .missing)
    #expect(verdict([0.5]) == .oneSeed)
    #expect(verdict([0, 0, 0]) == .identical)
    #expect(verdict([0.5, 0.5]) == .noSpread)
    #expect(verdict([-1, 1, 0.5]) == .notShown(try interval([-1, 1, 0.5])))
    let better = [1, 1.1, 0.9]
    #expect(verdict(better) == .shown(try interval(better), isBetter: true))
    #expect(verdict(better, isGain: false) == .shown(try interval(better), isBetter: false))
    #expect(verdict(better.map { -$0 }, isGain: false) == .shown(try interval(better.map { -$0 }), isBetter: true))
    #expect(verdict(better, p: 0.05) == .uncertain(try interval(better), isBetter: true, p: 0.05))
    // The direction is the metric's.
    #expect(comparison(.meanAbsoluteError, [4, 3.9, 4.1], [5, 5, 5]).verdict(p: 0.01) != .missing)
    if case .shown(_, let isBetter) = comparison(.meanAbsoluteError, [4, 3.9, 4.1], [5, 5, 5]).verdict(p: 0.01) {
      #expect(isBetter)
    } else {
      Issue.record("an error that is smaller with every seed")
    }
  }
}
