// SPDX-License-Identifier: Apache-2.0
// Tiny images that tests make themselves: PNG of every kind byte by byte, JPEG through libjpeg-turbo.

import CArchive
import CJPEG
import Testing

/// A PNG file written byte by byte, so that every kind of it can be made.
struct TinyPNG {
  var width: Int
  var height: Int
  var bitDepth = 8
  /// 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha.
  var colourType = 0
  /// Rows as stored: values of fewer than 8 bits are packed, those of 16 big-endian.
  var rows: [[UInt8]]
  /// In front of the pixels: palette, transparency, gamma.
  var chunks: [(type: String, bytes: [UInt8])] = []
  /// Of 8-bit grey: the rows in the seven passes of Adam7.
  var isInterlaced = false

  func encoded() throws -> [UInt8] {
    var lines = rows
    if isInterlaced {
      lines = []
      for (x0, y0, dx, dy) in [
        (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2),
      ] where x0 < width {
        for y in stride(from: y0, to: height, by: dy) {
          lines.append(stride(from: x0, to: width, by: dx).map { rows[y][$0] })
        }
      }
    }
    let header =
      TinyIDX.word(UInt32(width)) + TinyIDX.word(UInt32(height))
      + [UInt8(bitDepth), UInt8(colourType), 0, 0, isInterlaced ? 1 : 0]
    let data = try Self.deflate(lines.flatMap { [0] + $0 })
    return Self.signature + Self.chunk("IHDR", header) + chunks.flatMap { Self.chunk($0.type, $0.bytes) }
      + Self.chunk("IDAT", data) + Self.chunk("IEND", [])
  }

  static let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

  static func chunk(_ type: String, _ bytes: [UInt8]) -> [UInt8] {
    let body = Array(type.utf8) + bytes
    return TinyIDX.word(UInt32(bytes.count)) + body + TinyIDX.word(UInt32(crc32(0, body, uInt(body.count))))
  }

  private static func deflate(_ bytes: [UInt8]) throws -> [UInt8] {
    var size = compressBound(uLong(bytes.count))
    var output = [UInt8](repeating: 0, count: Int(size))
    try #require(compress(&output, &size, bytes, uLong(bytes.count)) == Z_OK)
    return Array(output[..<Int(size)])
  }

  static func grey(_ values: [UInt8], width: Int) -> TinyPNG {
    TinyPNG(
      width: width, height: values.count / width,
      rows: stride(from: 0, to: values.count, by: width).map { Array(values[$0..<$0 + width]) })
  }

  static func rgb(_ values: [UInt8], width: Int) -> TinyPNG {
    TinyPNG(
      width: width, height: values.count / width / 3, colourType: 2,
      rows: stride(from: 0, to: values.count, by: width * 3).map { Array(values[$0..<$0 + width * 3]) })
  }
}

/// A JPEG file of pixels `[height, width, channels]`: 1 grey, 3 RGB, 4 CMYK.
func jpeg(
  _ pixels: [UInt8], width: Int, height: Int, channels: Int = 3, quality: Int = 95, flags: Int32 = 0
) throws -> [UInt8] {
  let handle = try #require(tjInitCompress())
  defer { tjDestroy(handle) }
  var buffer: UnsafeMutablePointer<UInt8>?
  var size: UInt = 0
  let format = [1: TJPF_GRAY, 3: TJPF_RGB, 4: TJPF_CMYK][channels] ?? TJPF_RGB
  let sampling = channels == 1 ? TJSAMP_GRAY : channels == 3 ? TJSAMP_420 : TJSAMP_444
  try #require(
    tjCompress2(
      handle, pixels, Int32(width), 0, Int32(height), Int32(format.rawValue), &buffer, &size,
      Int32(sampling.rawValue), Int32(quality), flags) == 0)
  defer { tjFree(buffer) }
  return Array(UnsafeBufferPointer(start: buffer, count: Int(size)))
}

/// A JPEG file with an Exif segment behind its first two bytes.
func withExif(_ jpeg: [UInt8], orientation: UInt8, isLittle: Bool = true) -> [UInt8] {
  let tiff: [UInt8] =
    isLittle
    ? [0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0, 0, 0, 0, 0]
    : [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]
  let body = Array("Exif".utf8) + [0, 0] + tiff
  let segment: [UInt8] = [0xff, 0xe1, 0, UInt8(body.count + 2)] + body
  return Array(jpeg[..<2]) + segment + Array(jpeg[2...])
}

/// A colour picture without sharp edges, `[height, width, 3]`.
func smoothPixels(width: Int, height: Int) -> [UInt8] {
  var pixels: [UInt8] = []
  for y in 0..<height {
    for x in 0..<width {
      pixels.append(UInt8(x * 255 / max(1, width - 1)))
      pixels.append(UInt8(y * 255 / max(1, height - 1)))
      pixels.append(UInt8((x + y) * 255 / max(1, width + height - 2)))
    }
  }
  return pixels
}
