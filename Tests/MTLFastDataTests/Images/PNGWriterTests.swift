// SPDX-License-Identifier: Apache-2.0
// What is written as PNG is read back the same.

import Files
import MTLFast
import TestSupport
import Testing

@testable import MTLFastData

struct PNGWriterTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: [1, 3]) func readsBack(channels: Int) throws {
    let values = noise(7 * 5 * channels)
    let path = "\(folder.path)/new/a.png"
    try PNGWriter.write(values, height: 5, width: 7, channels: channels, to: path)
    #expect(try ImageFile.read(path, shape: [5, 7, channels], fit: .crop) == values)
    #expect(try ImageFile.size(of: path) == (7, 5, channels))
    try PNGWriter.write([9], height: 1, width: 1, channels: 1, to: path)
    #expect(try ImageFile.read(path, shape: [1, 1, 1], fit: .crop) == [9])
    #expect(folder.names == ["new"])
  }

  @Test(arguments: [2, 4, 16, 256]) func palettes(colours: Int) throws {
    let indices = noise(30).map { UInt8(Int($0) % colours) }
    let path = "\(folder.path)/a.png"
    try PNGWriter.write(
      indices: indices, palette: (0..<colours).map { (UInt8($0), 100, 255 - UInt8($0)) }, height: 5, width: 6, to: path)
    #expect(
      try MaskFile.read(path, image: path, imageHeight: 5, imageWidth: 6, shape: [5, 6, 1], fit: .crop) == indices)
    #expect(
      try ImageFile.read(path, shape: [5, 6, 3], fit: .crop) == indices.flatMap { [$0, 100, 255 - $0] })
  }

  @Test func errors() throws {
    let path = "\(folder.path)/a.png"
    expectError(.usage, "\(path): 5 bytes don't make an image of 2x2x1.") {
      try PNGWriter.write([1, 2, 3, 4, 5], height: 2, width: 2, channels: 1, to: path)
    }
    expectError(
      .usage, "\(path): a palette of 2 colours for values up to 7. Give 1...256 colours, one for each value."
    ) { try PNGWriter.write(indices: [0, 7], palette: [(0, 0, 0), (1, 1, 1)], height: 1, width: 2, to: path) }
    let file = try folder.write([1], to: "file")
    expectError(
      .writeFailed,
      "\(file): is not a folder. Name another one."
    ) { try PNGWriter.write([1], height: 1, width: 1, channels: 1, to: "\(file)/a.png") }
    #expect(folder.names == ["file"])
  }
}
