// SPDX-License-Identifier: Apache-2.0
// Predicted masks as PNG files.

import Files
import MTLFast
import MTLFastData

/// Writes predicted masks below a folder, which it makes when there is one to write.
final class MaskWriter {
  private let folder: String
  /// By sample, so that two of one name (`a/x.png`, `b/x.png`) get files of their own.
  private var stems: [String: String] = [:]
  private var taken: Set<String> = []

  init(folder: String) { self.folder = folder }

  /// Writes one sample's mask and says which share of the pixels each class or mask has, and in which file it is.
  ///
  /// Classes of pixels are a palette image whose values are the class indices. One mask is grey, 0 or 255; three are
  /// the channels of a colour image; any other number are files of their own.
  ///
  /// - Parameters:
  ///   - values: probabilities, `[H, W, classes or masks]`.
  ///   - sample: the file's name comes from it.
  func write(
    _ values: [Float], of head: Head, shape: Shape, sample: String
  ) throws -> [(name: String, share: Double, file: String)] {
    let names = head.task.names
    let pixels = shape.height * shape.width
    let path = "\(folder)/\(stem(of: sample))-\(head.name)"
    if case .segmentation = head.task {
      let classes = (0..<pixels).map { pixel -> UInt8 in
        let first = pixel * names.count
        return UInt8(names.indices.max { values[first + $0] < values[first + $1] } ?? 0)
      }
      try PNGWriter.write(
        indices: classes, palette: names.indices.map(Self.colour), height: shape.height, width: shape.width,
        to: "\(path).png")
      var counts = [Int](repeating: 0, count: names.count)
      for pixel in classes { counts[Int(pixel)] += 1 }
      return zip(names, counts).map { ($0, Double($1) / Double(pixels), "\(path).png") }
    }
    let bytes = values.map { $0 > 0.5 ? UInt8(255) : 0 }
    let isOne = names.count == 1 || names.count == 3
    let masks = names.indices.map { mask in
      (
        name: names[mask], share: Double((0..<pixels).count { bytes[$0 * names.count + mask] > 0 }) / Double(pixels),
        file: isOne ? "\(path).png" : "\(path)-\(fileName(names[mask])).png"
      )
    }
    if isOne {
      try PNGWriter.write(
        bytes, height: shape.height, width: shape.width, channels: names.count, to: "\(path).png")
      return masks
    }
    for mask in names.indices {
      try PNGWriter.write(
        (0..<pixels).map { bytes[$0 * names.count + mask] }, height: shape.height, width: shape.width, channels: 1,
        to: masks[mask].file)
    }
    return masks
  }

  /// `photo` for `a/photo.jpg`, `p-17` for `p.npz:17`; `photo-2` for the second sample of that name.
  private func stem(of sample: String) -> String {
    var path = sample
    var row = ""
    if let colon = sample.lastIndex(of: ":"), Int(sample[sample.index(after: colon)...]) != nil {
      path = String(sample[..<colon])
      row = "-\(sample[sample.index(after: colon)...])"
    }
    let name = fileName(path) + row
    if let stem = stems[sample] { return stem }
    var stem = name
    var number = 1
    while !taken.insert(stem).inserted {
      number += 1
      stem = "\(name)-\(number)"
    }
    stems[sample] = stem
    return stem
  }

  /// The last part of a path without its ending, with nothing that a file name can't have.
  private func fileName(_ text: String) -> String {
    var name = text.split(separator: "/").last.map(String.init) ?? text
    if let dot = name.lastIndex(of: "."), dot != name.startIndex { name = String(name[..<dot]) }
    return String(name.map { $0.isLetter || $0.isNumber || "-_.".contains($0) ? $0 : "-" })
  }

  /// Twelve hues, neighbours in the list far apart on their circle; then the same, darker.
  private static func colour(_ index: Int) -> (red: UInt8, green: UInt8, blue: UInt8) {
    let hue = Double(index * 150 % 360) / 60
    let rest = hue - 2 * (hue / 2).rounded(.down)
    let light = [235.0, 150.0, 90.0][index / 12 % 3]
    let (high, middle, low) = (UInt8(light), UInt8(light * (1 - 0.85 * (rest - 1).magnitude)), UInt8(light * 0.15))
    switch Int(hue) {
    case 0: return (high, middle, low)
    case 1: return (middle, high, low)
    case 2: return (low, high, middle)
    case 3: return (low, middle, high)
    case 4: return (middle, low, high)
    default: return (high, low, middle)
    }
  }
}
