// SPDX-License-Identifier: Apache-2.0
// Every way to hold a camera, and Exif segments that are damaged.

import Files
import MTLFast
import TestSupport
import Testing

@testable import MTLFastData

struct ExifOrientationTests {
  private func read(_ bytes: [UInt8]) -> ExifOrientation {
    bytes.withUnsafeBytes { ExifOrientation(jpeg: $0) }
  }

  @Test(arguments: [false, true]) func reads(isLittle: Bool) throws {
    let plain = try jpeg([1, 2, 3], width: 1, height: 1)
    #expect(read(plain) == .upright)
    for orientation in ExifOrientation.allCases {
      #expect(read(withExif(plain, orientation: UInt8(orientation.rawValue), isLittle: isLittle)) == orientation)
    }
    for wrong in [0, 9, 255] as [UInt8] { #expect(read(withExif(plain, orientation: wrong)) == .upright) }
  }

  @Test func survivesDamage() throws {
    let whole = withExif(try jpeg([1, 2, 3], width: 1, height: 1), orientation: 6)
    for length in 0..<48 { #expect(read(Array(whole[..<length])) == (length < 38 ? .upright : .turnedLeft)) }
    for bit in 0..<38 * 8 {
      var bytes = whole
      bytes[bit / 8] ^= 1 << (bit % 8)
      _ = read(bytes)
    }
  }

  /// The letter F, 2x3: which corner is where after it was turned upright.
  @Test func turnsUpright() throws {
    // Stored 16x32: left upper quarter red, right upper green, left lower blue, right lower white.
    var pixels: [UInt8] = []
    for y in 0..<32 {
      for x in 0..<16 {
        pixels += x < 8 ? (y < 16 ? [255, 0, 0] : [0, 0, 255]) : (y < 16 ? [0, 255, 0] : [255, 255, 255])
      }
    }
    let folder = try TemporaryFolder()
    let stored = try jpeg(pixels, width: 16, height: 32, quality: 100)
    // Left upper, right upper, left lower, right lower after turning.
    let expected: [ExifOrientation: String] = [
      .upright: "rgbw", .mirrored: "grwb", .upsideDown: "wbgr", .upsideDownMirrored: "bwrg", .transposed: "rbgw",
      .turnedLeft: "brwg", .transversed: "wgbr", .turnedRight: "gwrb",
    ]
    for (orientation, corners) in expected {
      let path = try folder.write(withExif(stored, orientation: UInt8(orientation.rawValue)), to: "a.jpg")
      let size = try ImageFile.size(of: path)
      #expect((size.width, size.height) == (orientation.swapsSides ? (32, 16) : (16, 32)))
      for side in [2, 16] {
        let image = try ImageFile.read(path, shape: [side, side, 3], fit: .stretch)
        let found = [0, side - 1, side * (side - 1), side * side - 1].map { pixel -> Character in
          let colour = image[pixel * 3..<pixel * 3 + 3].map { $0 > 127 }
          return colour == [true, false, false]
            ? "r" : colour == [false, true, false] ? "g" : colour == [false, false, true] ? "b" : "w"
        }
        #expect(String(found) == corners, "\(orientation) at \(side)")
      }
    }
  }
}
