// SPDX-License-Identifier: Apache-2.0
// A folder of images and a folder of their masks, matched by name.

import Files
import MTLFast

/// Images with a mask each: `a.jpg` or `a.png` of one folder with `a.png` of another.
///
///     let streets = try MaskFolder(images: "train/images", masks: "train/masks")
///     let loaded = try streets.load(shape: [32, 32, 3], fit: .stretch, threads: 8)
///     let classes = try loaded.masks.classes(ClassNames.read("class_names.txt"), ignore: [11])
///
/// Hidden files and files that are no images by name are left alone. An image without a mask has no labels; a mask
/// without an image is an error.
public struct MaskFolder: Sendable {
  public let images: ImageFolder
  /// The path of each image's mask; nil where it has none.
  public let masks: [String?]
  private let folder: String

  /// - Throws: `MTLFastError` of kind `missingInput` where a folder can't be read or has no images, `badData` where a mask
  ///   has no image, two files have one name or a file is an image of another format.
  public init(images: String, masks: String) throws {
    let imageFiles = try Self.list(images)
    let maskFiles = try Self.list(masks)
    guard !imageFiles.isEmpty else {
      throw MTLFastError(.missingInput, "\(images): holds no PNG or JPEG images. Check the path.")
    }
    let orphans = maskFiles.keys.filter { imageFiles[$0] == nil }.sorted()
    if let first = orphans.first, let file = maskFiles[first] {
      throw MTLFastError(
        .badData,
        "\(masks)/\(file): is a mask without an image \(first).png or \(first).jpg in \(images) (\(orphans.count) of "
          + "\(maskFiles.count) masks are). Add the image or take the mask away.")
    }
    guard !maskFiles.isEmpty else {
      throw MTLFastError(
        .missingInput, "\(masks): holds no masks for the \(imageFiles.count) images of \(images). Check the path.")
    }
    let sorted = imageFiles.sorted { $0.key < $1.key }
    self.images = try ImageFolder(folder: images, files: sorted.map(\.value))
    self.masks = sorted.map { stem, _ in maskFiles[stem].map { "\(masks)/\($0)" } }
    folder = masks
  }

  /// Every image as bytes `[N, H, W, C]` and its mask as stored, resized alike: masks by the nearest pixel.
  ///
  /// - Parameters:
  ///   - shape: of an image, `[H, W, C]`.
  ///   - maskChannels: 1 for masks of values or palette indices, 3 for masks of colours.
  ///   - skipsBad: leaves out pairs of which the image or the mask can't be read, and reports them.
  ///   - cache: of the images; masks are read anew.
  /// - Throws: as `ImageFolder.load`; a mask that isn't as large as its image is bad.
  public func load(
    shape: Shape, maskChannels: Int = 1, fit: ImageFit, skipsBad: Bool = false, cache: ImageCache? = nil, threads: Int
  ) throws -> LoadedMasks {
    let maskShape = Shape.image(height: shape.height, width: shape.width, channels: maskChannels)
    _ = try ImageFile.checkShape(shape)
    let size = try ImageFile.checkShape(maskShape)
    let count = masks.count
    var failures = [MTLFastError?](repeating: nil, count: count)
    var regions = [PixelRegion](repeating: .empty, count: count)
    let byteCount = try ImageFolder.checkedBytes(count, maskShape, folder: folder)
    var values = [UInt8](repeating: 0, count: byteCount)
    values.withUnsafeMutableBufferPointer { values in
      failures.withUnsafeMutableBufferPointer { failures in
        regions.withUnsafeMutableBufferPointer { regions in
          forEachIndex(count, threads: threads, worker: ImageDecoder.init) { decoder, index in
            guard let mask = masks[index] else { return }
            let path = images.path(index)
            do {
              let image = try decoder.size(of: path, name: path)
              regions[index] = try decoder.decodeMask(
                mask, image: path, imageHeight: image.height, imageWidth: image.width, shape: maskShape, fit: fit,
                box: images.boxes?[index],
                into: UnsafeMutableBufferPointer(rebasing: values[index * size..<(index + 1) * size]))
            } catch {
              failures[index] = error as? MTLFastError ?? MTLFastError(.system, "\(mask): \(error).")
            }
          }
        }
      }
    }
    if !skipsBad { try ImageFolder.check(failures, skipsBad: false, folder: folder, noun: "pairs of image and mask") }
    let loaded = try images.load(shape: shape, fit: fit, skipsBad: skipsBad, cache: cache, threads: threads)
    for (index, error) in loaded.bad { failures[index] = error }
    try ImageFolder.check(failures, skipsBad: skipsBad, folder: images.folder, noun: "pairs of image and mask")
    let kept = failures.indices.filter { failures[$0] == nil }
    let pixels = loaded.kept.count == kept.count ? loaded.values : Self.pick(kept, of: loaded)
    return LoadedMasks(
      images: LoadedImages(
        shape: shape, values: pixels, kept: kept, bad: ImageFolder.bad(failures), decodedCount: loaded.decodedCount,
        cacheNote: loaded.cacheNote),
      masks: RawMasks(
        shape: maskShape,
        values: kept.count == count ? values : kept.flatMap { values[$0 * size..<($0 + 1) * size] },
        regions: kept.map { regions[$0] }, paths: kept.map { masks[$0] ?? "" }))
  }

  /// The images of those indices, all of which were kept.
  private static func pick(_ indices: [Int], of loaded: LoadedImages) -> [UInt8] {
    let wanted = Set(indices)
    let size = loaded.shape.elementCount
    return loaded.kept.enumerated().filter { wanted.contains($0.element) }.flatMap { place, _ in
      loaded.values[place * size..<(place + 1) * size]
    }
  }

  private static let endings: Set = ["png", "jpg", "jpeg"]
  /// Images that would be missed silently.
  private static let otherEndings: Set = ["bmp", "gif", "webp", "tif", "tiff", "ppm", "pgm", "heic", "avif", "jp2"]

  /// The names of the images in a folder, by their names without the ending.
  private static func list(_ folder: String) throws -> [String: String] {
    guard let names = try Folder.names(in: folder) else {
      throw MTLFastError(.missingInput, "\(folder): no such folder. Check the path.")
    }
    var files: [String: String] = [:]
    for name in names.sorted() where !name.hasPrefix(".") {
      guard let dot = name.lastIndex(of: ".") else { continue }
      let ending = name[name.index(after: dot)...].lowercased()
      guard !otherEndings.contains(ending) else {
        throw MTLFastError(.badData, "\(folder)/\(name): images are read from PNG and JPEG only. Convert it.")
      }
      guard endings.contains(ending) else { continue }
      let stem = String(name[..<dot])
      if let other = files.updateValue(name, forKey: stem) {
        throw MTLFastError(
          .badData, "\(folder): \(other) and \(name) have the same name but for the ending. Take one away.")
      }
    }
    return files
  }
}

/// What `MaskFolder.load` has read: pairs that are kept, in the order of their names.
public struct LoadedMasks: Sendable {
  public let images: LoadedImages
  /// Of the images that are kept.
  public let masks: RawMasks
}
