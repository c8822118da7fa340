// SPDX-License-Identifier: Apache-2.0
// Resizing with a triangle filter as wide as what one output pixel covers, in fixed-point numbers.

import Files

/// The source pixels that make each output pixel of one axis, and their weights.
///
/// The filter is a triangle whose half width is the distance of two output pixels in the source, at least 1: an average
/// over the covered pixels on the way down, linear interpolation on the way up, the pixel itself at equal size.
/// Weights are whole numbers that add up to exactly `one`, so that a plain area keeps its colour to the bit.
struct ResampleAxis {
  static let fractionBits = 16
  static let one: UInt32 = 1 << 16

  /// Of each output pixel: its first source pixel, its weights as a part of `weights`.
  let taps: [(start: Int, weights: Range<Int>)]
  let weights: [UInt32]
  /// Every source pixel that any output pixel needs.
  let sources: Range<Int>

  /// Maps `length` source pixels from `start` on to `count` output pixels, looking at none outside `limits`.
  init(start: Double, length: Double, count: Int, limits: Range<Int>) {
    let step = length / Double(count)
    let halfWidth = max(1, step)
    var taps: [(start: Int, weights: Range<Int>)] = []
    var weights: [UInt32] = []
    taps.reserveCapacity(count)
    var low = limits.upperBound
    var high = limits.lowerBound
    for index in 0..<count {
      let centre = start + (Double(index) + 0.5) * step
      let nearest = min(max(Int(centre), limits.lowerBound), limits.upperBound - 1)
      var first = min(max(Int((centre - halfWidth).rounded(.down)), limits.lowerBound), nearest)
      let last = max(min(Int((centre + halfWidth).rounded(.up)), limits.upperBound), nearest + 1)
      func weight(_ source: Int) -> Double { max(0, 1 - abs(Double(source) + 0.5 - centre) / halfWidth) }
      let sum = (first..<last).reduce(0.0) { $0 + weight($1) }
      let begin = weights.count
      if sum > 0 {
        // The running sum is rounded, not each weight, so that the rounding errors don't add up.
        var running = 0.0
        var given: UInt32 = 0
        for source in first..<last {
          running += weight(source)
          let upTo = UInt32(min((running / sum * Double(Self.one)).rounded(), Double(Self.one)))
          if upTo > given || weights.count > begin { weights.append(upTo - given) } else { first += 1 }
          given = upTo
        }
        while weights.count > begin + 1, weights.last == 0 { weights.removeLast() }
      } else {
        first = nearest
        weights.append(Self.one)
      }
      taps.append((first, begin..<weights.count))
      low = min(low, first)
      high = max(high, first + weights.count - begin)
    }
    self.taps = taps
    self.weights = weights
    sources = low..<max(low, high)
  }
}

/// Resizes bytes `[h, w, C]` by one axis for the rows and one for the columns.
///
/// Whole numbers throughout, so that the result is the same on every machine: rows are summed first, into 16 bits a
/// value, and rounded to bytes once, after the columns.
enum ImageResampler {
  /// - Parameters:
  ///   - source: rows of `sourceRowBytes` bytes, of which the axes address pixels of `channels` bytes.
  ///   - scratch: memory that is kept from call to call.
  ///   - destination: the first pixel; rows of `destinationRowBytes` bytes.
  static func resample(
    _ source: UnsafePointer<UInt8>, sourceRowBytes: Int, channels: Int, columns: ResampleAxis, rows: ResampleAxis,
    scratch: ScratchMemory, purpose: String, into destination: UnsafeMutablePointer<UInt8>, destinationRowBytes: Int
  ) throws {
    let first = columns.sources.lowerBound
    let valueCount = columns.sources.count * channels
    let memory = try scratch.reserve(valueCount * (4 + 2), for: purpose)
    let sums = memory.assumingMemoryBound(to: UInt32.self)
    let values = (memory + valueCount * 4).assumingMemoryBound(to: UInt16.self)
    rows.weights.withUnsafeBufferPointer { rowWeights in
      columns.weights.withUnsafeBufferPointer { columnWeights in
        for (index, row) in rows.taps.enumerated() {
          for (tap, weightIndex) in row.weights.enumerated() {
            let line = source + (row.start + tap) * sourceRowBytes + first * channels
            let weight = rowWeights[weightIndex]
            if tap == 0 {
              for i in 0..<valueCount { sums[i] = weight &* UInt32(line[i]) }
            } else {
              for i in 0..<valueCount { sums[i] &+= weight &* UInt32(line[i]) }
            }
          }
          // At most 255 * 2^16 >> 8, which fits 16 bits.
          for i in 0..<valueCount { values[i] = UInt16(truncatingIfNeeded: (sums[i] &+ 128) >> 8) }
          let output = destination + index * destinationRowBytes
          if channels == 3 {
            sumColumns3(values, columns, first, columnWeights, output)
          } else {
            sumColumns1(values, columns, first, columnWeights, output)
          }
        }
      }
    }
  }

  // 255 * 2^24 and half of 2^24 fit 32 bits without a sign.
  private static let half: UInt32 = 1 << 23

  private static func sumColumns1(
    _ values: UnsafePointer<UInt16>, _ columns: ResampleAxis, _ first: Int,
    _ weights: UnsafeBufferPointer<UInt32>, _ output: UnsafeMutablePointer<UInt8>
  ) {
    for (index, column) in columns.taps.enumerated() {
      var value = values + (column.start - first)
      var sum = half
      for weightIndex in column.weights {
        sum &+= weights[weightIndex] &* UInt32(value[0])
        value += 1
      }
      output[index] = UInt8(truncatingIfNeeded: sum >> 24)
    }
  }

  private static func sumColumns3(
    _ values: UnsafePointer<UInt16>, _ columns: ResampleAxis, _ first: Int,
    _ weights: UnsafeBufferPointer<UInt32>, _ output: UnsafeMutablePointer<UInt8>
  ) {
    for (index, column) in columns.taps.enumerated() {
      var value = values + (column.start - first) * 3
      var red = half
      var green = half
      var blue = half
      for weightIndex in column.weights {
        let weight = weights[weightIndex]
        red &+= weight &* UInt32(value[0])
        green &+= weight &* UInt32(value[1])
        blue &+= weight &* UInt32(value[2])
        value += 3
      }
      output[index * 3] = UInt8(truncatingIfNeeded: red >> 24)
      output[index * 3 + 1] = UInt8(truncatingIfNeeded: green >> 24)
      output[index * 3 + 2] = UInt8(truncatingIfNeeded: blue >> 24)
    }
  }
}
