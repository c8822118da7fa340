// SPDX-License-Identifier: Apache-2.0
// Images and masks find each other by name, and are resized alike.

import Files
import MTLFast
import TestSupport
import Testing

@testable import MTLFastData

struct MaskFolderTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private var images: String { "\(folder.path)/images" }
  private var masks: String { "\(folder.path)/masks" }

  private func image(_ value: UInt8, _ name: String) throws {
    try folder.write(TinyPNG.grey([value, value + 1, value + 2, value + 3], width: 4).encoded(), to: "images/\(name)")
  }
  private func mask(_ values: [UInt8], _ name: String) throws {
    try folder.write(TinyPNG.grey(values, width: values.count).encoded(), to: "masks/\(name)")
  }

  @Test(arguments: [1, 4]) func pairsByName(threads: Int) throws {
    try image(40, "c.png")
    try image(10, "a.b.png")
    try folder.write(jpeg([UInt8](repeating: 90, count: 12), width: 4, height: 1), to: "images/d.JPG")
    try mask([0, 1, 2, 3], "a.b.png")
    try mask([3, 2, 1, 0], "d.png")
    for name in [".DS_Store", ".hidden.png", "Thumbs.db", "README.txt"] {
      try folder.write([1], to: "images/\(name)")
      try folder.write([1], to: "masks/\(name)")
    }
    let pairs = try MaskFolder(images: images, masks: masks)
    #expect(pairs.images.files == ["a.b.png", "c.png", "d.JPG"])
    #expect(pairs.masks == ["\(masks)/a.b.png", nil, "\(masks)/d.png"])
    let loaded = try pairs.load(shape: [1, 2, 1], fit: .crop, threads: threads)
    #expect(loaded.images.values == [11, 12, 41, 42, 90, 90])
    #expect(loaded.masks.values == [1, 2, 0, 0, 2, 1])
    #expect(
      try loaded.masks.classes(["w", "x", "y", "z"]).values == [1, 2, 255, 255, 2, 1])
    let boxed = try pairs.load(shape: [3, 4, 3], fit: .letterbox, threads: threads)
    let binary = try boxed.masks.binary([("odd", [1, 3])])
    #expect(binary.values[..<12] == [255, 255, 255, 255, 0, 1, 0, 1, 255, 255, 255, 255])
  }

  @Test func badPairsAreLeftOut() throws {
    for (index, name) in ["a", "b", "c", "d"].enumerated() {
      try image(UInt8(index * 10), "\(name).png")
      try mask([0, 1, 0, UInt8(index)], "\(name).png")
    }
    try mask([1, 2], "b.png")
    try folder.write([], to: "images/c.png")
    let pairs = try MaskFolder(images: images, masks: masks)
    expectError(
      .badData,
      "\(masks)/b.png: has 2x1 pixels but its image \(images)/b.png has 4x1. Give both the same size. Of 4 pairs of "
        + "image and mask 2 are bad.", remedy: .leavingOutImages(2)
    ) { try pairs.load(shape: [1, 4, 1], fit: .crop, threads: 2) }
    let loaded = try pairs.load(shape: [1, 4, 1], fit: .crop, skipsBad: true, threads: 2)
    #expect(loaded.images.kept == [0, 3])
    #expect(loaded.images.bad.map(\.index) == [1, 2])
    #expect(loaded.images.values == [0, 1, 2, 3, 30, 31, 32, 33])
    #expect(loaded.masks.values == [0, 1, 0, 0, 0, 1, 0, 3])
    #expect(loaded.masks.paths == ["\(masks)/a.png", "\(masks)/d.png"])
  }

  // MARK: Errors

  @Test func maskWithoutImage() throws {
    try image(1, "a.png")
    try mask([1, 1, 1, 1], "b.png")
    try mask([1, 1, 1, 1], "c.png")
    try mask([1, 1, 1, 1], "a.png")
    expectError(
      .badData,
      "\(masks)/b.png: is a mask without an image b.png or b.jpg in \(images) (2 of 3 masks are). Add the image or take "
        + "the mask away."
    ) { try MaskFolder(images: images, masks: masks) }
  }

  @Test func foldersWithoutFiles() throws {
    expectError(
      .missingInput, "\(images): no such folder. Check the path."
    ) { try MaskFolder(images: images, masks: masks) }
    try image(1, "a.png")
    try folder.write([1], to: "masks/notes.txt")
    expectError(
      .missingInput, "\(masks): holds no masks for the 1 images of \(images). Check the path."
    ) { try MaskFolder(images: images, masks: masks) }
    expectError(.missingInput, "\(masks): holds no PNG or JPEG images. Check the path.") {
      try MaskFolder(images: masks, masks: masks)
    }
  }

  @Test func twoFilesOfOneName() throws {
    try image(1, "a.png")
    try image(1, "a.jpg")
    try mask([1, 1, 1, 1], "a.png")
    expectError(
      .badData, "\(images): a.jpg and a.png have the same name but for the ending. Take one away."
    ) { try MaskFolder(images: images, masks: masks) }
  }

  @Test func otherFormats() throws {
    try image(1, "a.tif")
    try mask([1], "a.png")
    expectError(.badData, "\(images)/a.tif: images are read from PNG and JPEG only. Convert it.") {
      try MaskFolder(images: images, masks: masks)
    }
  }
}
