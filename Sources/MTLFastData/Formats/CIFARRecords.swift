// SPDX-License-Identifier: Apache-2.0
// The records of one CIFAR file: labels apart, colour planes interleaved to pixels.

import Files
import MTLFast

/// The labels and images of one CIFAR file, or of several in a row.
struct CIFARRecords {
  /// For each label byte of a record, `[N]`.
  private(set) var labels: [[Int32]]
  /// `[N, 32, 32, 3]`
  private(set) var images: [UInt8] = []

  init(_ variant: CIFARVariant) { labels = variant.labels.map { _ in [] } }

  /// - Throws: `MTLFastError` of kind `missingInput` where the file can't be opened, `badData` where it is wrong.
  init(_ variant: CIFARVariant, file path: String) throws {
    let file = try InflatingFile(path: path)
    guard !file.isCompressed else {
      throw MTLFastError(.badData, "\(path): is gzip but should be records of \(variant.recordBytes) bytes. Unpack it.")
    }
    try self.init(variant, place: path, byteCount: file.sizeOnDisk, read: file.read)
  }

  /// - Parameters:
  ///   - place: the file, for messages.
  ///   - byteCount: its size, already compared with what the disk or archive can hold.
  ///   - read: fills a buffer; fewer bytes only at the end.
  init(
    _ variant: CIFARVariant, place: String, byteCount: Int, read: (UnsafeMutableRawBufferPointer) throws -> Int
  ) throws {
    let recordBytes = variant.recordBytes
    guard byteCount > 0, byteCount % recordBytes == 0 else {
      throw MTLFastError(
        .badData,
        "\(place): has \(byteCount) bytes, not a whole number of records of \(recordBytes) bytes. "
          + "The file was cut short or is of another data set: get it again.")
    }
    let count = byteCount / recordBytes
    try Memory.require(byteCount, for: place, remedy: "Use fewer samples.")
    var labels = variant.labels.map { _ in
      var column: [Int32] = []
      column.reserveCapacity(count)
      return column
    }
    // 128 records fit in a second-level cache.
    let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 * recordBytes, alignment: 64)
    defer { chunk.deallocate() }
    images = try [UInt8](unsafeUninitializedCapacity: count * CIFARVariant.imageBytes) { images, filled in
      guard var pixels = images.baseAddress, let planes = chunk.baseAddress else { return }
      var done = 0
      while done < count {
        let batch = min(128, count - done)
        let received = try read(UnsafeMutableRawBufferPointer(rebasing: chunk[..<(batch * recordBytes)]))
        guard received == batch * recordBytes else {
          throw MTLFastError(
            .badData,
            "\(place): ends after \(done * recordBytes + received) of \(byteCount) bytes. "
              + "The file was cut short: get it again.")
        }
        for record in 0..<batch {
          let bytes = planes.advanced(by: record * recordBytes).assumingMemoryBound(to: UInt8.self)
          for (index, label) in variant.labels.enumerated() {
            guard Int(bytes[index]) < label.classCount else {
              throw MTLFastError(
                .badData,
                "\(place): '\(label.column)' is \(bytes[index]) in record \(done + record) but has "
                  + "\(label.classCount) classes (0...\(label.classCount - 1)). "
                  + "The file is damaged or of another data set.")
            }
            labels[index].append(Int32(bytes[index]))
          }
          Self.interleave(bytes + variant.labels.count, into: pixels)
          pixels += CIFARVariant.imageBytes
        }
        done += batch
      }
      filled = count * CIFARVariant.imageBytes
    }
    self.labels = labels
  }

  mutating func append(_ other: CIFARRecords) {
    guard !images.isEmpty else {
      self = other
      return
    }
    images.append(contentsOf: other.images)
    for index in labels.indices { labels[index].append(contentsOf: other.labels[index]) }
  }

  /// `[3, 32, 32]` to `[32, 32, 3]`: three streams in, one out, which the compiler turns into vector shuffles.
  private static func interleave(_ planes: UnsafePointer<UInt8>, into pixels: UnsafeMutablePointer<UInt8>) {
    let green = planes + CIFARVariant.planeBytes
    let blue = green + CIFARVariant.planeBytes
    for i in 0..<CIFARVariant.planeBytes {
      pixels[3 &* i] = planes[i]
      pixels[3 &* i &+ 1] = green[i]
      pixels[3 &* i &+ 2] = blue[i]
    }
  }
}
