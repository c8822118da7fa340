// SPDX-License-Identifier: Apache-2.0
// Many images of one folder as one column of bytes.

import Files
import MTLFast

/// A list of image files.
///
///     let paintings = try ImageFolder(folder: "paintings", files: ["images/00000.jpg", "images/00001.jpg"])
///     let loaded = try paintings.load(shape: [64, 64, 3], fit: .crop, cache: ImageCache(), threads: 8)
///     loaded.values   // [2, 64, 64, 3]
public struct ImageFolder: Sendable {
  public let folder: String
  /// Relative to the folder, or absolute.
  public let files: [String]
  /// The part of each image to take; a nil takes it whole.
  public let boxes: [ImageBox?]?
  /// The line of each file in the table that names it, for messages; empty where there is none.
  public let rows: [Int]

  /// - Throws: `MTLFastError` of kind `usage` where there are boxes or rows, but not one for each file.
  public init(folder: String, files: [String], boxes: [ImageBox?]? = nil, rows: [Int] = []) throws {
    for (what, count) in [("boxes", boxes?.count), ("rows", rows.isEmpty ? nil : rows.count)] {
      guard let count, count != files.count else { continue }
      throw MTLFastError(.usage, "\(folder): \(files.count) images but \(count) \(what). Give one for each image.")
    }
    self.folder = folder
    self.files = files
    self.boxes = boxes
    self.rows = rows
  }

  public func path(_ index: Int) -> String {
    FilePath.join(folder, files[index])
  }

  /// The path and the row, for messages.
  func name(_ index: Int) -> String { rows.isEmpty ? path(index) : "\(path(index)) (row \(rows[index]))" }

  /// Every image as bytes `[N, H, W, C]`, in the order of `files`, the same whatever the number of threads.
  ///
  /// - Parameters:
  ///   - skipsBad: leaves out images that can't be read and reports them, instead of throwing.
  ///   - cache: where decoded images are kept; files that have not changed are taken from there.
  /// - Throws: `MTLFastError`: the first bad image's, with the number of all bad ones; of kind `usage` where the shape
  ///   isn't one of an image; of kind `system` where there is no memory for the images.
  public func load(
    shape: Shape, fit: ImageFit, skipsBad: Bool = false, cache: ImageCache? = nil, threads: Int
  ) throws -> LoadedImages {
    let size = try ImageFile.checkShape(shape)
    let count = files.count
    let byteCount = try checkedBytes(count, shape)
    let request = cache.flatMap { ImageCache.Request(self, shape: shape, fit: fit, cache: $0) }
    let cached = request?.open()
    var stamps = [FileStamp?](repeating: nil, count: count)
    var sums = [UInt32](repeating: 0, count: count)
    var failures = [MTLFastError?](repeating: nil, count: count)
    var decoded = [Bool](repeating: false, count: count)
    var kept: [Int] = []
    var note: String?
    let values = try [UInt8](unsafeUninitializedCapacity: byteCount) { buffer, initializedCount in
      stamps.withUnsafeMutableBufferPointer { stamps in
        sums.withUnsafeMutableBufferPointer { sums in
          failures.withUnsafeMutableBufferPointer { failures in
            decoded.withUnsafeMutableBufferPointer { decoded in
              forEachIndex(count, threads: threads, worker: ImageDecoder.init) { decoder, index in
                let image = UnsafeMutableBufferPointer(rebasing: buffer[index * size..<(index + 1) * size])
                if let (stamp, sum) = cached?.read(index, of: path(index), into: image) {
                  (stamps[index], sums[index]) = (stamp, sum)
                  return
                }
                do {
                  stamps[index] = try decoder.decode(
                    path(index), name: name(index), shape: shape, fit: fit, box: boxes?[index], into: image)
                  sums[index] = request == nil ? 0 : ImageCache.checksum(UnsafeRawBufferPointer(image))
                  decoded[index] = true
                } catch let error as MTLFastError {
                  failures[index] = error
                  image.update(repeating: 0)
                } catch {
                  failures[index] = MTLFastError(.system, "\(name(index)): \(error).")
                  image.update(repeating: 0)
                }
              }
            }
          }
        }
      }
      if let request, decoded.contains(true) {
        note = request.store(stamps: stamps, sums: sums, values: UnsafeRawBufferPointer(buffer))
      }
      kept = failures.indices.filter { failures[$0] == nil }
      try Self.check(failures, skipsBad: skipsBad, folder: folder, noun: "images")
      // What is kept moves up.
      for (to, from) in kept.enumerated() where to != from {
        guard let start = buffer.baseAddress else { break }
        (start + to * size).update(from: start + from * size, count: size)
      }
      initializedCount = kept.count * size
    }
    return LoadedImages(
      shape: shape, values: values, kept: kept, bad: Self.bad(failures), decodedCount: decoded.count { $0 },
      cacheNote: note)
  }

  static func bad(_ failures: [MTLFastError?]) -> [(index: Int, error: MTLFastError)] {
    failures.enumerated().compactMap { index, error in error.map { (index, $0) } }
  }

  /// Throws where a failure may not be left out, or where nothing would be left.
  static func check(_ failures: [MTLFastError?], skipsBad: Bool, folder: String, noun: String) throws {
    let bad = bad(failures)
    guard let first = bad.first?.error else { return }
    if skipsBad {
      guard bad.count == failures.count else { return }
      throw MTLFastError(
        first.kind, "\(folder): all \(bad.count) \(noun) are bad, so that none is left. The first: \(first.message)")
    }
    guard failures.count > 1 else { throw first }
    throw MTLFastError(
      first.kind,
      first.message
        + " Of \(failures.count) \(noun) \(bad.count == 1 ? "only this one is bad" : "\(bad.count) are bad").",
      remedy: .leavingOutImages(bad.count))
  }

  /// An array whose memory is refused stops the process, so ask first.
  private func checkedBytes(_ count: Int, _ shape: Shape) throws -> Int {
    try Self.checkedBytes(count, shape, folder: folder)
  }

  static func checkedBytes(_ count: Int, _ shape: Shape, folder: String) throws -> Int {
    let (bytes, overflow) = shape.elementCount.multipliedReportingOverflow(by: count)
    guard !overflow else {
      throw MTLFastError(
        .system, "\(folder): \(count) images of \(shape) need more bytes than there are numbers for. Use fewer images.")
    }
    try Memory.require(
      bytes, for: "\(folder): \(count) images of \(shape)", remedy: "Use a smaller shape or fewer images.")
    return bytes
  }
}

/// What `ImageFolder.load` has read.
public struct LoadedImages: Sendable {
  /// Of one image, `[H, W, C]`.
  public let shape: Shape
  /// `[N, H, W, C]`, of the images that are kept.
  public let values: [UInt8]
  /// The index of each of the N images in the folder's list.
  public let kept: [Int]
  /// The images that were left out.
  public let bad: [(index: Int, error: MTLFastError)]
  /// How many were decoded; the others came from the cache.
  public let decodedCount: Int
  /// Why the cache could not be written; nil where it was, or where there was no need.
  public let cacheNote: String?

  public var column: InputColumn { .bytes(shape: shape, values: values) }
}
