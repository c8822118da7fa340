// SPDX-License-Identifier: Apache-2.0
// Many images in order, whatever the threads; bad ones are named or left out.

import Files
import MTLFast
import TestSupport
import Testing

@testable import MTLFastData

struct ImageFolderTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func write(_ value: UInt8, to name: String) throws {
    try folder.write(TinyPNG.grey([value, value &+ 1], width: 2).encoded(), to: name)
  }

  @Test(arguments: [1, 2, 7, 64]) func sameResultForAnyThreads(threads: Int) throws {
    var files: [String] = []
    var boxes: [ImageBox?] = []
    for index in 0..<40 {
      let pixels = noise((20 + index) * 30 * 3)
      let isJPEG = index % 2 == 0
      files.append("\(index).\(isJPEG ? "jpg" : "png")")
      boxes.append(index % 3 == 0 ? ImageBox(x0: 1, y0: 2, x1: 20 + index / 2, y1: 25) : nil)
      let bytes =
        isJPEG
        ? try jpeg(pixels, width: 20 + index, height: 30) : try TinyPNG.rgb(pixels, width: 20 + index).encoded()
      try folder.write(bytes, to: files[index])
    }
    let images = try ImageFolder(folder: folder.path, files: files, boxes: boxes)
    let loaded = try images.load(shape: [9, 9, 3], fit: .crop, threads: threads)
    #expect(loaded.kept == Array(0..<40))
    #expect(loaded.bad.isEmpty)
    #expect(loaded.decodedCount == 40)
    let one = try files.indices.flatMap {
      try ImageFile.read(images.path($0), shape: [9, 9, 3], fit: .crop, box: boxes[$0])
    }
    #expect(loaded.values == one)
    #expect(loaded.column.count == 40)
  }

  @Test func paths() throws {
    try write(3, to: "a.png")
    let absolute = "\(folder.path)/a.png"
    for (place, file) in [(folder.path, "a.png"), ("\(folder.path)/", "a.png"), ("/nowhere", absolute), ("", absolute)]
    {
      let images = try ImageFolder(folder: place, files: [file])
      #expect(images.path(0) == absolute)
      #expect(try images.load(shape: [1, 2, 1], fit: .crop, threads: 1).values == [3, 4])
    }
  }

  @Test func noImages() throws {
    let loaded = try ImageFolder(folder: "x", files: []).load(shape: [1, 2, 1], fit: .crop, threads: 4)
    #expect(loaded.values.isEmpty && loaded.kept.isEmpty)
  }

  @Test(arguments: [1, 3]) func badImagesAreNamedOrLeftOut(threads: Int) throws {
    for (name, value) in [("a.png", 1), ("c.png", 10), ("e.png", 20)] as [(String, UInt8)] {
      try write(value, to: name)
    }
    try folder.write([], to: "b.png")
    let images = try ImageFolder(
      folder: folder.path, files: ["a.png", "b.png", "c.png", "d.png", "e.png"], rows: [2, 3, 4, 5, 6])
    expectError(
      .badData,
      "\(folder.path)/b.png (row 3): is empty (0 bytes). Get the file again. Of 5 images 2 are bad.",
      remedy: .leavingOutImages(2)
    ) { try images.load(shape: [1, 2, 1], fit: .crop, threads: threads) }
    let loaded = try images.load(shape: [1, 2, 1], fit: .crop, skipsBad: true, threads: threads)
    #expect(loaded.values == [1, 2, 10, 11, 20, 21])
    #expect(loaded.kept == [0, 2, 4])
    #expect(loaded.bad.map(\.index) == [1, 3])
    #expect(
      loaded.bad.map(\.error) == [
        MTLFastError(.badData, "\(folder.path)/b.png (row 3): is empty (0 bytes). Get the file again."),
        MTLFastError(
          .missingInput,
          "\(folder.path)/d.png (row 5): can't be opened (No such file or directory). Check the path."),
      ])
  }

  @Test func oneBadImage() throws {
    try write(1, to: "a.png")
    let images = try ImageFolder(folder: folder.path, files: ["a.png", "b.png"])
    expectError(
      .missingInput,
      "\(folder.path)/b.png: can't be opened (No such file or directory). Check the path. Of 2 images only this one is "
        + "bad.", remedy: .leavingOutImages(1)
    ) { try images.load(shape: [1, 2, 1], fit: .crop, threads: 2) }
  }

  @Test func nothingLeft() throws {
    let images = try ImageFolder(folder: folder.path, files: ["a.png", "b.png"], rows: [2, 3])
    expectError(
      .missingInput,
      "\(folder.path): all 2 images are bad, so that none is left. The first: \(folder.path)/a.png (row 2): can't be "
        + "opened (No such file or directory). Check the path."
    ) { try images.load(shape: [1, 2, 1], fit: .crop, skipsBad: true, threads: 2) }
  }

  @Test func countsThatDiffer() {
    expectError(.usage, "f: 2 images but 1 boxes. Give one for each image.") {
      try ImageFolder(folder: "f", files: ["a", "b"], boxes: [nil])
    }
    expectError(.usage, "f: 1 images but 2 rows. Give one for each image.") {
      try ImageFolder(folder: "f", files: ["a"], rows: [1, 2])
    }
  }

  @Test func tooManyForMemory() throws {
    let images = try ImageFolder(folder: "f", files: [String](repeating: "a", count: 1 << 20))
    let error = #expect(throws: MTLFastError.self) {
      _ = try images.load(shape: [16384, 16384, 3], fit: .crop, threads: 1)
    }
    #expect(error?.kind == .system)
    let needed = "f: 1048576 images of 16384x16384x3: needs 844424930131968 bytes of memory and the machine has "
    #expect(error?.message.hasPrefix(needed) == true)
    #expect(error?.message.hasSuffix(". Use a smaller shape or fewer images.") == true)
  }
}
