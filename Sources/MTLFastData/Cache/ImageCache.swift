// SPDX-License-Identifier: Apache-2.0
// Decoded images on disk, so that they are decoded once.

import CArchive
import Files
import MTLFast

/// A folder of decoded images, one file for each request: folder, file names, boxes, shape and fit.
///
/// An image is taken from the cache where its file has the size and the time of change that it had when it was decoded,
/// and its pixels have their checksum; every other image is decoded again, and the cache written anew. A cache that is
/// damaged or of another version is not trusted. Where it can't be written, work goes on without it.
///
/// The files are `<caches>/mtl-fast/images/<SHA-256 of the request>.cache`, with `<caches>` as in `DatasetSearch`. A
/// request of more than 1 GiB of pixels is not kept, and before a file is written the oldest ones are removed until all
/// together have less than 4 GiB. The folder may be deleted at any time.
///
/// A file, all numbers little-endian: `MTLFIMG1`, the SHA-256 of the request (64 digits), N and the bytes of an image
/// (8 bytes each); for each image the size of its file in bytes (-1: no pixels), its change in nanoseconds since 1970,
/// the CRC-32 of its pixels (8 bytes each); the SHA-256 of all that (64 digits); the pixels, `[N, H, W, C]`.
public struct ImageCache: Sendable {
  public let folder: String
  /// The most bytes of pixels of a request that is kept.
  var largestRequest = 1 << 30
  /// What the files of the folder may have together, in bytes.
  var largestTotal = 4 << 30

  public init(folder: String) { self.folder = folder }

  /// The user's cache; nil where the environment names neither a cache nor a home.
  public init?(search: DatasetSearch = DatasetSearch()) {
    guard let caches = search.cachesFolder else { return nil }
    folder = "\(caches)/mtl-fast/images"
  }

  /// Removes the oldest files until another one has its place; what can't be removed stays.
  fileprivate func makeRoom(for bytes: Int, at path: String) {
    let names = ((try? Folder.names(in: folder)) ?? nil) ?? []
    var files = names.compactMap { name -> (path: String, stamp: FileStamp)? in
      let file = "\(folder)/\(name)"
      guard name.hasSuffix(".cache"), file != path, let stamp = FileStamp(path: file) else { return nil }
      return (file, stamp)
    }
    files.sort { ($0.stamp.modified, $0.path) < ($1.stamp.modified, $1.path) }
    var total = files.reduce(Int64(bytes)) { $0 + $1.stamp.size }
    for file in files {
      guard total > Int64(largestTotal) else { return }
      if FilePath.remove(file.path) { total -= file.stamp.size }
    }
  }

  static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    // An image has fewer than 2^32 bytes: `ImageFile.largestArea` times 3.
    UInt32(truncatingIfNeeded: crc32(0, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), uInt(bytes.count)))
  }

  /// The images that are wanted, and the file that would hold them.
  struct Request {
    static let magic = Array("MTLFIMG1".utf8)
    static let digestBytes = 64
    static let entryBytes = 24

    let path: String
    let count: Int
    let imageBytes: Int
    private let cache: ImageCache
    private let digest: String
    private var headerBytes: Int { Self.magic.count + Self.digestBytes + 16 + count * Self.entryBytes }
    private var pixelsStart: Int { headerBytes + Self.digestBytes }

    /// Of a folder whose bytes were checked not to overflow; nil for one that is too large to be kept.
    init?(_ images: ImageFolder, shape: Shape, fit: ImageFit, cache: ImageCache) {
      guard images.files.count * shape.elementCount <= cache.largestRequest else { return nil }
      self.cache = cache
      // Names may hold anything, so each goes with its length.
      var text = "\(shape) \(fit.rawValue) \(images.files.count)\n"
      let place = FilePath.resolved(images.folder)
      text += "\(place.utf8.count) \(place)\n"
      for (index, file) in images.files.enumerated() {
        text += "\(file.utf8.count) \(file) \(images.boxes?[index]?.description ?? "-")\n"
      }
      digest = Self.sha256(Array(text.utf8))
      path = "\(cache.folder)/\(digest).cache"
      count = images.files.count
      imageBytes = shape.elementCount
    }

    /// nil where there is no cache, or one that can't be trusted.
    func open() -> CachedImages? {
      guard let file = try? OpenFile(path: path), file.size == pixelsStart + count * imageBytes else { return nil }
      var header = [UInt8](repeating: 0, count: pixelsStart)
      guard (try? header.withUnsafeMutableBytes { try file.read(at: 0, into: $0) }) != nil else { return nil }
      let index = Array(header[..<headerBytes])
      guard index.starts(with: self.header(entries: [])), Self.sha256(index).utf8.elementsEqual(header[headerBytes...])
      else { return nil }
      let entries = index.withUnsafeBytes { bytes in
        (0..<count).map { image in
          func number(_ field: Int) -> Int64 {
            Int64(
              littleEndian: bytes.loadUnaligned(
                fromByteOffset: headerBytes - (count - image) * Self.entryBytes + field * 8, as: Int64.self))
          }
          return (FileStamp(size: number(0), modified: number(1)), UInt32(truncatingIfNeeded: number(2)))
        }
      }
      return CachedImages(file: file, imageBytes: imageBytes, pixelsStart: pixelsStart, entries: entries)
    }

    /// Writes the cache anew. Images without a stamp have no pixels.
    ///
    /// - Returns: why that was not possible, or nil.
    func store(stamps: [FileStamp?], sums: [UInt32], values: UnsafeRawBufferPointer) -> String? {
      let index = header(
        entries: zip(stamps, sums).flatMap { stamp, sum in [stamp?.size ?? -1, stamp?.modified ?? 0, Int64(sum)] })
      let digest = Self.sha256(index)
      guard !digest.isEmpty else { return "\(path): the image cache was not written (no SHA-256)." }
      do {
        try Folder.make(cache.folder)
        cache.makeRoom(for: pixelsStart + values.count, at: path)
        let file = try DurableFile(replacing: path)
        try (index + Array(digest.utf8)).withUnsafeBytes { try file.append($0) }
        try file.append(values)
        try file.commit()
        return nil
      } catch {
        return "The image cache was not written, so images will be decoded again next time. \(error)"
      }
    }

    private func header(entries: [Int64]) -> [UInt8] {
      Self.magic + Array(digest.utf8)
        + ([Int64(count), Int64(imageBytes)] + entries).flatMap { number in
          withUnsafeBytes(of: number.littleEndian) { Array($0) }
        }
    }

    /// Empty where libcrypto refuses: then the cache is neither written nor trusted.
    private static func sha256(_ bytes: [UInt8]) -> String { (try? Digest.of(.sha256, bytes)) ?? "" }
  }
}

/// An open cache whose index was checked.
struct CachedImages: Sendable {
  fileprivate let file: OpenFile
  fileprivate let imageBytes: Int
  fileprivate let pixelsStart: Int
  let entries: [(stamp: FileStamp, sum: UInt32)]

  /// Reads an image, unless its file has changed or its pixels are damaged.
  func read(
    _ index: Int, of path: String, into image: UnsafeMutableBufferPointer<UInt8>
  ) -> (stamp: FileStamp, sum: UInt32)? {
    let entry = entries[index]
    guard entry.stamp.size >= 0, FileStamp(path: path) == entry.stamp,
      (try? file.read(at: pixelsStart + index * imageBytes, into: UnsafeMutableRawBufferPointer(image))) != nil,
      ImageCache.checksum(UnsafeRawBufferPointer(image)) == entry.sum
    else { return nil }
    return entry
  }
}
