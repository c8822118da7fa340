// SPDX-License-Identifier: Apache-2.0
// Mean 0 and deviation 1 for every column, by what the training rows show.

import Files

/// The mean and standard deviation of each column, of training rows alone.
///
///     let standardization = try Standardization(of: [1, 10, 3, 10], columns: 2)
///     standardization.mean               // [2, 10]
///
/// Sums are of doubles, in row order; NaN (a missing value) is left out. The variance is that of the population:
/// divided by n. A column that doesn't vary has deviation 1, and one without values mean 0.
public struct Standardization: Hashable, Sendable {
  /// `[K]`
  public let mean: [Float]
  /// `[K]`, none of them 0.
  public let standardDeviation: [Float]

  public init(mean: [Float], standardDeviation: [Float]) {
    self.mean = mean
    self.standardDeviation = standardDeviation
  }

  /// Of `[N, K]` values, row-major.
  ///
  /// - Throws: `MTLFastError` of kind `badData` where the values aren't whole rows or one is infinite.
  public init(of values: [Float], columns: Int) throws {
    guard columns > 0, values.count % columns == 0 else {
      throw MTLFastError(.badData, "Standardization: \(values.count) values are not whole rows of \(columns) columns.")
    }
    if let index = values.firstIndex(where: \.isInfinite) {
      throw MTLFastError(
        .badData, "Standardization: row \(index / columns), column \(index % columns) is infinite. Correct it.")
    }
    self.init(count: values.count, columns: columns) { values[$0].isNaN ? nil : Double(values[$0]) }
  }

  /// Of the channels of `[N, H, W, C]` bytes, each times `scale`.
  ///
  /// - Throws: `MTLFastError` of kind `badData` where the values aren't whole pixels.
  public init(of values: [UInt8], channels: Int, scale: Float) throws {
    guard channels > 0, values.count % channels == 0 else {
      throw MTLFastError(
        .badData, "Standardization: \(values.count) bytes are not whole pixels of \(channels) channels.")
    }
    // Counts of the 256 values are exact, and one multiplication each is all that scaling costs.
    var counts = [Int](repeating: 0, count: 256 * channels)
    for pixel in stride(from: 0, to: values.count, by: channels) {
      for channel in 0..<channels { counts[channel * 256 + Int(values[pixel + channel])] += 1 }
    }
    let pixels = Double(max(1, values.count / channels))
    var mean: [Float] = []
    var deviation: [Float] = []
    for channel in 0..<channels {
      let histogram = counts[channel * 256..<(channel + 1) * 256]
      var sum = 0.0
      for (value, count) in histogram.enumerated() { sum += Double(value) * Double(count) }
      let average = sum / pixels
      var squares = 0.0
      for (value, count) in histogram.enumerated() {
        squares += (Double(value) - average) * (Double(value) - average) * Double(count)
      }
      mean.append(Float(average * Double(scale)))
      deviation.append(Self.deviation(variance: squares / pixels * Double(scale) * Double(scale)))
    }
    self.init(mean: mean, standardDeviation: deviation)
  }

  private init(count: Int, columns: Int, value: (Int) -> Double?) {
    var counts = [Double](repeating: 0, count: columns)
    var means = [Double](repeating: 0, count: columns)
    var squares = [Double](repeating: 0, count: columns)
    for index in 0..<count {
      guard let value = value(index) else { continue }
      counts[index % columns] += 1
      means[index % columns] += value
    }
    for column in 0..<columns where counts[column] > 0 { means[column] /= counts[column] }
    for index in 0..<count {
      guard let value = value(index) else { continue }
      let difference = value - means[index % columns]
      squares[index % columns] += difference * difference
    }
    self.init(
      mean: means.map(Float.init),
      standardDeviation: zip(squares, counts).map { Self.deviation(variance: $1 > 0 ? $0 / $1 : 0) })
  }

  private static func deviation(variance: Double) -> Float {
    let deviation = Float(variance.squareRoot())
    return deviation > 0 ? deviation : 1
  }
}
