// SPDX-License-Identifier: Apache-2.0
// JPEG and PNG files as bytes of one shape.

import MTLFast

/// Reads JPEG and PNG images, told apart by content, not by name.
///
/// JPEG of every kind that libjpeg-turbo reads (CMYK as Adobe's programs write it), turned upright where Exif says how
/// the camera was held; PNG of every kind, alpha composited on black, 16 bits rounded to 8. Colour profiles and gamma
/// are ignored. Grey is `0.299 R + 0.587 G + 0.114 B`.
///
/// Resizing averages over what an output pixel covers (a triangle filter) and interpolates linearly on the way up. The
/// result has the same bits whatever the number of threads.
public enum ImageFile {
  /// In pixels.
  public static let largestSide = 32768
  /// In pixels.
  public static let largestArea = 1 << 28

  /// The size in pixels after the image was turned upright; 1 channel for grey, else 3.
  ///
  /// - Throws: `MTLFastError` of kind `missingInput` where the file can't be opened, `badData` where it is no image.
  public static func size(of path: String) throws -> (width: Int, height: Int, channels: Int) {
    let decoder = ImageDecoder()
    return try decoder.size(of: path, name: path)
  }

  /// The image as bytes `[H, W, C]`.
  ///
  ///     let pixels = try ImageFile.read("cat.jpg", shape: [64, 64, 3], fit: .crop)   // 12288 bytes
  ///
  /// - Parameters:
  ///   - shape: `[H, W, C]`, C is 1 (grey) or 3 (red, green, blue).
  ///   - box: the part of the image to take, in pixels of the upright image; nil takes it whole.
  /// - Throws: `MTLFastError` of kind `missingInput` where the file can't be opened, `badData` where it is no image, is
  ///   damaged or doesn't hold the box, `usage` where the shape isn't one of an image.
  public static func read(_ path: String, shape: Shape, fit: ImageFit, box: ImageBox? = nil) throws -> [UInt8] {
    let count = try checkShape(shape)
    return try [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
      try ImageDecoder().decode(path, name: path, shape: shape, fit: fit, box: box, into: buffer)
      initializedCount = count
    }
  }

  /// The number of bytes of an image of that shape.
  static func checkShape(_ shape: Shape) throws -> Int {
    guard let count = shape.checkedElementCount, shape.isImage, shape.height <= largestSide,
      shape.width <= largestSide, shape.height * shape.width <= largestArea, [1, 3].contains(shape.channels)
    else {
      throw MTLFastError(
        .usage,
        "Shape \(shape): images are height x width x 1 (grey) or x 3 (colour), with sides up to \(largestSide).")
    }
    return count
  }

  static func checkSize(width: Int, height: Int, name: String) throws {
    guard width > 0, height > 0 else {
      throw MTLFastError(
        .badData, "\(name): the header says \(width)x\(height) pixels. It is damaged: get it again.")
    }
    guard width <= largestSide, height <= largestSide, width * height <= largestArea else {
      throw MTLFastError(
        .badData,
        "\(name): has \(width)x\(height) pixels but images may have 1...\(largestSide) a side and \(largestArea) in all. "
          + "Resize it.")
    }
  }

  /// The grey value of a colour, by JPEG's weights in 1/65536.
  static func luma(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
    UInt8(truncatingIfNeeded: (19595 * UInt32(red) + 38470 * UInt32(green) + 7471 * UInt32(blue) + 32768) >> 16)
  }
}
