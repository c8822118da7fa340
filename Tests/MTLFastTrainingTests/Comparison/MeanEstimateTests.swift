// SPDX-License-Identifier: Apache-2.0
// Means, intervals, paired t tests and their adjustment.

import MTLFastTraining
import Testing

@Suite struct MeanEstimateTests {
  @Test func pairsOfFourSeeds() throws {
    let estimate = try #require(
      MeanEstimate(of: [0.912, 0.905, 0.921, 0.917], minus: [0.908, 0.9, 0.919, 0.909]))
    let interval = try #require(estimate.interval)
    #expect(abs(estimate.mean - 0.00475) < 1e-12)
    #expect(abs(try #require(estimate.standardDeviation) - 0.0025) < 1e-12)
    #expect(abs(interval.lowerBound - 0.0007719421183953658) < 1e-12)
    #expect(abs(interval.upperBound - 0.008728057881604643) < 1e-12)
    #expect(abs(try #require(estimate.p) - 0.03200458906263885) < 1e-10)
  }

  @Test func oneValueHasNoInterval() {
    let one = MeanEstimate([0.3])
    #expect(one?.mean == 0.3 && one?.count == 1)
    #expect(one?.standardDeviation == nil && one?.interval == nil && one?.p == nil)
    #expect(MeanEstimate([]) == nil && MeanEstimate([1, .nan]) == nil)
  }

  @Test func equalValuesSayNothingAboutTheirSpread() {
    // 0.3 - 0.2 and 0.4 - 0.3 differ in their last bits.
    for estimate in [MeanEstimate([2, 2, 2]), MeanEstimate(of: [0.3, 0.4], minus: [0.2, 0.3])] {
      #expect(estimate?.standardDeviation == 0 && estimate?.interval == nil && estimate?.p == nil)
    }
    // In a small unit it is still a spread.
    #expect(MeanEstimate(of: [3e-13, 5e-13], minus: [1e-13, 1e-13])?.interval != nil)
  }

  @Test func aSeedWithoutAScoreIsLeftOut() {
    let estimate = MeanEstimate(of: [1, nil, 3, 4], minus: [0, 1, nil, 1])
    #expect(estimate?.count == 2 && estimate?.mean == 2)
    #expect(MeanEstimate(of: [nil, 1], minus: [1, nil]) == nil)
  }

  @Test func holm() {
    #expect(holmAdjusted([0.01, 0.04, 0.03]) == [0.03, 0.06, 0.06])
    #expect(holmAdjusted([0.6, nil, 0.5]) == [1, nil, 1])
    #expect(holmAdjusted([nil]) == [nil] && holmAdjusted([]).isEmpty)
    #expect(holmAdjusted([0.02]) == [0.02])
  }
}
