// SPDX-License-Identifier: Apache-2.0
// How a camera was held: the Exif orientation of a JPEG file.

/// Which way up the pixels of a JPEG file are stored (Exif 2.3, tag 0x0112).
enum ExifOrientation: UInt16, CaseIterable {
  case upright = 1
  case mirrored
  case upsideDown
  case upsideDownMirrored
  case transposed
  /// To be turned by 90 degrees clockwise.
  case turnedLeft
  case transversed
  /// To be turned by 90 degrees counter-clockwise.
  case turnedRight

  /// Rows are stored as columns.
  var swapsSides: Bool { rawValue >= ExifOrientation.transposed.rawValue }

  /// What the file says; upright where it says nothing that can be read.
  init(jpeg bytes: UnsafeRawBufferPointer) {
    self = Self.exif(in: bytes).flatMap(Self.orientation).flatMap(ExifOrientation.init) ?? .upright
  }

  /// The stored place of the pixel that belongs at (x, y), in a stored image of that size.
  func stored(x: Int, y: Int, width: Int, height: Int) -> (x: Int, y: Int) {
    switch self {
    case .upright: (x, y)
    case .mirrored: (width - 1 - x, y)
    case .upsideDown: (width - 1 - x, height - 1 - y)
    case .upsideDownMirrored: (x, height - 1 - y)
    case .transposed: (y, x)
    case .turnedLeft: (y, height - 1 - x)
    case .transversed: (width - 1 - y, height - 1 - x)
    case .turnedRight: (width - 1 - y, x)
    }
  }

  /// The TIFF structure of the first Exif segment.
  private static func exif(in bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    var position = 2
    while position + 4 <= bytes.count, bytes[position] == 0xff {
      let marker = bytes[position + 1]
      if marker == 0xff {
        position += 1
        continue
      }
      let length = Int(bytes[position + 2]) << 8 | Int(bytes[position + 3])
      // The scan begins, or the segment ends after the file.
      guard marker != 0xda, length >= 2, position + 2 + length <= bytes.count else { return nil }
      let body = UnsafeRawBufferPointer(rebasing: bytes[position + 4..<position + 2 + length])
      if marker == 0xe1, body.starts(with: Array("Exif".utf8) + [0, 0]) {
        return UnsafeRawBufferPointer(rebasing: body[6...])
      }
      position += 2 + length
    }
    return nil
  }

  private static func orientation(tiff: UnsafeRawBufferPointer) -> UInt16? {
    guard tiff.count >= 8, tiff[0] == tiff[1], tiff[0] == UInt8(ascii: "I") || tiff[0] == UInt8(ascii: "M") else {
      return nil
    }
    let isLittle = tiff[0] == UInt8(ascii: "I")
    func short(_ at: Int) -> UInt16? {
      guard at >= 0, at + 2 <= tiff.count else { return nil }
      return isLittle ? UInt16(tiff[at + 1]) << 8 | UInt16(tiff[at]) : UInt16(tiff[at]) << 8 | UInt16(tiff[at + 1])
    }
    func long(_ at: Int) -> Int? {
      guard let first = short(at), let second = short(at + 2) else { return nil }
      return isLittle ? Int(second) << 16 | Int(first) : Int(first) << 16 | Int(second)
    }
    guard short(2) == 42, let directory = long(4), let count = short(directory) else { return nil }
    for entry in 0..<Int(count) {
      let at = directory + 2 + entry * 12
      guard let tag = short(at) else { return nil }
      // One 16-bit number, which stands in the entry itself.
      if tag == 0x0112 { return short(at + 2) == 3 ? short(at + 8) : nil }
    }
    return nil
  }
}
