// SPDX-License-Identifier: Apache-2.0
// Opens, decodes and resizes one image file after the other in the same memory.

import Files
import MTLFast

/// Reads one image after the other with the same memory; of one thread.
final class ImageDecoder {
  enum Content {
    case jpeg(JPEGImage)
    case png(PNGImage)
  }

  private let file = ScratchMemory()
  let pixels = ScratchMemory()
  private let turned = ScratchMemory()
  private let sums = ScratchMemory()

  func size(of path: String, name: String) throws -> (width: Int, height: Int, channels: Int) {
    switch try open(path, name: name).content {
    case .jpeg(let image): (image.width, image.height, image.channels)
    case .png(let image): (image.width, image.height, image.channels)
    }
  }

  /// Fills `destination` with the bytes `[H, W, C]`.
  ///
  /// - Parameters:
  ///   - name: of the file, for messages.
  ///   - shape: was checked by `ImageFile.checkShape`.
  /// - Returns: what tells whether the file has changed since.
  @discardableResult
  func decode(
    _ path: String, name: String, shape: Shape, fit: ImageFit, box: ImageBox?,
    into destination: UnsafeMutableBufferPointer<UInt8>
  ) throws -> FileStamp {
    let (content, stamp) = try open(path, name: name)
    let source: (pixels: UnsafeMutablePointer<UInt8>, width: Int, height: Int)
    let geometry: ImageGeometry
    switch content {
    case .jpeg(let image):
      let whole = try Self.geometry(
        name: name, width: image.width, height: image.height, shape: shape, fit: fit, box: box)
      let divisor = JPEGImage.divisor(for: whole)
      source = try image.decode(divisor: divisor, channels: shape.channels, pixels: pixels, turned: turned)
      geometry = whole.shrunk(by: divisor, imageWidth: image.width, imageHeight: image.height)
    case .png(let image):
      geometry = try Self.geometry(
        name: name, width: image.width, height: image.height, shape: shape, fit: fit, box: box)
      source = (try image.decode(channels: shape.channels, pixels: pixels), image.width, image.height)
    }
    let region = geometry.region
    if region.width < shape.width || region.height < shape.height { destination.update(repeating: 0) }
    guard let start = destination.baseAddress else { return stamp }
    try ImageResampler.resample(
      source.pixels, sourceRowBytes: source.width * shape.channels, channels: shape.channels,
      columns: ResampleAxis(
        start: geometry.x, length: geometry.width, count: region.width, limits: geometry.bounds.x0..<geometry.bounds.x1),
      rows: ResampleAxis(
        start: geometry.y, length: geometry.height, count: region.height,
        limits: geometry.bounds.y0..<geometry.bounds.y1),
      scratch: sums, purpose: name,
      into: start + (region.top * shape.width + region.left) * shape.channels,
      destinationRowBytes: shape.width * shape.channels)
    return stamp
  }

  static func geometry(
    name: String, width: Int, height: Int, shape: Shape, fit: ImageFit, box: ImageBox?
  ) throws -> ImageGeometry {
    let box = box ?? ImageBox(x0: 0, y0: 0, x1: width, y1: height)
    guard box.lies(inWidth: width, height: height) else {
      throw MTLFastError(
        .badData,
        "\(name): the box \(box) doesn't lie within its \(width)x\(height) pixels. Check x0, y0, x1 and y1.")
    }
    return ImageGeometry(of: box, outputHeight: shape.height, outputWidth: shape.width, fit: fit)
  }

  /// Reads the file and its header. What it returns is valid until the next call.
  func open(_ path: String, name: String) throws -> (content: Content, stamp: FileStamp) {
    let opened = try OpenFile(path: path, name: name)
    let size = opened.size
    guard size > 0 else { throw MTLFastError(.badData, "\(name): is empty (0 bytes). Get the file again.") }
    // The beginning first: what is no image needn't be read.
    let beginning = UnsafeMutableRawBufferPointer(
      start: try file.reserve(min(size, 4096), for: name), count: min(size, 4096))
    try opened.read(at: 0, into: beginning)
    let isJPEG = beginning.starts(with: JPEGImage.signature)
    guard isJPEG || beginning.starts(with: PNGImage.signature) else {
      throw MTLFastError(
        .badData, "\(name): is \(Self.describe(UnsafeRawBufferPointer(beginning))). Convert it to PNG or JPEG.")
    }
    let bytes = UnsafeMutableRawBufferPointer(start: try file.reserve(size, for: name), count: size)
    try opened.read(at: 0, into: bytes)
    let content: Content =
      isJPEG
      ? .jpeg(try JPEGImage(bytes: UnsafeRawBufferPointer(bytes), name: name))
      : .png(try PNGImage(bytes: bytes, name: name))
    return (content, opened.stamp)
  }

  /// What a file is that is neither JPEG nor PNG, by its first bytes.
  private static func describe(_ beginning: UnsafeRawBufferPointer) -> String {
    func isAt(_ offset: Int, _ text: String) -> Bool { beginning.dropFirst(offset).starts(with: text.utf8) }
    if isAt(0, "GIF8") { return "a GIF image, not JPEG or PNG" }
    if isAt(0, "RIFF"), isAt(8, "WEBP") { return "a WebP image, not JPEG or PNG" }
    if isAt(0, "II*\0") || isAt(0, "MM\0*") { return "a TIFF image, not JPEG or PNG" }
    if isAt(0, "BM") { return "a BMP image, not JPEG or PNG" }
    if isAt(4, "ftyp") { return "an HEIF or AVIF image or a film, not JPEG or PNG" }
    if beginning.prefix(64).allSatisfy({ (32...126).contains($0) || (9...13).contains($0) }) {
      return "text, not an image"
    }
    let digits = beginning.prefix(4).map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }
    return "neither JPEG nor PNG (it starts with \(digits.joined(separator: " ")))"
  }
}
