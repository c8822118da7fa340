// SPDX-License-Identifier: Apache-2.0
// How event files hold records: length, checksum of the length, data, checksum of the data; little-endian.

/// A record is `UInt64 length, UInt32 checksum, length bytes, UInt32 checksum`.
enum RecordFraming {
  static let headBytes = 12
  static let tailBytes = 4

  /// The record that holds these bytes.
  static func record(_ data: [UInt8]) -> [UInt8] {
    var record: [UInt8] = []
    record.reserveCapacity(headBytes + data.count + tailBytes)
    withUnsafeBytes(of: UInt64(data.count).littleEndian) { length in
      record.append(contentsOf: length)
      withUnsafeBytes(of: CRC32C.masked(length).littleEndian) { record.append(contentsOf: $0) }
    }
    record.append(contentsOf: data)
    let checksum = data.withUnsafeBytes { CRC32C.masked($0) }
    withUnsafeBytes(of: checksum.littleEndian) { record.append(contentsOf: $0) }
    return record
  }
}

/// The records of a file, one after the other, up to the first that is torn or damaged.
struct RecordReader: Sequence, IteratorProtocol {
  private let bytes: UnsafeRawBufferPointer
  /// Where the records that were returned end.
  private(set) var offset = 0

  /// - Parameter bytes: stay where they are as long as the reader and what it returned are used.
  init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  /// The data of the next whole record.
  mutating func next() -> UnsafeRawBufferPointer? {
    guard let (length, afterLength) = checked(8, at: offset) else { return nil }
    let declared = UInt64(littleEndian: length.loadUnaligned(as: UInt64.self))
    guard declared <= UInt64(bytes.count), let (data, end) = checked(Int(declared), at: afterLength) else { return nil }
    offset = end
    return data
  }

  /// `count` bytes whose checksum follows them, and where that ends; nil where they are cut short or changed.
  private func checked(_ count: Int, at start: Int) -> (UnsafeRawBufferPointer, end: Int)? {
    guard bytes.count - start >= RecordFraming.tailBytes, bytes.count - start - RecordFraming.tailBytes >= count else {
      return nil
    }
    let data = UnsafeRawBufferPointer(rebasing: bytes[start..<start + count])
    let checksum = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: start + count, as: UInt32.self))
    return checksum == CRC32C.masked(data) ? (data, start + count + RecordFraming.tailBytes) : nil
  }
}
