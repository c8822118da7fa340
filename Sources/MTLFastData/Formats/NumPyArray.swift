// SPDX-License-Identifier: Apache-2.0
// An array of NumPy, and what a data set makes of it: an input, labels, values or masks.

import MTLFast

/// An array as NumPy stored it; the first dimension is that of the samples.
public struct NumPyArray: Sendable {
  /// The values, row-major, by the kind of number that was stored.
  public enum Storage: Sendable {
    /// `uint8` and `bool`.
    case bytes([UInt8])
    /// `float16`, `float32` and `float64`, as Float.
    case floats([Float])
    /// Every other integer.
    case integers([Int64])
  }

  /// Its name in a `.npz`, or that of the `.npy` file without the ending.
  public let name: String
  /// `[N, ...]`; empty for a single number.
  public let shape: [Int]
  public let storage: Storage

  public init(name: String, shape: [Int], storage: Storage) {
    self.name = name
    self.shape = shape
    self.storage = storage
  }

  /// An input column. Bytes stay bytes; integers become Floats.
  ///
  /// - Parameter shape: of one sample; nil takes the dimensions after the first: `[K]` of `[N, K]`, `[1]` of `[N]`,
  ///   `[H, W, 1]` of `[N, H, W]`.
  ///   It has to be these dimensions; an image may also be stored flat, `[N, H * W * C]`, and a grey one as `[N, H, W]`.
  /// - Throws: `MTLFastError` of kind `badData` where the shape is another, or a value is NaN or infinite.
  public func input(shape wanted: Shape? = nil) throws -> InputColumn {
    let own = try sampleShape(ranks: 1...4)
    let sample = wanted ?? (own.isEmpty ? [1] : own.count == 2 ? Shape(own + [1]) : Shape(own))
    guard Self.holds(own, sample), sample.checkedElementCount != nil else {
      throw MTLFastError(
        .badData,
        "Array '\(name)': has samples of shape \(own.isEmpty ? "1" : Shape(own).description) but the input's is \(sample). "
          + (sample.isImage && own == [sample.channels, sample.height, sample.width]
            ? Self.channelsFirst : "Set the input's shape, or reshape the array."))
    }
    switch storage {
    case .bytes(let values): return .bytes(shape: sample, values: values)
    case .integers(let values): return .floats(shape: sample, values: values.map { Float($0) })
    case .floats(let values):
      if let index = values.firstIndex(where: { !$0.isFinite }) {
        throw wrong(index, values, "\(values[index])", "an input has to be a finite number", "Replace it.")
      }
      return .floats(shape: sample, values: values)
    }
  }

  /// Class labels, of `[N]` or `[N, 1]`: whole numbers from 0, where -1 is missing; floats are taken where they are whole.
  ///
  /// - Parameter classNames: one for each class; nil names them `0`, `1`, ... up to the largest label.
  /// - Throws: `MTLFastError` of kind `badData` for another shape, or a label that isn't whole or has no class.
  public func labels(classNames: [String]? = nil) throws -> LabelColumn {
    let own = try sampleShape(ranks: 1...2)
    guard own.isEmpty || own == [1] else {
      throw MTLFastError(
        .badData,
        "Array '\(name)': has shape \(shape) but labels are [N] or [N, 1]. Take the column, or numpy.argmax of one-hot rows."
      )
    }
    let largest = classNames.map { $0.count - 1 } ?? Self.mostClasses - 1
    let values = try wholeNumbers { value in
      value < -1 || value > Int64(largest)
        ? "labels are \(largest < 0 ? "" : "0...\(largest), or ")-1 where one is missing" : nil
    }
    let names = classNames ?? (0...max(0, Int(values.max() ?? 0))).map(String.init)
    return LabelColumn(values: values.map { Int32($0) }, classNames: names)
  }

  /// Numbers to predict, of `[N]` or `[N, K]`; NaN is a missing one.
  ///
  /// - Parameter names: of the K values; nil takes the array's name, with `_0`, `_1`, ... where K is above 1.
  /// - Throws: `MTLFastError` of kind `badData` for another shape, another number of names or an infinite value.
  public func values(names: [String]? = nil) throws -> ValueColumn {
    let own = try sampleShape(ranks: 1...2)
    let count = own.first ?? 1
    let names = names ?? (count == 1 ? [name] : (0..<min(count, Self.mostClasses)).map { "\(name)_\($0)" })
    guard names.count == count else {
      throw MTLFastError(
        .badData, "Array '\(name)': has \(count) values a sample but \(names.count) names. Name each value.")
    }
    switch storage {
    case .bytes(let values): return ValueColumn(names: names, values: values.map { Float($0) })
    case .integers(let values): return ValueColumn(names: names, values: values.map { Float($0) })
    case .floats(let values):
      if let index = values.firstIndex(where: \.isInfinite) {
        throw wrong(
          index, values, "\(values[index])", "a value has to be finite, or NaN where it is missing", "Replace it.")
      }
      return ValueColumn(names: names, values: values)
    }
  }

  /// A label for each pixel: the class, of `[N, H, W]` or `[N, H, W, 1]`, or 0 and 1 of C masks, of `[N, H, W, C]`.
  /// 255 and -1 are ignored.
  ///
  /// - Parameter classNames: of the classes, or of the C masks; nil names them by number.
  /// - Throws: `MTLFastError` of kind `badData` for another shape, another number of names, or a pixel without a class.
  public func mask(classNames: [String]? = nil) throws -> MaskColumn {
    let own = try sampleShape(ranks: 3...4)
    let channels = own.count == 3 ? own[2] : 1
    if let classNames, channels > 1, classNames.count != channels {
      throw MTLFastError(
        .badData,
        "Array '\(name)': has \(channels) masks a sample but \(classNames.count) names. Name each mask.")
    }
    let isBinary = channels > 1 || classNames?.count == 1
    let largest = isBinary ? 1 : min(254, classNames.map { $0.count - 1 } ?? 254)
    let ignored = Int64(MaskColumn.ignored)
    let values = try wholeNumbers { value in
      (value < -1 || value > Int64(largest)) && value != ignored
        ? "pixels are 0...\(largest), or \(ignored) where one is ignored" : nil
    }
    let classes = values.lazy.filter { $0 != ignored }.max() ?? 0
    let names =
      classNames
      ?? (channels > 1 ? (0..<channels).map { "\(name)_\($0)" } : (0...max(0, Int(classes))).map(String.init))
    return MaskColumn(
      shape: .image(height: own[0], width: own[1], channels: channels),
      values: values.map { $0 < 0 ? MaskColumn.ignored : UInt8(truncatingIfNeeded: $0) }, classNames: names)
  }

  /// Refuses masks `[N, C, H, W]`, whose channels would be taken for rows.
  ///
  /// - Throws: `MTLFastError` of kind `badData` where only the axes after the first two are of that height and width.
  public func requireChannelsLast(height: Int, width: Int) throws {
    guard shape.count == 4, Array(shape[2...]) == [height, width], Array(shape[1...2]) != [height, width] else {
      return
    }
    throw MTLFastError(
      .badData,
      "Array '\(name)': has masks of shape \(Shape(Array(shape.dropFirst()))) but the image has \(height)x\(width) pixels. "
        + Self.channelsFirst)
  }

  // MARK: -

  private static let channelsFirst = "It looks like [N, C, H, W]; write it as [N, H, W, C]."

  /// Whether stored dimensions are those of a sample, in the same order of elements.
  private static func holds(_ own: [Int], _ sample: Shape) -> Bool {
    let dimensions = sample.dimensions
    if own == dimensions || own == [sample.checkedElementCount ?? -1] { return true }
    if own.isEmpty { return sample.checkedElementCount == 1 }
    return sample.isImage && sample.channels == 1 && own == Array(dimensions.prefix(2))
  }

  /// More classes than any name list, fewer than could exhaust memory.
  private static let mostClasses = 1 << 16

  /// The dimensions after the first.
  private func sampleShape(ranks: ClosedRange<Int>) throws -> [Int] {
    guard ranks.contains(shape.count) else {
      throw MTLFastError(
        .badData,
        "Array '\(name)': has \(shape.count) dimensions \(shape) but \(ranks.lowerBound) to \(ranks.upperBound) are "
          + "needed here. Reshape it.")
    }
    return Array(shape.dropFirst())
  }

  /// The values as whole numbers; `problem` says what is expected where one is wrong.
  private func wholeNumbers(_ problem: (Int64) -> String?) throws -> [Int64] {
    let whole: [Int64]
    switch storage {
    case .bytes(let values): whole = values.map { Int64($0) }
    case .integers(let values): whole = values
    case .floats(let values):
      if let index = values.firstIndex(where: { Int64(exactly: $0) == nil }) {
        throw wrong(
          index, values, "\(values[index])", "labels are whole numbers, -1 where one is missing", "Convert the array.")
      }
      whole = values.map { Int64(exactly: $0) ?? -1 }
    }
    for index in whole.indices {
      if let expected = problem(whole[index]) {
        throw wrong(index, whole, "\(whole[index])", expected, "Correct it, or name more classes.")
      }
    }
    return whole
  }

  private func wrong<Value>(
    _ index: Int, _ values: [Value], _ text: String, _ expected: String, _ fix: String
  ) -> MTLFastError {
    let perSample = max(1, values.count / max(1, shape.first ?? 1))
    return MTLFastError(
      .badData,
      "Array '\(name)': sample \(index / perSample), element \(index % perSample) is \(text), but \(expected). \(fix)"
    )
  }
}
