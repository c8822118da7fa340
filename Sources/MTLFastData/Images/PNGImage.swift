// SPDX-License-Identifier: Apache-2.0
// PNG files through libpng's simplified API, as the values that are stored.

import CPNG
import Files
import MTLFast

/// A PNG file in memory whose header was read.
///
/// Only the chunks that hold pixels are shown to libpng: with gamma or colour profiles in sight it would change values,
/// and texts or profiles could be bombs.
struct PNGImage {
  static let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

  enum Kind: UInt8 {
    case grey = 0
    case rgb = 2
    case palette = 3
    case greyAlpha = 4
    case rgbAlpha = 6
  }

  let width: Int
  let height: Int
  /// Of a value as stored: 1, 2, 4, 8 or 16.
  let bitDepth: Int
  let kind: Kind
  /// By a channel of its own, a transparent colour or a transparent entry of the palette.
  let hasAlpha: Bool
  /// Before alpha: 1 for grey, else 3.
  var channels: Int { kind == .grey || kind == .greyAlpha ? 1 : 3 }

  private let name: String
  private let fileBytes: Int
  private let bytes: UnsafeRawBufferPointer

  /// - Parameters:
  ///   - bytes: the whole file, which must outlive this value. What libpng isn't to see is taken out of it.
  ///   - name: of the file, for messages.
  init(bytes: UnsafeMutableRawBufferPointer, name: String) throws {
    func damage(_ reason: String) -> MTLFastError { Self.damage(name, bytes.count, reason) }
    func word(_ at: Int) -> Int { (0..<4).reduce(0) { $0 << 8 | Int(bytes[at + $1]) } }
    func isChunk(_ at: Int, _ type: String) -> Bool { bytes[at + 4..<at + 8].elementsEqual(type.utf8) }

    guard bytes.count >= 33, isChunk(8, "IHDR"), word(8) == 13 else { throw damage("it has no header") }
    width = word(16)
    height = word(20)
    bitDepth = Int(bytes[24])
    let colourType = bytes[25]
    try ImageFile.checkSize(width: width, height: height, name: name)
    guard let kind = Kind(rawValue: colourType), [1, 2, 4, 8, 16].contains(bitDepth) else {
      throw damage("colour type \(colourType), \(bitDepth) bits")
    }
    self.kind = kind
    var kept = 8
    var position = 8
    var dataBytes = 0
    var hasTransparency = false
    var isComplete = false
    while !isComplete, position + 12 <= bytes.count {
      let length = word(position)
      guard length <= bytes.count - position - 12 else { break }
      hasTransparency = hasTransparency || isChunk(position, "tRNS")
      if isChunk(position, "IDAT") { dataBytes += length }
      isComplete = isChunk(position, "IEND")
      // Names of chunks that a decoder can't do without begin with a capital letter.
      if bytes[position + 4] & 0x20 == 0 || isChunk(position, "tRNS") {
        let chunk = UnsafeRawBufferPointer(rebasing: bytes[position..<position + 12 + length])
        UnsafeMutableRawBufferPointer(rebasing: bytes[kept...]).copyMemory(from: chunk)
        kept += chunk.count
      }
      position += 12 + length
    }
    guard isComplete else { throw damage("it breaks off") }
    hasAlpha = hasTransparency || kind == .greyAlpha || kind == .rgbAlpha
    self.name = name
    fileBytes = bytes.count
    self.bytes = UnsafeRawBufferPointer(rebasing: bytes[..<kept])
    let stored: Int =
      switch kind {
      case .grey, .palette: 1
      case .greyAlpha: 2
      case .rgb: 3
      case .rgbAlpha: 4
      }
    // Deflate shrinks to 1/1032 at most.
    guard width * height * stored * bitDepth / 8 / 1032 <= dataBytes else {
      throw MTLFastError(
        .badData,
        "\(name): the header promises \(width)x\(height) pixels but the file has only \(fileBytes) bytes. "
          + "It is damaged: get it again.")
    }
  }

  /// The pixels `[height, width, channels]`, alpha composited on black.
  func decode(channels target: Int, pixels: ScratchMemory) throws -> UnsafeMutablePointer<UInt8> {
    // Grey becomes colour in libpng, colour becomes grey here, by the weights that JPEG has.
    let isGrey = channels == 1 && target == 1
    let alpha = hasAlpha ? 1 : 0
    let format = isGrey ? [mtlf_png_gray, mtlf_png_gray_alpha][alpha] : [mtlf_png_rgb, mtlf_png_rgba][alpha]
    let decoded = (isGrey ? 1 : 3) + alpha
    let memory = try decode(format: format, bytesPerPixel: decoded, pixels: pixels)
    guard decoded != target else { return memory }
    // In place: no pixel grows.
    for index in 0..<width * height {
      let pixel = memory + index * decoded
      let opacity = hasAlpha ? UInt32(pixel[decoded - 1]) : 255
      func onBlack(_ channel: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: (UInt32(pixel[channel]) * opacity + 127) / 255)
      }
      if isGrey {
        memory[index] = onBlack(0)
      } else {
        let colour = (onBlack(0), onBlack(1), onBlack(2))
        if target == 1 {
          memory[index] = ImageFile.luma(colour.0, colour.1, colour.2)
        } else {
          (memory[index * 3], memory[index * 3 + 1], memory[index * 3 + 2]) = colour
        }
      }
    }
    return memory
  }

  /// The numbers as stored, one of every `bytesPerPixel` bytes: grey values (of fewer than 8 bits too) or indices into the
  /// palette. Alpha is left out.
  func decodeIndices(pixels: ScratchMemory) throws -> (values: UnsafeMutablePointer<UInt8>, bytesPerPixel: Int) {
    if kind == .greyAlpha {
      return (try decode(format: mtlf_png_gray_alpha, bytesPerPixel: 2, pixels: pixels), 2)
    }
    return (try decode(format: mtlf_png_rgba_palette, bytesPerPixel: 1, pixels: pixels), 1)
  }

  /// Colours as stored, the first three of every `bytesPerPixel` bytes. Alpha is left out.
  func decodeColours(pixels: ScratchMemory) throws -> (values: UnsafeMutablePointer<UInt8>, bytesPerPixel: Int) {
    (try decode(format: mtlf_png_rgba, bytesPerPixel: 4, pixels: pixels), 4)
  }

  private func decode(
    format: Int, bytesPerPixel: Int, pixels: ScratchMemory
  ) throws -> UnsafeMutablePointer<UInt8> {
    var image = png_image()
    image.version = UInt32(PNG_IMAGE_VERSION)
    defer { png_image_free(&image) }
    guard png_image_begin_read_from_memory(&image, bytes.baseAddress, bytes.count) != 0 else {
      throw damage(Self.message(of: image))
    }
    image.format = UInt32(format)
    // 16 bits are as linear as 8 are.
    image.flags |= UInt32(PNG_IMAGE_FLAG_16BIT_sRGB)
    image.colormap_entries = 256
    let memory = try pixels.reserve(width * height * bytesPerPixel, for: name)
    var palette = [UInt8](repeating: 0, count: 256 * 4)
    guard png_image_finish_read(&image, nil, memory, Int32(width * bytesPerPixel), &palette) != 0 else {
      throw damage(Self.message(of: image))
    }
    return memory.assumingMemoryBound(to: UInt8.self)
  }

  private func damage(_ reason: String) -> MTLFastError { Self.damage(name, fileBytes, reason) }

  private static func damage(_ name: String, _ byteCount: Int, _ reason: String) -> MTLFastError {
    MTLFastError(.badData, "\(name): is a damaged PNG image of \(byteCount) bytes (\(reason)). Get the file again.")
  }

  /// What libpng says went wrong.
  static func message(of image: png_image) -> String {
    withUnsafeBytes(of: image.message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
