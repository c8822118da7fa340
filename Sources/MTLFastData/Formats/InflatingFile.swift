// SPDX-License-Identifier: Apache-2.0
// The bytes of a file from start to end, inflated on the way where the file is gzip.

import CArchive
import Files
import MTLFast

/// A regular file, plain or gzip, read once from start to end.
///
/// Gzip is recognised by its first two bytes, not by the name. Several gzip members in a row are one stream, as in
/// `gzip -d`; the CRC-32 and length of each are checked, and anything else after the last one is refused.
final class InflatingFile {
  let path: String
  let isCompressed: Bool
  /// The size on disk, in bytes.
  var sizeOnDisk: Int { file.size }

  private let file: OpenFile
  private let chunk: UnsafeMutableRawBufferPointer
  /// The unread part of `chunk`.
  private var unread: Range<Int> = 0..<0
  private var bytesConsumed = 0
  /// On the heap, since zlib refuses a stream that has moved.
  private let stream: UnsafeMutablePointer<z_stream>
  private var streamNeedsEnd = false
  private var isInsideMember = false
  private var membersRead = 0

  private static let chunkBytes = 1 << 18

  /// - Throws: `MTLFastError` of kind `missingInput` where the file can't be opened, `badData` where it isn't a file.
  init(path: String) throws {
    let file = try OpenFile(path: path)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.chunkBytes, alignment: 16)
    let inflater = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    inflater.initialize(to: z_stream())
    do {
      let count = try file.readNext(into: buffer)
      let isGzip = count >= 2 && buffer[0] == 0x1f && buffer[1] == 0x8b
      // 15 is the largest window, +16 asks for gzip framing.
      if isGzip, inflateInit2_(inflater, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) != Z_OK {
        throw MTLFastError(.system, "\(path): zlib refused to start. Memory may be short.")
      }
      self.path = path
      self.file = file
      isCompressed = isGzip
      chunk = buffer
      unread = 0..<count
      stream = inflater
      streamNeedsEnd = isGzip
    } catch {
      buffer.deallocate()
      inflater.deallocate()
      throw error
    }
  }

  deinit {
    if streamNeedsEnd { inflateEnd(stream) }
    stream.deallocate()
    chunk.deallocate()
  }

  /// No content of this file can be larger, in bytes: deflate shrinks to 1/1032 at most.
  var contentBound: Int {
    guard isCompressed else { return sizeOnDisk }
    let (bound, overflow) = sizeOnDisk.multipliedReportingOverflow(by: 1032)
    return overflow ? .max : bound
  }

  /// Fills `destination` with the next bytes of the content and returns how many it got: fewer only at the end.
  ///
  /// - Throws: `MTLFastError` of kind `badData` where gzip data are damaged, cut short or followed by other bytes.
  func read(into destination: UnsafeMutableRawBufferPointer) throws -> Int {
    isCompressed ? try inflate(into: destination) : try copy(into: destination)
  }

  private func copy(into destination: UnsafeMutableRawBufferPointer) throws -> Int {
    let buffered = min(unread.count, destination.count)
    destination.copyMemory(from: UnsafeRawBufferPointer(rebasing: chunk[unread.prefix(buffered)]))
    unread.removeFirst(buffered)
    guard buffered < destination.count else { return buffered }
    return buffered + (try file.readNext(into: UnsafeMutableRawBufferPointer(rebasing: destination[buffered...])))
  }

  private func inflate(into destination: UnsafeMutableRawBufferPointer) throws -> Int {
    var filled = 0
    while filled < destination.count {
      if unread.isEmpty {
        unread = 0..<(try file.readNext(into: chunk))
        if unread.isEmpty {
          guard isInsideMember else { break }
          throw MTLFastError(
            .badData,
            "\(path): the gzip data break off at the end of the file, \(sizeOnDisk) bytes. Get the file again.")
        }
      }
      if !isInsideMember { try beginMember() }
      filled += try inflateOnce(into: UnsafeMutableRawBufferPointer(rebasing: destination[filled...]))
    }
    return filled
  }

  private func beginMember() throws {
    if membersRead > 0 {
      guard chunk[unread.lowerBound] == 0x1f else { throw trailingBytes() }
      inflateReset(stream)
    }
    isInsideMember = true
  }

  /// One call of zlib. Returns the number of bytes that it wrote.
  private func inflateOnce(into destination: UnsafeMutableRawBufferPointer) throws -> Int {
    let room = min(destination.count, Int(UInt32.max))
    stream.pointee.next_in = chunk.baseAddress?.advanced(by: unread.lowerBound).assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_in = UInt32(unread.count)
    stream.pointee.next_out = destination.baseAddress?.assumingMemoryBound(to: UInt8.self)
    stream.pointee.avail_out = UInt32(room)
    let status = CArchive.inflate(stream, Z_NO_FLUSH)
    let consumed = unread.count - Int(stream.pointee.avail_in)
    unread.removeFirst(consumed)
    bytesConsumed += consumed
    switch status {
    case Z_OK, Z_BUF_ERROR: break
    case Z_STREAM_END:
      isInsideMember = false
      membersRead += 1
    case Z_MEM_ERROR:
      throw MTLFastError(.system, "\(path): zlib ran out of memory.")
    default:
      // A second member whose header is wrong isn't a member: other bytes that happen to start alike.
      if membersRead > 0, stream.pointee.total_out == 0 { throw trailingBytes() }
      let reason = stream.pointee.msg.map { String(cString: $0) } ?? "zlib status \(status)"
      throw MTLFastError(
        .badData,
        "\(path): the gzip data are damaged at byte \(bytesConsumed) of \(sizeOnDisk) (\(reason)). Get the file again.")
    }
    return room - Int(stream.pointee.avail_out)
  }

  private func trailingBytes() -> MTLFastError {
    MTLFastError(
      .badData,
      "\(path): other bytes follow the end of its gzip data (\(sizeOnDisk) bytes in all). Get the file again.")
  }
}

extension InflatingFile {
  /// All of the content from here on.
  ///
  /// - Throws: `MTLFastError` of kind `badData` where it is larger than `limit` bytes, or as `read`.
  func wholeContent(limit: Int) throws -> [UInt8] {
    var content: [UInt8] = []
    // Compressed content grows as it comes: no size is believed.
    var capacity = max(1, min(limit, isCompressed ? 1 << 20 : sizeOnDisk)) + 1
    while true {
      try Memory.require(capacity, for: path, remedy: "Use fewer samples.")
      let known = content
      content = try [UInt8](unsafeUninitializedCapacity: capacity) { buffer, filled in
        let bytes = UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: capacity)
        known.withUnsafeBytes { bytes.copyMemory(from: $0) }
        filled = known.count + (try read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[known.count...])))
      }
      guard content.count <= limit else {
        throw MTLFastError(.badData, "\(path): holds more than \(limit) bytes. Split the file.")
      }
      if content.count < capacity { return content }
      capacity = min(2 * capacity, limit + 1)
    }
  }
}
