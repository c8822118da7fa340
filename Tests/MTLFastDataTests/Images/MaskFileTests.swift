// SPDX-License-Identifier: Apache-2.0
// Masks keep their values, and lie on their images to the pixel.

import Files
import MTLFast
import TestSupport
import Testing

@testable import MTLFastData

struct MaskFileTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func read(
    _ png: TinyPNG, shape: Shape, fit: ImageFit = .crop, box: ImageBox? = nil
  ) throws -> [UInt8] {
    let path = try folder.write(png.encoded(), to: "mask.png")
    return try MaskFile.read(
      path, image: "image.jpg", imageHeight: png.height, imageWidth: png.width, shape: shape, fit: fit, box: box)
  }

  @Test func greyValuesAsStored() throws {
    let values = noise(20)
    var png = TinyPNG.grey(values, width: 5)
    png.chunks = [("gAMA", TinyIDX.word(100_000)), ("tRNS", [0, values[3]])]
    #expect(try read(png, shape: [4, 5, 1]) == values)
    #expect(
      try read(TinyPNG(width: 4, height: 1, bitDepth: 2, rows: [[0b0001_1011]]), shape: [1, 4, 1]) == [0, 1, 2, 3])
    #expect(
      try read(TinyPNG(width: 4, height: 1, bitDepth: 1, rows: [[0b0110_0000]]), shape: [1, 4, 1]) == [0, 1, 1, 0])
    png = .grey(values, width: 4)
    png.isInterlaced = true
    #expect(try read(png, shape: [5, 4, 1]) == values)
    let alpha = TinyPNG(width: 2, height: 1, colourType: 4, rows: [[7, 0, 9, 128]])
    #expect(try read(alpha, shape: [1, 2, 1]) == [7, 9])
  }

  @Test func paletteIndices() throws {
    var png = TinyPNG(width: 3, height: 1, bitDepth: 8, colourType: 3, rows: [[2, 0, 1]])
    png.chunks = [("PLTE", [9, 9, 9, 9, 9, 9, 100, 200, 250]), ("tRNS", [0, 255, 7])]
    #expect(try read(png, shape: [1, 3, 1]) == [2, 0, 1])
    #expect(try read(png, shape: [1, 3, 3]) == [100, 200, 250, 9, 9, 9, 9, 9, 9])
    png.bitDepth = 4
    png.rows = [[0x21, 0x00]]
    #expect(try read(png, shape: [1, 3, 1]) == [2, 1, 0])
    // An index without a colour is still a number.
    png.bitDepth = 8
    png.rows = [[2, 200, 255]]
    #expect(try read(png, shape: [1, 3, 1]) == [2, 200, 255])
  }

  @Test func colours() throws {
    let values = noise(12)
    #expect(try read(TinyPNG.rgb(values, width: 2), shape: [2, 2, 3]) == values)
    let alpha = TinyPNG(width: 1, height: 1, colourType: 6, rows: [[200, 100, 50, 0]])
    #expect(try read(alpha, shape: [1, 1, 3]) == [200, 100, 50])
  }

  @Test func nearestOnly() throws {
    let values: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
    #expect(
      try read(.grey(values, width: 4), shape: [4, 8, 1]) == [1, 1, 2, 2, 3, 3, 4, 4].flatMap { [$0] }
        + [1, 1, 2, 2, 3, 3, 4, 4] + [5, 5, 6, 6, 7, 7, 8, 8] + [5, 5, 6, 6, 7, 7, 8, 8])
    #expect(try read(.grey(values, width: 4), shape: [2, 2, 1]) == [2, 3, 6, 7])
    #expect(try read(.grey([5, 6, 7], width: 3), shape: [3, 3, 1], fit: .letterbox) == [0, 0, 0, 5, 6, 7, 0, 0, 0])
  }

  /// An image of two plain halves and its mask of two values: the edge is at the same place in both.
  @Test(arguments: ImageFit.allCases) func liesOnItsImage(fit: ImageFit) throws {
    for (width, height, box) in [
      (40, 24, nil), (24, 40, nil), (50, 30, ImageBox(x0: 10, y0: 3, x1: 42, y1: 27)), (7, 5, nil),
    ] as [(Int, Int, ImageBox?)] {
      var pixels: [UInt8] = []
      for y in 0..<height { for x in 0..<width { pixels.append(x + y > (width + height) / 2 ? 255 : 55) } }
      let image = try folder.write(TinyPNG.grey(pixels, width: width).encoded(), to: "image.png")
      let shown = try ImageFile.read(image, shape: [16, 16, 1], fit: fit, box: box)
      let mask = try read(.grey(pixels, width: width), shape: [16, 16, 1], fit: fit, box: box)
      for index in shown.indices where shown[index] == 255 || shown[index] <= 55 {
        #expect(mask[index] == shown[index], "\(fit) \(width)x\(height) at \(index)")
      }
      #expect(shown.count { $0 == 255 } > 10)
    }
  }

  // MARK: Errors

  @Test func anotherSize() throws {
    let path = try folder.write(TinyPNG.grey([1, 2], width: 2).encoded(), to: "mask.png")
    expectError(
      .badData, "\(path): has 2x1 pixels but its image a.jpg has 3x1. Give both the same size."
    ) { try MaskFile.read(path, image: "a.jpg", imageHeight: 1, imageWidth: 3, shape: [1, 2, 1], fit: .crop) }
  }

  @Test func otherKinds() throws {
    let path = "\(folder.path)/mask.png"
    expectError(
      .badData, "\(path): has colours but this mask needs one value a pixel. Save it as grey or with a palette."
    ) { try read(.rgb([1, 2, 3], width: 1), shape: [1, 1, 1]) }
    expectError(.badData, "\(path): has 16 bits a value but masks have up to 8. Save it as 8-bit grey.") {
      try read(TinyPNG(width: 1, height: 1, bitDepth: 16, rows: [[0, 1]]), shape: [1, 1, 1])
    }
    let jpg = try folder.write(jpeg([1, 2, 3], width: 1, height: 1), to: "mask.jpg")
    expectError(
      .badData, "\(jpg): is JPEG, which changes the values of a mask. Make the mask again, as PNG."
    ) { try MaskFile.read(jpg, image: "a.jpg", imageHeight: 1, imageWidth: 1, shape: [1, 1, 1], fit: .crop) }
  }
}
