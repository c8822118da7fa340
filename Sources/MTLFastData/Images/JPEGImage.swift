// SPDX-License-Identifier: Apache-2.0
// JPEG files through libjpeg-turbo, decoded no larger than needed.

import CJPEG
import Files
import MTLFast

/// A JPEG file in memory whose header was read.
///
/// Any warning of the decoder is an error: it goes on after damage and paints the rest grey.
final class JPEGImage {
  static let signature: [UInt8] = [0xff, 0xd8, 0xff]

  /// As stored, before it is turned upright.
  let storedWidth: Int
  let storedHeight: Int
  /// 1 for grey, else 3.
  let channels: Int
  let orientation: ExifOrientation
  var width: Int { orientation.swapsSides ? storedHeight : storedWidth }
  var height: Int { orientation.swapsSides ? storedWidth : storedHeight }

  private let name: String
  private let bytes: UnsafeRawBufferPointer
  private let handle: tjhandle
  private let isFourInks: Bool

  /// - Parameters:
  ///   - bytes: the whole file, which must outlive this object.
  ///   - name: of the file, for messages.
  init(bytes: UnsafeRawBufferPointer, name: String) throws {
    guard let handle = tjInitDecompress() else {
      throw MTLFastError(.system, "\(name): libjpeg-turbo refused to start. Memory may be short.")
    }
    var width: Int32 = 0
    var height: Int32 = 0
    var subsampling: Int32 = 0
    var colours: Int32 = 0
    let status = tjDecompressHeader3(
      handle, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt(bytes.count), &width, &height, &subsampling,
      &colours)
    self.handle = handle
    self.name = name
    self.bytes = bytes
    storedWidth = Int(width)
    storedHeight = Int(height)
    channels = colours == Int32(TJCS_GRAY.rawValue) ? 1 : 3
    isFourInks = colours == Int32(TJCS_CMYK.rawValue) || colours == Int32(TJCS_YCCK.rawValue)
    orientation = ExifOrientation(jpeg: bytes)
    // From here on `deinit` destroys the handle.
    guard status == 0 else { throw damage() }
    try ImageFile.checkSize(width: storedWidth, height: storedHeight, name: name)
    // A block of 64 pixels takes at least one bit of its component, and one component has all pixels.
    guard storedWidth * storedHeight / 512 <= bytes.count else {
      throw MTLFastError(
        .badData,
        "\(name): the header promises \(storedWidth)x\(storedHeight) pixels but the file has only \(bytes.count) bytes. "
          + "It is damaged: get it again.")
    }
  }

  deinit { tjDestroy(handle) }

  /// The largest of 1, 2, 4, 8 that leaves at least as many pixels as the output shows; the decoder can skip that much
  /// of its work.
  static func divisor(for geometry: ImageGeometry) -> Int {
    [8, 4, 2].first {
      geometry.width >= Double(geometry.region.width * $0) && geometry.height >= Double(geometry.region.height * $0)
    } ?? 1
  }

  /// The pixels `[height, width, channels]` shrunk to 1/`divisor` (sides rounded up) and turned upright.
  ///
  /// - Returns: memory of `pixels` or `turned`, and the size.
  func decode(
    divisor: Int, channels: Int, pixels: ScratchMemory, turned: ScratchMemory
  ) throws -> (pixels: UnsafeMutablePointer<UInt8>, width: Int, height: Int) {
    let width = (storedWidth + divisor - 1) / divisor
    let height = (storedHeight + divisor - 1) / divisor
    let decodedChannels = isFourInks ? 4 : channels
    let memory = try pixels.reserve(width * height * decodedChannels, for: name).assumingMemoryBound(to: UInt8.self)
    let format = isFourInks ? TJPF_CMYK : channels == 1 ? TJPF_GRAY : TJPF_RGB
    // A file of many thousand scans would keep the decoder busy for hours.
    let status = tjDecompress2(
      handle, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt(bytes.count), memory, Int32(width),
      Int32(width * decodedChannels), Int32(height), Int32(format.rawValue),
      TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS)
    guard status == 0 else { throw damage() }
    if isFourInks { Self.mixInks(memory, count: width * height, channels: channels) }
    guard orientation != .upright else { return (memory, width, height) }
    let upright = try turned.reserve(width * height * channels, for: name).assumingMemoryBound(to: UInt8.self)
    let uprightWidth = orientation.swapsSides ? height : width
    let uprightHeight = orientation.swapsSides ? width : height
    var target = upright
    for y in 0..<uprightHeight {
      for x in 0..<uprightWidth {
        let stored = orientation.stored(x: x, y: y, width: width, height: height)
        target.update(from: memory + (stored.y * width + stored.x) * channels, count: channels)
        target += channels
      }
    }
    return (upright, uprightWidth, uprightHeight)
  }

  /// CMYK to RGB or grey, in place. Files of this kind hold the paper that stays white, as Adobe's programs write them.
  private static func mixInks(_ pixels: UnsafeMutablePointer<UInt8>, count: Int, channels: Int) {
    for index in 0..<count {
      let black = UInt32(pixels[index * 4 + 3])
      func mix(_ ink: Int) -> UInt8 { UInt8(truncatingIfNeeded: (UInt32(pixels[index * 4 + ink]) * black + 127) / 255) }
      let colour = (mix(0), mix(1), mix(2))
      if channels == 1 {
        pixels[index] = ImageFile.luma(colour.0, colour.1, colour.2)
      } else {
        (pixels[index * 3], pixels[index * 3 + 1], pixels[index * 3 + 2]) = colour
      }
    }
  }

  private func damage() -> MTLFastError {
    let reason = tjGetErrorStr2(handle).map { String(cString: $0) } ?? "no reason given"
    return MTLFastError(
      .badData, "\(name): is a damaged JPEG image of \(bytes.count) bytes (\(reason)). Get the file again.")
  }
}
