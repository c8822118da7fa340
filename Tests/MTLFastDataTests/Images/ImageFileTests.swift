// SPDX-License-Identifier: Apache-2.0
// Images as bytes of one shape: fits and boxes to the pixel, and files that are no images.

import Files
import Foundation
import MTLFast
import TestSupport
import Testing

@testable import MTLFastData

struct ImageFileTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  /// Values that say where they come from: 10 times the row, plus the column.
  private func grid(width: Int, height: Int) throws -> String {
    let values = (0..<height).flatMap { y in (0..<width).map { x in UInt8(10 * y + x) } }
    return try folder.write(TinyPNG.grey(values, width: width).encoded(), to: "grid.png")
  }

  @Test func cropTakesTheMiddle() throws {
    let path = try grid(width: 6, height: 2)
    #expect(try ImageFile.read(path, shape: [2, 2, 1], fit: .crop) == [2, 3, 12, 13])
    #expect(try ImageFile.read(path, shape: [2, 4, 1], fit: .crop) == [1, 2, 3, 4, 11, 12, 13, 14])
    let tall = try grid(width: 2, height: 6)
    #expect(try ImageFile.read(tall, shape: [2, 2, 1], fit: .crop) == [20, 21, 30, 31])
  }

  @Test func letterboxAddsBlackBars() throws {
    let path = try grid(width: 3, height: 1)
    #expect(try ImageFile.read(path, shape: [4, 3, 1], fit: .letterbox) == [0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0])
    let tall = try grid(width: 1, height: 3)
    #expect(
      try ImageFile.read(tall, shape: [3, 4, 3], fit: .letterbox)
        == [0, 10, 20].flatMap { [0, 0, 0, $0, $0, $0, 0, 0, 0, 0, 0, 0] })
  }

  @Test func stretchIgnoresTheAspect() throws {
    let path = try folder.write(TinyPNG.grey([10, 10, 30, 30], width: 2).encoded(), to: "a.png")
    #expect(try ImageFile.read(path, shape: [2, 4, 1], fit: .stretch) == [10, 10, 10, 10, 30, 30, 30, 30])
  }

  @Test func boxesAreHalfOpen() throws {
    let path = try grid(width: 6, height: 5)
    let box = ImageBox(x0: 1, y0: 2, x1: 3, y1: 4)
    for fit in ImageFit.allCases {
      #expect(try ImageFile.read(path, shape: [2, 2, 1], fit: fit, box: box) == [21, 22, 31, 32])
    }
    // Upscaling doesn't look outside the box.
    let one = ImageBox(x0: 5, y0: 4, x1: 6, y1: 5)
    #expect(try ImageFile.read(path, shape: [2, 2, 1], fit: .crop, box: one) == [45, 45, 45, 45])
  }

  @Test func formatIsByContentNotByName() throws {
    let png = try folder.write(TinyPNG.grey([5], width: 1).encoded(), to: "really-png.jpg")
    #expect(try ImageFile.read(png, shape: [1, 1, 1], fit: .crop) == [5])
    let jpg = try folder.write(jpeg([60, 60, 60], width: 1, height: 1), to: "really-jpeg.png")
    #expect(try ImageFile.read(jpg, shape: [1, 1, 1], fit: .crop) == [60])
  }

  // MARK: Errors

  @Test func missing() {
    let path = "\(folder.path)/none.jpg"
    expectError(.missingInput, "\(path): can't be opened (No such file or directory). Check the path.") {
      try ImageFile.size(of: path)
    }
  }

  @Test func folderOrPipe() throws {
    let pipe = "\(folder.path)/pipe"
    try #require(mkfifo(pipe, 0o600) == 0)
    for path in [folder.path, pipe] {
      expectError(.badData, "\(path): is a folder or device, not a file. Check the path.") {
        try ImageFile.size(of: path)
      }
    }
  }

  @Test func empty() throws {
    let path = try folder.write([], to: "a.jpg")
    expectError(.badData, "\(path): is empty (0 bytes). Get the file again.") { try ImageFile.size(of: path) }
  }

  static let otherContents: [(bytes: [UInt8], what: String)] = [
    (Array("<!DOCTYPE html>\n404".utf8), "text, not an image"),
    (Array("GIF89a\0".utf8), "a GIF image, not JPEG or PNG"),
    (Array("RIFF\0\0\0\0WEBPVP8".utf8), "a WebP image, not JPEG or PNG"),
    (Array("II*\0".utf8), "a TIFF image, not JPEG or PNG"),
    (Array("BM\0\0".utf8), "a BMP image, not JPEG or PNG"),
    (Array("\0\0\0\u{18}ftypavif".utf8), "an HEIF or AVIF image or a film, not JPEG or PNG"),
    ([0xff, 0xd8], "neither JPEG nor PNG (it starts with ff d8)"),
    ([0x80, 0x02, 0x7d, 0x71, 0x01], "neither JPEG nor PNG (it starts with 80 02 7d 71)"),
  ]

  @Test(arguments: otherContents)
  func otherContent(bytes: [UInt8], what: String) throws {
    let path = try folder.write(bytes, to: "a.jpg")
    expectError(.badData, "\(path): is \(what). Convert it to PNG or JPEG.") { try ImageFile.size(of: path) }
  }

  @Test func boxOutside() throws {
    let path = try grid(width: 6, height: 5)
    expectError(
      .badData, "\(path): the box (2,0)-(7,5) doesn't lie within its 6x5 pixels. Check x0, y0, x1 and y1."
    ) { try ImageFile.read(path, shape: [2, 2, 1], fit: .crop, box: ImageBox(x0: 2, y0: 0, x1: 7, y1: 5)) }
  }

  @Test(arguments: [[2, 2, 4], [2, 2], [0, 2, 3], [32769, 1, 1], [.max, .max, 3]] as [Shape])
  func shapesOfNoImage(shape: Shape) {
    expectError(
      .usage, "Shape \(shape): images are height x width x 1 (grey) or x 3 (colour), with sides up to 32768."
    ) { try ImageFile.read("a.jpg", shape: shape, fit: .crop) }
  }
}
