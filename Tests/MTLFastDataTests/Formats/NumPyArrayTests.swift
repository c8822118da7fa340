// SPDX-License-Identifier: Apache-2.0
// Arrays as columns of a data set, and which element is wrong.

import MTLFast
import MTLFastData
import Testing

struct NumPyArrayTests {
  private func array(_ shape: [Int], _ floats: [Float]) -> NumPyArray {
    NumPyArray(name: "a", shape: shape, storage: .floats(floats))
  }

  private func array(_ shape: [Int], integers: [Int64]) -> NumPyArray {
    NumPyArray(name: "a", shape: shape, storage: .integers(integers))
  }

  @Test func inputs() throws {
    let images = NumPyArray(name: "a", shape: [2, 1, 2], storage: .bytes([1, 2, 3, 4]))
    guard case .bytes(let shape, let bytes) = try images.input() else {
      Issue.record("not bytes")
      return
    }
    #expect(shape == [1, 2, 1])
    #expect(bytes == [1, 2, 3, 4])
    #expect(try array([2, 2], [1, 2, 3, 4]).input().shape == [2])
    #expect(try array([2], [1, 2]).input().shape == [1])
    #expect(try array([1, 4], [1, 2, 3, 4]).input(shape: [2, 2, 1]).shape == [2, 2, 1])
    guard case .floats(_, let values) = try array([2], integers: [3, -4]).input() else {
      Issue.record("not floats")
      return
    }
    #expect(values == [3, -4])
  }

  @Test func inputsThatAreWrong() {
    expectError(
      .badData,
      "Array 'a': has samples of shape 2 but the input's is 3. Set the input's shape, or reshape the array."
    ) { try array([1, 2], [1, 2]).input(shape: [3]) }
    expectError(
      .badData,
      "Array 'a': sample 1, element 0 is nan, but an input has to be a finite number. Replace it."
    ) { try array([2, 2], [1, 2, .nan, 4]).input() }
    expectError(
      .badData, "Array 'a': has 0 dimensions [] but 1 to 4 are needed here. Reshape it."
    ) { try array([], [1]).input() }
    #expect(throws: MTLFastError.self) { try array([2, 0], []).input() }
  }

  @Test func theAxesOfAnInput() throws {
    func shape(_ own: [Int], _ wanted: Shape) throws -> Shape {
      try array([2] + own, [Float](repeating: 1, count: 2 * own.reduce(1, *))).input(shape: wanted).shape
    }
    for own in [[4, 6, 3], [72]] { #expect(try shape(own, [4, 6, 3]) == [4, 6, 3]) }
    for own in [[4, 6, 1], [4, 6], [24]] { #expect(try shape(own, [4, 6, 1]) == [4, 6, 1]) }
    #expect(try shape([], [1]) == [1])
    expectError(
      .badData,
      "Array 'a': has samples of shape 3x4x6 but the input's is 4x6x3. It looks like [N, C, H, W]; write it as [N, H, W, C]."
    ) { try shape([3, 4, 6], [4, 6, 3]) }
    for (own, wanted) in [
      ([6, 4, 3], [4, 6, 3] as Shape), ([6, 4], [4, 6, 1]), ([2, 2], [4]), ([2, 12, 3], [4, 6, 3]),
    ] {
      let found = Shape(own).description
      expectError(
        .badData,
        "Array 'a': has samples of shape \(found) but the input's is \(wanted). Set the input's shape, or reshape the array."
      ) { try shape(own, wanted) }
    }
  }

  @Test func theAxesOfMasks() throws {
    let masks = array([1, 2, 4, 6], [Float](repeating: 1, count: 48))
    expectError(
      .badData,
      "Array 'a': has masks of shape 2x4x6 but the image has 4x6 pixels. It looks like [N, C, H, W]; write it as [N, H, W, C]."
    ) { try masks.requireChannelsLast(height: 4, width: 6) }
    try masks.requireChannelsLast(height: 2, width: 4)
    try array([1, 4, 6], [Float](repeating: 1, count: 24)).requireChannelsLast(height: 4, width: 6)
  }

  @Test func labels() throws {
    let found = try array([4], integers: [2, -1, 0, 1]).labels()
    #expect(found.values == [2, -1, 0, 1])
    #expect(found.classNames == ["0", "1", "2"])
    #expect(try array([2, 1], [1, 0]).labels(classNames: ["x", "y"]).values == [1, 0])
    #expect(try NumPyArray(name: "a", shape: [1], storage: .bytes([1])).labels().classNames == ["0", "1"])
  }

  @Test func labelsThatAreWrong() {
    expectError(
      .badData,
      "Array 'a': sample 1, element 0 is 2, but labels are 0...1, or -1 where one is missing. "
        + "Correct it, or name more classes."
    ) { try array([2], integers: [0, 2]).labels(classNames: ["x", "y"]) }
    expectError(
      .badData,
      "Array 'a': sample 0, element 0 is 0.5, but labels are whole numbers, -1 where one is missing. "
        + "Convert the array."
    ) { try array([1], [0.5]).labels() }
    #expect(throws: MTLFastError.self) { try array([1], [.nan]).labels() }
    #expect(throws: MTLFastError.self) { try array([1], integers: [.max]).labels() }
    expectError(
      .badData,
      "Array 'a': has shape [1, 2] but labels are [N] or [N, 1]. Take the column, or numpy.argmax of one-hot rows."
    ) { try array([1, 2], [0, 1]).labels() }
  }

  @Test func values() throws {
    let column = try array([2, 2], [1, .nan, 3, 4]).values()
    #expect(column.names == ["a_0", "a_1"])
    #expect(column.values[1].isNaN)
    #expect(try array([2], [1, 2]).values().names == ["a"])
    #expect(try array([2], integers: [1, 2]).values(names: ["mpg"]).values == [1, 2])
    expectError(.badData, "Array 'a': has 2 values a sample but 1 names. Name each value.") {
      try array([1, 2], [1, 2]).values(names: ["x"])
    }
    expectError(
      .badData,
      "Array 'a': sample 1, element 0 is inf, but a value has to be finite, or NaN where it is missing. Replace it."
    ) { try array([2], [1, .infinity]).values() }
  }

  @Test func masks() throws {
    let classes = try array([1, 2, 2], integers: [0, 2, -1, 255]).mask()
    #expect(classes.shape == [2, 2, 1])
    #expect(classes.values == [0, 2, 255, 255])
    #expect(classes.classNames == ["0", "1", "2"])
    let binary = try array([1, 1, 2, 2], [0, 1, 1, 0]).mask(classNames: ["road", "sky"])
    #expect(binary.shape == [1, 2, 2])
    #expect(binary.values == [0, 1, 1, 0])
    expectError(
      .badData,
      "Array 'a': sample 0, element 1 is 2, but pixels are 0...1, or 255 where one is ignored. "
        + "Correct it, or name more classes."
    ) { try array([1, 1, 1, 2], integers: [0, 2]).mask() }
    expectError(.badData, "Array 'a': has 2 masks a sample but 3 names. Name each mask.") {
      try array([1, 1, 1, 2], integers: [0, 1]).mask(classNames: ["a", "b", "c"])
    }
  }
}
