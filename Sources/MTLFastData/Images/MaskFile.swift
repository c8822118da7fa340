// SPDX-License-Identifier: Apache-2.0
// Masks: PNG files whose values mean something, so that none may be mixed.

import MTLFast

/// Reads PNG masks as the values that are stored.
///
/// A grey file gives its values, also those of 1, 2 or 4 bits as they are; a palette file gives indices into the palette,
/// as in Pascal VOC. Files of 16 bits and JPEG, which changes values, are refused. Gamma and alpha are ignored.
public enum MaskFile {
  /// The mask of an image, shown the way `ImageFile.read` shows the image: the value of the nearest pixel; 0 in the bars
  /// of a letterbox.
  ///
  /// - Parameters:
  ///   - image: path of the image, for messages; upright it is `imageHeight` x `imageWidth` pixels, as the mask must be.
  ///   - shape: `[H, W, C]`; C is 1 for values or indices, 3 for colours.
  ///   - box: the part of the image that is shown; nil shows it whole.
  /// - Returns: values `[H, W, C]`.
  /// - Throws: `MTLFastError` of kind `missingInput` where the file can't be opened, `badData` where it isn't such a mask or
  ///   of another size, `usage` where the shape isn't one of an image.
  public static func read(
    _ path: String, image: String, imageHeight: Int, imageWidth: Int, shape: Shape, fit: ImageFit, box: ImageBox? = nil
  ) throws -> [UInt8] {
    let count = try ImageFile.checkShape(shape)
    return try [UInt8](unsafeUninitializedCapacity: count) { buffer, initializedCount in
      try ImageDecoder().decodeMask(
        path, image: image, imageHeight: imageHeight, imageWidth: imageWidth, shape: shape, fit: fit, box: box,
        into: buffer)
      initializedCount = count
    }
  }
}

extension ImageDecoder {
  /// Fills `destination` with the values `[H, W, C]`.
  ///
  /// - Returns: the part of the output that shows the mask.
  @discardableResult
  func decodeMask(
    _ path: String, image: String, imageHeight: Int, imageWidth: Int, shape: Shape, fit: ImageFit, box: ImageBox?,
    into destination: UnsafeMutableBufferPointer<UInt8>
  ) throws -> PixelRegion {
    guard case .png(let mask) = try open(path, name: path).content else {
      throw MTLFastError(
        .badData, "\(path): is JPEG, which changes the values of a mask. Make the mask again, as PNG.")
    }
    guard mask.width == imageWidth, mask.height == imageHeight else {
      throw MTLFastError(
        .badData,
        "\(path): has \(mask.width)x\(mask.height) pixels but its image \(image) has \(imageWidth)x\(imageHeight). "
          + "Give both the same size.")
    }
    guard mask.bitDepth <= 8 else {
      throw MTLFastError(.badData, "\(path): has 16 bits a value but masks have up to 8. Save it as 8-bit grey.")
    }
    let channels = shape.channels
    guard channels == 3 || mask.kind != .rgb && mask.kind != .rgbAlpha else {
      throw MTLFastError(
        .badData,
        "\(path): has colours but this mask needs one value a pixel. Save it as grey or with a palette.")
    }
    let geometry = try Self.geometry(
      name: path, width: mask.width, height: mask.height, shape: shape, fit: fit, box: box)
    let source = channels == 3 ? try mask.decodeColours(pixels: pixels) : try mask.decodeIndices(pixels: pixels)
    let region = geometry.region
    if region.width < shape.width || region.height < shape.height { destination.update(repeating: 0) }
    let columns = geometry.nearestColumns
    for (y, row) in geometry.nearestRows.enumerated() {
      var index = ((region.top + y) * shape.width + region.left) * channels
      for column in columns {
        let pixel = source.values + (row * mask.width + column) * source.bytesPerPixel
        for channel in 0..<channels {
          destination[index] = pixel[channel]
          index += 1
        }
      }
    }
    return region
  }
}
