// SPDX-License-Identifier: Apache-2.0
// How the values of a tensor are spread.

/// Counts of a tensor's finite values in buckets of equal width from the smallest to the largest.
struct WeightHistogram {
  static let bucketCount = 50

  private(set) var minimum = 0.0
  private(set) var maximum = 0.0
  /// Of the values that are counted.
  private(set) var count = 0
  private(set) var sum = 0.0
  private(set) var sumOfSquares = 0.0
  /// The right edge of each bucket, which belongs to the next one; the largest value belongs to the last.
  private(set) var limits: [Double] = []
  private(set) var counts: [Double] = []

  init(_ values: [Float]) {
    values.withUnsafeBufferPointer { measure($0) }
    var values = values
    // The square of a finite Float is a finite Double: the sum tells whether all values are.
    if !sumOfSquares.isFinite {
      values = values.filter(\.isFinite)
      values.withUnsafeBufferPointer { measure($0) }
    }
    values.withUnsafeBufferPointer { distribute($0) }
  }

  private mutating func measure(_ values: UnsafeBufferPointer<Float>) {
    count = values.count
    // Several sums side by side, since one would wait for each addition.
    var (sums, squares) = (SIMD8<Double>(), SIMD8<Double>())
    var (least, greatest) = (SIMD8<Float>(repeating: .infinity), SIMD8<Float>(repeating: -.infinity))
    let whole = values.count / 8 * 8
    for start in stride(from: 0, to: whole, by: 8) {
      let chunk = UnsafeRawPointer(values.baseAddress.unsafelyUnwrapped + start).loadUnaligned(as: SIMD8<Float>.self)
      let wide = SIMD8<Double>(chunk)
      sums += wide
      squares += wide * wide
      least.replace(with: chunk, where: chunk .< least)
      greatest.replace(with: chunk, where: chunk .> greatest)
    }
    sum = sums.sum()
    sumOfSquares = squares.sum()
    var (smallest, largest) = (least.min(), greatest.max())
    for value in values[whole...] {
      sum += Double(value)
      sumOfSquares += Double(value) * Double(value)
      smallest = min(smallest, value)
      largest = max(largest, value)
    }
    (minimum, maximum) = values.isEmpty ? (0, 0) : (Double(smallest), Double(largest))
  }

  private mutating func distribute(_ values: UnsafeBufferPointer<Float>) {
    guard maximum > minimum else {
      limits = count == 0 ? [] : [maximum]
      counts = count == 0 ? [] : [Double(count)]
      return
    }
    let last = Self.bucketCount - 1
    let (minimum, scale) = (minimum, Double(Self.bucketCount) / (maximum - minimum))
    // Two tables, since one would wait where neighbours fall into the same bucket.
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 2 * Self.bucketCount) { table in
      table.initialize(repeating: 0)
      for index in values.indices {
        let bucket = min(Int((Double(values[index]) - minimum) * scale), last)
        table[(index & 1) * Self.bucketCount + bucket] &+= 1
      }
      counts = (0...last).map { Double(table[$0]) + Double(table[Self.bucketCount + $0]) }
    }
    limits = (1...last).map { minimum + Double($0) / scale } + [maximum]
  }
}

extension TensorBoardHistogramProto {
  init(_ histogram: WeightHistogram) {
    min = histogram.minimum
    max = histogram.maximum
    num = Double(histogram.count)
    sum = histogram.sum
    sumSquares = histogram.sumOfSquares
    bucketLimit = histogram.limits
    bucket = histogram.counts
  }
}
