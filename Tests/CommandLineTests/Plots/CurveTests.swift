// SPDX-License-Identifier: Apache-2.0
// What is drawn of values: averages, means over runs, fewer points, the part of the axis.

import Testing

@testable import mtl_fast

@Suite struct CurveTests {
  @Test func theAverageIsOfTheLastValues() {
    #expect(movingAverage([1, 3, 5, 7], window: 2) == [1, 3, 4, 6])
    // At the beginning it is of the last half: 1, 2, 2...3, 3...4, and then of 3 values.
    #expect(movingAverage([1, 2, 3, 4, 5, 6, 7], window: 3) == [1, 2, 2.5, 3.5, 4, 5, 6])
    #expect(movingAverage([4, 8, 1], window: 1) == [4, 8, 1])
    #expect(movingAverage([], window: 5) == [])
  }

  @Test func missingValuesDoNotCount() {
    let average = movingAverage([.nan, 2, .nan, 4, .nan, .nan, .nan], window: 2)
    #expect(average[0].isNaN && average[5].isNaN && average[6].isNaN)
    #expect(Array(average[1...4]) == [2, 2, 4, 4])
  }

  @Test(arguments: [(0, 1), (4, 1), (300, 60), (1000, 200), (100_000, 200)])
  func shortTrainingsAreAveragedOverFewerSteps(steps: Int, window: Int) {
    #expect(averagingWindow(steps: steps) == window)
  }

  @Test func severalRunsAreAMeanAndASpan() {
    let curve = Curve(x: [1, 2, 3], runs: [[1, 5, 9], [3, .nan, 9, 9], [8, 7]])
    #expect(curve.runs == 3)
    #expect(
      curve.points == [Curve.Point(x: 1, mean: 4, low: 1, high: 8), Curve.Point(x: 2, mean: 6, low: 5, high: 7)])
    #expect(Curve(x: [1], runs: [[.nan]]).isEmpty)
    #expect(Curve(x: [1], runs: []).isEmpty)
  }

  @Test func longCurvesKeepTheirEnds() {
    let curve = Curve(x: (1...100_000).map(Double.init), runs: [(1...100_000).map(Double.init)])
    let thin = curve.thinned()
    #expect(thin.points.count == 2000)
    #expect(thin.points.first?.x == 1 && thin.points.last?.x == 100_000)
    let distances = zip(thin.points, thin.points.dropFirst()).map { $1.x - $0.x }
    #expect(distances.allSatisfy { $0 == 50 || $0 == 51 })
    #expect(curve.thinned(to: 200_000) == curve)
  }

  @Test func valuesFarOutDoNotFlattenTheOthers() throws {
    let usual = (0...999).map { Double($0) / 1000 }
    let all = try #require(axisRange([-1000] + usual))
    #expect(all.lowerBound > -1 && all.upperBound > 0.999)
    // A steep beginning is shown.
    let steep = try #require(axisRange([2.5, 2.2] + usual))
    #expect(steep.contains(2.5))
    #expect(axisRange([.nan]) == nil)
    let flat = try #require(axisRange([7, 7]))
    #expect(flat.lowerBound < 7 && flat.upperBound > 7)
  }
}
