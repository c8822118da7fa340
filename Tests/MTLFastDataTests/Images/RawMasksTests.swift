// SPDX-License-Identifier: Apache-2.0
// What mask values become, and which are refused.

import MTLFast
import MTLFastData
import Testing

@testable import MTLFastData

struct RawMasksTests {
  /// Two masks of 1x4: one whole, one of the two pixels in the middle; and one that is missing.
  private let masks = RawMasks(
    shape: [1, 4, 1], values: [0, 1, 2, 9, 9, 1, 0, 9, 0, 0, 0, 0],
    regions: [
      PixelRegion(top: 0, left: 0, height: 1, width: 4), PixelRegion(top: 0, left: 1, height: 1, width: 2), .empty,
    ], paths: ["a.png", "b.png", ""])

  @Test func classes() throws {
    let column = try masks.classes(["x", "y", "z"], ignore: [9])
    #expect(column.shape == [1, 4, 1])
    #expect(column.classNames == ["x", "y", "z"])
    #expect(column.values == [0, 1, 2, 255, 255, 1, 0, 255, 255, 255, 255, 255])
    #expect([0, 1, 2].map(column.isPresent) == [true, true, false])
    // A class can be ignored too.
    #expect(try masks.classes(["x", "y", "z"], ignore: [9, 1]).values[..<4] == [0, 255, 2, 255])
  }

  @Test func binary() throws {
    let column = try masks.binary([("low", [0, 1]), ("one", [1])], ignore: [2])
    #expect(column.shape == [1, 4, 2])
    #expect(column.classNames == ["low", "one"])
    #expect(column.values[..<8] == [1, 0, 1, 1, 255, 255, 0, 0])
    #expect(column.values[8..<16] == [255, 255, 1, 1, 1, 0, 255, 255])
    #expect(column.values[16...].allSatisfy { $0 == 255 })
  }

  @Test func colours() throws {
    let masks = RawMasks(
      shape: [1, 2, 3], values: [0, 127, 128, 255, 0, 200],
      regions: [PixelRegion(top: 0, left: 0, height: 1, width: 2)], paths: ["a.png"])
    let column = try masks.colours(["r", "g", "b"])
    #expect(column.shape == [1, 2, 3])
    #expect(column.values == [0, 0, 1, 1, 0, 1])
  }

  @Test func errors() {
    expectError(
      .badData, "a.png: holds 9 but there are 3 classes (0...2). Name more classes, or ignore: [9]."
    ) { try masks.classes(["x", "y", "z"]) }
    expectError(.usage, "Masks of 0 classes: name 1...255, since 255 stands for no label.") { try masks.classes([]) }
    expectError(.usage, "Masks of 256 classes: name 1...255, since 255 stands for no label.") {
      try masks.classes((0..<256).map(String.init))
    }
    expectError(.usage, "Masks ignore the value 256 but hold 0...255. Check ignore.") {
      try masks.classes(["x"], ignore: [256])
    }
    expectError(.usage, "The map of masks is empty. Map a name to its values.") { try masks.binary([]) }
    expectError(.usage, "The map names mask 'x' twice. Give each mask a name of its own.") {
      try masks.binary([("x", [1]), ("x", [2])])
    }
    expectError(.usage, "Mask 'x' maps the value -1 but masks hold 0...255. Check the map.") {
      try masks.binary([("x", [-1])])
    }
    expectError(.usage, "Mask 'x' maps the value 9, which is also ignored. Take it out of one of them.") {
      try masks.binary([("x", [9])], ignore: [9])
    }
    expectError(
      .usage, "Masks by colour need 3 names (red, green, blue) and masks of 3 channels, not 2 names and 1 channels."
    ) { try masks.colours(["r", "g"]) }
    let colours = RawMasks(shape: [1, 1, 3], values: [], regions: [], paths: [])
    expectError(.usage, "Masks of 3 channels have no class values. Read them with 1 channel.") {
      try colours.classes(["x"])
    }
  }
}
