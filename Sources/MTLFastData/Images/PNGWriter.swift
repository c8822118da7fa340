// SPDX-License-Identifier: Apache-2.0
// Bytes as PNG files.

import CPNG
import Files
import MTLFast

/// Writes PNG files, and their folders; a file has its name only when it is whole.
public enum PNGWriter {
  /// Writes grey values `[H, W]` or colours `[H, W, 3]`.
  ///
  /// - Throws: `MTLFastError` of kind `writeFailed` where the file can't be written, `usage` where the sizes don't make an
  ///   image.
  public static func write(_ bytes: [UInt8], height: Int, width: Int, channels: Int, to path: String) throws {
    try check(bytes, height, width, channels, path)
    try write(
      bytes, height: height, width: width, format: channels == 1 ? mtlf_png_gray : mtlf_png_rgb, palette: [], to: path)
  }

  /// Writes a mask `[H, W]` as indices into a palette, so that a viewer shows classes as colours and the values stay.
  ///
  /// - Throws: `MTLFastError` of kind `writeFailed` where the file can't be written, `usage` where the sizes don't make an
  ///   image or a value has no colour.
  public static func write(
    indices: [UInt8], palette: [(red: UInt8, green: UInt8, blue: UInt8)], height: Int, width: Int, to path: String
  ) throws {
    try check(indices, height, width, 1, path)
    guard let largest = indices.max(), Int(largest) < palette.count, palette.count <= 256 else {
      throw MTLFastError(
        .usage,
        "\(path): a palette of \(palette.count) colours for values up to \(indices.max() ?? 0). "
          + "Give 1...256 colours, one for each value.")
    }
    try write(
      indices, height: height, width: width, format: mtlf_png_rgb_palette,
      palette: palette.flatMap { [$0.red, $0.green, $0.blue] }, to: path)
  }

  private static func check(_ bytes: [UInt8], _ height: Int, _ width: Int, _ channels: Int, _ path: String) throws {
    let shape = Shape.image(height: height, width: width, channels: channels)
    guard try ImageFile.checkShape(shape) == bytes.count else {
      throw MTLFastError(.usage, "\(path): \(bytes.count) bytes don't make an image of \(shape).")
    }
  }

  private static func write(
    _ bytes: [UInt8], height: Int, width: Int, format: Int, palette: [UInt8], to path: String
  ) throws {
    var image = png_image()
    image.version = UInt32(PNG_IMAGE_VERSION)
    image.width = UInt32(width)
    image.height = UInt32(height)
    image.format = UInt32(format)
    image.colormap_entries = UInt32(palette.count / 3)
    defer { png_image_free(&image) }
    func refuse() -> MTLFastError {
      MTLFastError(.writeFailed, "\(path): can't be made into PNG (\(PNGImage.message(of: image))).")
    }
    var size = 0
    guard png_image_write_to_memory(&image, nil, &size, 0, bytes, 0, palette) != 0 else { throw refuse() }
    let encoded = try [UInt8](unsafeUninitializedCapacity: size) { buffer, initializedCount in
      guard png_image_write_to_memory(&image, buffer.baseAddress, &size, 0, bytes, 0, palette) != 0 else {
        throw refuse()
      }
      initializedCount = size
    }
    try Folder.make(FilePath.folder(of: path))
    try DurableFile.replace(path, with: encoded)
  }
}
