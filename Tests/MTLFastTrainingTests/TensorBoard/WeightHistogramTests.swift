// SPDX-License-Identifier: Apache-2.0
// Histograms against a plain count.

import Testing

@testable import MTLFastTraining

@Suite struct WeightHistogramTests {
  private func values(_ count: Int) -> [Float] {
    var state: UInt32 = 7
    return (0..<count).map { _ in
      state = state &* 1_664_525 &+ 1_013_904_223
      let uniform = Float(state >> 8) / Float(1 << 24) - 0.5
      return uniform * uniform * uniform * 8
    }
  }

  @Test(arguments: [2, 3, 7, 8, 9, 50, 1003, 20000])
  func likeAPlainCount(count: Int) throws {
    let values = values(count)
    let histogram = WeightHistogram(values)
    let (least, greatest) = try (Double(#require(values.min())), Double(#require(values.max())))
    #expect(histogram.minimum == least && histogram.maximum == greatest && histogram.count == count)
    let sum = values.reduce(0) { $0 + Double($1) }
    let squares = values.reduce(0) { $0 + Double($1) * Double($1) }
    #expect(abs(histogram.sum - sum) < 1e-10 * Double(count))
    #expect(abs(histogram.sumOfSquares - squares) < 1e-10 * Double(count))
    #expect(histogram.limits.count == WeightHistogram.bucketCount && histogram.limits.last == greatest)
    var plain = [Double](repeating: 0, count: histogram.limits.count)
    for value in values {
      plain[histogram.limits.firstIndex { Double(value) < $0 } ?? plain.count - 1] += 1
    }
    #expect(histogram.counts == plain)
  }

  @Test func nothingAndOneValue() {
    #expect(WeightHistogram([]).counts.isEmpty && WeightHistogram([]).limits.isEmpty)
    let zeros = WeightHistogram([Float](repeating: 0, count: 11))
    #expect(zeros.limits == [0] && zeros.counts == [11] && zeros.count == 11)
  }

  @Test func whatIsNotFiniteIsLeftOut() {
    let histogram = WeightHistogram([1, .nan, 3, .infinity, -.infinity, 2, 2, 1, 1, 1])
    #expect(histogram.count == 7 && histogram.minimum == 1 && histogram.maximum == 3)
    #expect(histogram.sum == 11 && histogram.sumOfSquares == 21)
    #expect(histogram.counts.reduce(0, +) == 7)
    #expect(WeightHistogram([.nan, .infinity]).counts.isEmpty)
    let widest = WeightHistogram([-.greatestFiniteMagnitude, .greatestFiniteMagnitude])
    #expect(widest.counts.first == 1 && widest.counts.last == 1)
    let narrowest = WeightHistogram([0, .leastNonzeroMagnitude])
    #expect(narrowest.counts.first == 1 && narrowest.counts.last == 1)
  }
}
