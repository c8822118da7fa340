// SPDX-License-Identifier: Apache-2.0
// PNG files of every kind give the values that they store; damaged ones give one clear line.

import Files
import MTLFast
import TestSupport
import Testing

@testable import MTLFastData

struct PNGImageTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func read(_ png: TinyPNG, channels: Int) throws -> [UInt8] {
    let path = try folder.write(png.encoded(), to: "a.png")
    return try ImageFile.read(path, shape: [png.height, png.width, channels], fit: .crop)
  }

  @Test func grey8() throws {
    let values = noise(35)
    let png = TinyPNG.grey(values, width: 7)
    #expect(try read(png, channels: 1) == values)
    #expect(try read(png, channels: 3) == values.flatMap { [$0, $0, $0] })
    #expect(try ImageFile.size(of: "\(folder.path)/a.png") == (7, 5, 1))
  }

  @Test func interlaced() throws {
    let values = noise(13 * 11)
    var png = TinyPNG.grey(values, width: 13)
    png.isInterlaced = true
    #expect(try read(png, channels: 1) == values)
    png = TinyPNG.grey([9], width: 1)
    png.isInterlaced = true
    #expect(try read(png, channels: 1) == [9])
  }

  @Test func greyOfFewBits() throws {
    let two = TinyPNG(width: 5, height: 1, bitDepth: 1, rows: [[0b1010_1000]])
    #expect(try read(two, channels: 1) == [255, 0, 255, 0, 255])
    let four = TinyPNG(width: 4, height: 1, bitDepth: 2, rows: [[0b0001_1011]])
    #expect(try read(four, channels: 1) == [0, 85, 170, 255])
    let sixteen = TinyPNG(width: 3, height: 1, bitDepth: 4, rows: [[0x0f, 0x30]])
    #expect(try read(sixteen, channels: 1) == [0, 255, 51])
  }

  @Test func sixteenBitsAreRounded() throws {
    let grey = TinyPNG(width: 4, height: 1, bitDepth: 16, rows: [[0, 0, 0xff, 0xff, 0x80, 0, 0x12, 0xff]])
    // v * 255 / 65535: 0x8000 is 127.5, 0x12ff is 18.92.
    #expect(try read(grey, channels: 1) == [0, 255, 128, 19])
    let rgb = TinyPNG(width: 1, height: 1, bitDepth: 16, colourType: 2, rows: [[0x10, 0x10, 0x20, 0x20, 0xff, 0xff]])
    #expect(try read(rgb, channels: 3) == [0x10, 0x20, 0xff])
  }

  @Test func colour() throws {
    let values = noise(4 * 3 * 3)
    let png = TinyPNG.rgb(values, width: 4)
    #expect(try read(png, channels: 3) == values)
    #expect(try ImageFile.size(of: "\(folder.path)/a.png") == (4, 3, 3))
    #expect(
      try read(TinyPNG.rgb([255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9], width: 4), channels: 1) == [76, 150, 29, 9])
  }

  @Test func palette() throws {
    var png = TinyPNG(width: 3, height: 1, bitDepth: 8, colourType: 3, rows: [[2, 0, 1]])
    png.chunks = [("PLTE", [1, 2, 3, 10, 20, 30, 100, 200, 250])]
    #expect(try read(png, channels: 3) == [100, 200, 250, 1, 2, 3, 10, 20, 30])
    png.bitDepth = 2
    png.rows = [[0b1000_0100]]
    #expect(try read(png, channels: 3) == [100, 200, 250, 1, 2, 3, 10, 20, 30])
    png.chunks.append(("tRNS", [255, 0, 51]))
    #expect(try read(png, channels: 3) == [20, 40, 50, 1, 2, 3, 0, 0, 0])
  }

  @Test func alphaOnBlack() throws {
    let grey = TinyPNG(width: 3, height: 1, colourType: 4, rows: [[100, 255, 100, 0, 100, 128]])
    #expect(try read(grey, channels: 1) == [100, 0, 50])
    #expect(try read(grey, channels: 3) == [100, 100, 100, 0, 0, 0, 50, 50, 50])
    let rgb = TinyPNG(width: 2, height: 1, colourType: 6, rows: [[255, 10, 20, 255, 255, 100, 50, 51]])
    #expect(try read(rgb, channels: 3) == [255, 10, 20, 51, 20, 10])
    #expect(try read(rgb, channels: 1) == [84, 28])
    var keyed = TinyPNG.grey([7, 8], width: 2)
    keyed.chunks = [("tRNS", [0, 7])]
    #expect(try read(keyed, channels: 1) == [0, 8])
  }

  /// A file that says it is linear is read as its neighbours are; texts are not looked at.
  @Test func gammaAndOtherChunksAreLeftOut() throws {
    let values = noise(12)
    var png = TinyPNG.grey(values, width: 4)
    png.chunks = [("gAMA", TinyIDX.word(100_000)), ("zTXt", noise(50)), ("iCCP", noise(90))]
    #expect(try read(png, channels: 1) == values)
  }

  // MARK: Errors

  @Test func truncated() throws {
    let whole = try TinyPNG.grey(noise(64), width: 8).encoded()
    for length in 8..<whole.count {
      let path = try folder.write(Array(whole[..<length]), to: "a.png")
      let reason = length < 33 ? "it has no header" : "it breaks off"
      expectError(
        .badData, "\(path): is a damaged PNG image of \(length) bytes (\(reason)). Get the file again."
      ) { try ImageFile.read(path, shape: [8, 8, 1], fit: .crop) }
    }
  }

  @Test func fewerRowsThanPromised() throws {
    var png = TinyPNG.grey(noise(64), width: 8)
    png.rows.removeLast()
    let bytes = try png.encoded()
    let path = try folder.write(bytes, to: "a.png")
    expectError(
      .badData,
      "\(path): is a damaged PNG image of \(bytes.count) bytes (Not enough image data). Get the file again."
    ) { try ImageFile.read(path, shape: [8, 8, 1], fit: .crop) }
  }

  @Test func flippedBitsAreAnErrorOrTheImage() throws {
    let whole = try TinyPNG.grey(noise(30), width: 6).encoded()
    for bit in stride(from: 8 * 8, to: whole.count * 8, by: 3) {
      var bytes = whole
      bytes[bit / 8] ^= 1 << (bit % 8)
      let path = try folder.write(bytes, to: "a.png")
      do { #expect(try ImageFile.read(path, shape: [5, 6, 1], fit: .crop) == noise(30), "bit \(bit)") } catch {
        #expect(error is MTLFastError)
      }
    }
  }

  @Test func headersThatPromiseTooMuch() throws {
    func path(width: UInt32, height: UInt32, depth: UInt8 = 8, type: UInt8 = 0) throws -> String {
      let header = TinyIDX.word(width) + TinyIDX.word(height) + [depth, type, 0, 0, 0]
      return try folder.write(
        TinyPNG.signature + TinyPNG.chunk("IHDR", header) + TinyPNG.chunk("IDAT", [1, 2, 3])
          + TinyPNG.chunk("IEND", []),
        to: "a.png")
    }
    for (width, height) in [(32769, 1), (1, 32769), (32768, 32768), (.max, .max)] as [(UInt32, UInt32)] {
      let path = try path(width: width, height: height)
      expectError(
        .badData,
        "\(path): has \(width)x\(height) pixels but images may have 1...32768 a side and 268435456 in all. Resize it."
      ) { try ImageFile.size(of: path) }
    }
    let none = try path(width: 0, height: 7)
    expectError(.badData, "\(none): the header says 0x7 pixels. It is damaged: get it again.") {
      try ImageFile.size(of: none)
    }
    let empty = try path(width: 16384, height: 16384)
    expectError(
      .badData,
      "\(empty): the header promises 16384x16384 pixels but the file has only 60 bytes. It is damaged: get it again."
    ) { try ImageFile.size(of: empty) }
    let odd = try path(width: 4, height: 4, depth: 3, type: 5)
    expectError(
      .badData, "\(odd): is a damaged PNG image of 60 bytes (colour type 5, 3 bits). Get the file again."
    ) { try ImageFile.size(of: odd) }
  }
}
