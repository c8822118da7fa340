// SPDX-License-Identifier: Apache-2.0
// What the values of mask files mean: classes, or several masks of 0 and 1.

import MTLFast

/// Masks as stored in their files, before it is said what a value means.
public struct RawMasks: Sendable {
  /// Of one mask, `[H, W, C]`; C is 1 for values or indices, 3 for colours.
  public let shape: Shape
  /// `[N, H, W, C]`; those outside the region mean nothing.
  public let values: [UInt8]
  /// Of each mask, the pixels that it labels: not the bars of a letterbox, and none where an image has no mask.
  public let regions: [PixelRegion]
  /// Of each mask, for messages.
  public let paths: [String]

  /// A class for each pixel: a value is the index of its class.
  ///
  /// - Parameters:
  ///   - names: of the classes, up to 255.
  ///   - ignore: values that label nothing; they become `MaskColumn.ignored`, as does what no mask covers.
  /// - Throws: `MTLFastError` of kind `badData` where a value has no class, `usage` where there are no or too many classes
  ///   or the masks are colours.
  public func classes(_ names: [String], ignore: [Int] = []) throws -> MaskColumn {
    try requireValues(ignore: ignore)
    guard (1...255).contains(names.count) else {
      throw MTLFastError(.usage, "Masks of \(names.count) classes: name 1...255, since 255 stands for no label.")
    }
    var table = [UInt8?](repeating: nil, count: 256)
    for value in names.indices { table[value] = UInt8(value) }
    for value in ignore { table[value] = MaskColumn.ignored }
    return try column(names, channels: 1) { mask, value, _ in
      guard let label = table[Int(value)] else {
        throw MTLFastError(
          .badData,
          "\(paths[mask]): holds \(value) but there are \(names.count) classes (0...\(names.count - 1)). "
            + "Name more classes, or ignore: [\(value)].")
      }
      return label
    }
  }

  /// A mask of 0 and 1 for each name: 1 where the value is one of its values.
  ///
  /// - Parameters:
  ///   - map: a value may be in several lists; one that is in none is 0 in all masks.
  ///   - ignore: values that label nothing; they become `MaskColumn.ignored` in all masks.
  /// - Throws: `MTLFastError` of kind `usage` where the map is empty, names a mask twice or a value that can't occur or is
  ///   ignored, or the masks are colours.
  public func binary(_ map: [(name: String, values: [Int])], ignore: [Int] = []) throws -> MaskColumn {
    try requireValues(ignore: ignore)
    guard !map.isEmpty else { throw MTLFastError(.usage, "The map of masks is empty. Map a name to its values.") }
    var table = [UInt8](repeating: 0, count: 256 * map.count)
    for (channel, entry) in map.enumerated() {
      if map[..<channel].contains(where: { $0.name == entry.name }) {
        throw MTLFastError(.usage, "The map names mask '\(entry.name)' twice. Give each mask a name of its own.")
      }
      for value in entry.values {
        guard (0...255).contains(value), !ignore.contains(value) else {
          throw MTLFastError(
            .usage,
            (0...255).contains(value)
              ? "Mask '\(entry.name)' maps the value \(value), which is also ignored. Take it out of one of them."
              : "Mask '\(entry.name)' maps the value \(value) but masks hold 0...255. Check the map.")
        }
        table[value * map.count + channel] = 1
      }
    }
    for value in ignore {
      for channel in map.indices { table[value * map.count + channel] = MaskColumn.ignored }
    }
    return try column(map.map(\.name), channels: map.count) { _, value, channel in
      table[Int(value) * map.count + channel]
    }
  }

  /// A mask of 0 and 1 for each of the three colours: 1 where it is brighter than 127.
  ///
  /// - Throws: `MTLFastError` of kind `usage` where there aren't three names, or the masks aren't colours.
  public func colours(_ names: [String]) throws -> MaskColumn {
    guard shape.channels == 3, names.count == 3 else {
      throw MTLFastError(
        .usage,
        "Masks by colour need 3 names (red, green, blue) and masks of 3 channels, not \(names.count) names and "
          + "\(shape.channels) channels.")
    }
    return try column(names, channels: 3) { _, value, _ in value > 127 ? 1 : 0 }
  }

  private func requireValues(ignore: [Int]) throws {
    guard shape.channels == 1 else {
      throw MTLFastError(.usage, "Masks of \(shape.channels) channels have no class values. Read them with 1 channel.")
    }
    for value in ignore where !(0...255).contains(value) {
      throw MTLFastError(.usage, "Masks ignore the value \(value) but hold 0...255. Check ignore.")
    }
  }

  /// `label` gets the number of the mask, a stored value and the channel of the result.
  private func column(
    _ names: [String], channels: Int, label: (_ mask: Int, _ value: UInt8, _ channel: Int) throws -> UInt8
  ) throws -> MaskColumn {
    let result = Shape.image(height: shape.height, width: shape.width, channels: channels)
    let area = shape.height * shape.width
    var labels = [UInt8](repeating: MaskColumn.ignored, count: area * channels * regions.count)
    for (mask, region) in regions.enumerated() {
      for y in region.top..<region.top + region.height {
        for x in region.left..<region.left + region.width {
          let pixel = mask * area + y * shape.width + x
          for channel in 0..<channels {
            let value = values[shape.channels == 1 ? pixel : pixel * shape.channels + channel]
            labels[pixel * channels + channel] = try label(mask, value, channel)
          }
        }
      }
    }
    return MaskColumn(shape: result, values: labels, classNames: names)
  }
}
