// SPDX-License-Identifier: Apache-2.0
// The resize filter against the same filter in double precision, and where its result is known.

import Files
import Testing

@testable import MTLFastData

struct ImageResamplerTests {
  private func resample(
    _ source: [UInt8], width: Int, channels: Int, to outputWidth: Int, _ outputHeight: Int
  ) throws -> [UInt8] {
    let height = source.count / width / channels
    var output = [UInt8](repeating: 0, count: outputWidth * outputHeight * channels)
    try ImageResampler.resample(
      source, sourceRowBytes: width * channels, channels: channels,
      columns: ResampleAxis(start: 0, length: Double(width), count: outputWidth, limits: 0..<width),
      rows: ResampleAxis(start: 0, length: Double(height), count: outputHeight, limits: 0..<height),
      scratch: ScratchMemory(), purpose: "test", into: &output, destinationRowBytes: outputWidth * channels)
    return output
  }

  /// Triangle weights of one axis in double precision, as a matrix row.
  private func oracle(_ size: Int, _ outputs: Int, _ index: Int) -> [Double] {
    let step = Double(size) / Double(outputs)
    let centre = (Double(index) + 0.5) * step
    let weights = (0..<size).map { max(0, 1 - abs(Double($0) + 0.5 - centre) / max(1, step)) }
    let sum = weights.reduce(0, +)
    return weights.map { $0 / sum }
  }

  @Test(arguments: [1, 3]) func agreesWithDoublePrecision(channels: Int) throws {
    for (width, height, outputWidth, outputHeight) in [
      (1, 1, 1, 1), (7, 5, 7, 5), (7, 5, 3, 2), (5, 7, 9, 11), (64, 48, 5, 31), (3, 2, 1, 1), (200, 1, 7, 3),
    ] {
      let source = noise(width * height * channels)
      let output = try resample(source, width: width, channels: channels, to: outputWidth, outputHeight)
      for y in 0..<outputHeight {
        for x in 0..<outputWidth {
          for c in 0..<channels {
            var expected = 0.0
            for (row, rowWeight) in oracle(height, outputHeight, y).enumerated() where rowWeight > 0 {
              for (column, weight) in oracle(width, outputWidth, x).enumerated() {
                expected += rowWeight * weight * Double(source[(row * width + column) * channels + c])
              }
            }
            let error = abs(Double(output[(y * outputWidth + x) * channels + c]) - expected)
            #expect(error < 0.52, "\(width)x\(height) to \(outputWidth)x\(outputHeight) at \(x), \(y), \(c)")
          }
        }
      }
    }
  }

  @Test func equalSizeCopies() throws {
    let source = noise(13 * 9 * 3)
    #expect(try resample(source, width: 13, channels: 3, to: 13, 9) == source)
  }

  @Test(arguments: [0, 1, 127, 254, 255] as [UInt8]) func plainAreasKeepTheirColour(value: UInt8) throws {
    let source = [UInt8](repeating: value, count: 301 * 17)
    for (width, height) in [(7, 3), (300, 16), (1, 1), (500, 40)] {
      #expect(try resample(source, width: 301, channels: 1, to: width, height).allSatisfy { $0 == value })
    }
  }

  @Test func halvingAveragesFourPixels() throws {
    // Weights 1/8, 3/8, 3/8, 1/8; at the edge 3/7, 3/7, 1/7, where one pixel is missing.
    #expect(try resample([0, 0, 80, 0, 0, 0, 0, 0], width: 8, channels: 1, to: 4, 1) == [11, 30, 0, 0])
  }

  @Test func weightsAddUpToOne() {
    for (length, count) in [(5.0, 3), (32768.0, 1), (32768.0, 7), (1.0, 50), (12.34, 5)] {
      let axis = ResampleAxis(start: 0, length: length, count: count, limits: 0..<Int(length.rounded(.up)))
      for tap in axis.taps {
        #expect(axis.weights[tap.weights].reduce(0, +) == ResampleAxis.one)
        #expect(axis.sources.contains(tap.start) && tap.start + tap.weights.count <= axis.sources.upperBound)
      }
    }
  }
}
