// SPDX-License-Identifier: Apache-2.0
// JPEG files of several kinds, shrunk while they are decoded, and damaged ones.

import CJPEG
import Files
import MTLFast
import TestSupport
import Testing

@testable import MTLFastData

struct JPEGImageTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test func divisors() {
    func divisor(_ side: Int, _ output: Int, _ fit: ImageFit = .stretch) -> Int {
      JPEGImage.divisor(
        for: ImageGeometry(
          of: ImageBox(x0: 0, y0: 0, x1: 2 * side, y1: side), outputHeight: output, outputWidth: output, fit: fit))
    }
    #expect(divisor(512, 64) == 8)
    #expect(divisor(511, 64) == 4)
    #expect(divisor(127, 64) == 1)
    #expect(divisor(128, 64) == 2)
    // Across, a letterbox shows twice as many pixels as a crop.
    #expect(divisor(256, 64, .crop) == 4)
    #expect(divisor(256, 64, .letterbox) == 8)
  }

  @Test(arguments: [8, 10, 20, 31, 33, 64, 100]) func shrunkIsCloseToWholeAndResized(side: Int) throws {
    let (width, height) = (131, 97)
    let path = try folder.write(
      jpeg(smoothPixels(width: width, height: height), width: width, height: height), to: "a.jpg")
    let whole = try ImageFile.read(path, shape: [height, width, 3], fit: .stretch)
    let resized = try folder.write(TinyPNG.rgb(whole, width: width).encoded(), to: "a.png")
    for fit in ImageFit.allCases {
      let shrunk = try ImageFile.read(path, shape: [side, side, 3], fit: fit)
      let expected = try ImageFile.read(resized, shape: [side, side, 3], fit: fit)
      let differences = zip(shrunk, expected).map { abs(Int($0) - Int($1)) }
      #expect(differences.max() ?? 99 <= 6, "\(fit)")
      #expect(Double(differences.reduce(0, +)) / Double(differences.count) < 1.5, "\(fit)")
    }
  }

  @Test func boxesKeepOutWhatIsOutside() throws {
    // Grey inside the box, black outside; the box starts at an odd pixel.
    let pixels = (0..<64).flatMap { y in (0..<64).flatMap { x in [UInt8](repeating: x < 17 ? 0 : 200, count: 3) } }
    let path = try folder.write(jpeg(pixels, width: 64, height: 64, quality: 100), to: "a.jpg")
    let image = try ImageFile.read(
      path, shape: [8, 8, 1], fit: .stretch, box: ImageBox(x0: 17, y0: 0, x1: 63, y1: 64))
    #expect(image.allSatisfy { $0 > 185 })
  }

  @Test func greyAndColour() throws {
    let grey = try folder.write(
      jpeg([UInt8](repeating: 77, count: 64), width: 8, height: 8, channels: 1), to: "grey.jpg")
    #expect(try ImageFile.size(of: grey) == (8, 8, 1))
    #expect(try ImageFile.read(grey, shape: [4, 4, 3], fit: .crop) == [UInt8](repeating: 77, count: 48))
    let red = try folder.write(
      jpeg((0..<64).flatMap { _ in [255, 0, 0] as [UInt8] }, width: 8, height: 8, quality: 100), to: "red.jpg")
    #expect(try ImageFile.size(of: red) == (8, 8, 3))
    #expect(try ImageFile.read(red, shape: [4, 4, 1], fit: .crop).allSatisfy { abs(Int($0) - 76) < 3 })
  }

  @Test func progressive() throws {
    let pixels = smoothPixels(width: 40, height: 30)
    let plain = try folder.write(jpeg(pixels, width: 40, height: 30), to: "plain.jpg")
    let progressive = try folder.write(
      jpeg(pixels, width: 40, height: 30, flags: TJFLAG_PROGRESSIVE), to: "progressive.jpg")
    #expect(
      try ImageFile.read(progressive, shape: [30, 40, 3], fit: .crop)
        == ImageFile.read(plain, shape: [30, 40, 3], fit: .crop))
  }

  @Test func fourInks() throws {
    // Paper that stays white: 255 cyan-less, 0 magenta-less and so on, times 200/255 of black-less.
    let pixels = (0..<64).flatMap { _ in [255, 0, 51, 200] as [UInt8] }
    let path = try folder.write(jpeg(pixels, width: 8, height: 8, channels: 4, quality: 100), to: "inks.jpg")
    #expect(try ImageFile.size(of: path) == (8, 8, 3))
    let image = try ImageFile.read(path, shape: [1, 1, 3], fit: .stretch)
    #expect(zip(image, [200, 0, 40]).allSatisfy { abs(Int($0) - $1) < 3 })
    let grey = try ImageFile.read(path, shape: [1, 1, 1], fit: .stretch)
    #expect(abs(Int(grey[0]) - 64) < 3)
  }

  // MARK: Errors

  @Test func truncated() throws {
    let whole = try jpeg(smoothPixels(width: 64, height: 64), width: 64, height: 64)
    let path = try folder.write(Array(whole[..<(whole.count * 3 / 4)]), to: "a.jpg")
    expectError(
      .badData,
      "\(path): is a damaged JPEG image of \(whole.count * 3 / 4) bytes (Premature end of JPEG file). Get the file again."
    ) { try ImageFile.read(path, shape: [64, 64, 3], fit: .crop) }
    expectError(
      .badData,
      "\(path): is a damaged JPEG image of \(whole.count * 3 / 4) bytes (Premature end of JPEG file). Get the file again."
    ) { try ImageFile.read(path, shape: [8, 8, 3], fit: .crop) }
    for length in stride(from: 3, to: whole.count - 2, by: 29) {
      let path = try folder.write(Array(whole[..<length]), to: "b.jpg")
      #expect(throws: MTLFastError.self, "\(length)") { try ImageFile.read(path, shape: [8, 8, 3], fit: .crop) }
    }
  }

  @Test func flippedBytesAreAnErrorOrAnImage() throws {
    let whole = try jpeg(smoothPixels(width: 24, height: 16), width: 24, height: 16, quality: 50)
    for index in 3..<whole.count {
      for flip in [0x01, 0xff] as [UInt8] where index < 200 || index % 10 == 0 {
        var bytes = whole
        bytes[index] ^= flip
        let path = try folder.write(bytes, to: "a.jpg")
        do { _ = try ImageFile.read(path, shape: [8, 8, 3], fit: .letterbox) } catch {
          #expect(error is MTLFastError)
        }
      }
    }
  }

  @Test func headerThatPromisesTooMuch() throws {
    var bytes = try jpeg(smoothPixels(width: 16, height: 16), width: 16, height: 16)
    // The height and width in the start of the frame.
    let frame = try #require(bytes.indices.dropLast().first { bytes[$0] == 0xff && bytes[$0 + 1] == 0xc0 })
    bytes.replaceSubrange(frame + 5..<frame + 9, with: [0x40, 0, 0x40, 0])
    let path = try folder.write(bytes, to: "a.jpg")
    expectError(
      .badData,
      "\(path): the header promises 16384x16384 pixels but the file has only \(bytes.count) bytes. It is damaged: "
        + "get it again."
    ) { try ImageFile.size(of: path) }
    bytes.replaceSubrange(frame + 5..<frame + 9, with: [0x80, 1, 0, 16])
    try folder.write(bytes, to: "a.jpg")
    expectError(
      .badData,
      "\(path): has 16x32769 pixels but images may have 1...32768 a side and 268435456 in all. Resize it."
    ) { try ImageFile.size(of: path) }
  }
}
