// SPDX-License-Identifier: Apache-2.0
// The members of a tar, tar.gz or zip archive, one after the other, without unpacking to disk.

import CArchive
import Files
import MTLFast

/// Reads the members of an archive from first to last through libarchive.
///
/// A tar is read through `InflatingFile`, which checks what libarchive's gzip filter doesn't: the CRC and what follows
/// the compressed data. Sizes that headers claim are bounded by what the file can hold before memory is asked for.
final class ArchiveReader {
  enum Format: String {
    /// tar, plain or gzip.
    case tar
    case zip
  }

  /// A regular file in the archive.
  struct Member {
    /// As stored, with its folders: `cifar-10-batches-bin/test_batch.bin`.
    let path: String
    /// As the archive's header claims, in bytes; no more than the archive can hold.
    let byteCount: Int

    /// The path without its folders.
    var name: String { String(path.split(separator: "/").last ?? "") }
  }

  let path: String
  private let format: Format
  private let file: InflatingFile
  private let archive: OpaquePointer
  /// Small, so that what precedes damage is still read and the damaged member can be named.
  private let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 14, alignment: 16)
  /// What `file` threw inside a callback of libarchive.
  private var fileError: MTLFastError?
  private var current: Member?

  /// - Throws: `MTLFastError` of kind `missingInput` where the file can't be opened, `badData` where it isn't one.
  init(path: String, format: Format) throws {
    self.path = path
    self.format = format
    file = try InflatingFile(path: path)
    guard let archive = archive_read_new() else {
      throw MTLFastError(.system, "\(path): libarchive refused to start. Memory may be short.")
    }
    self.archive = archive
    let status: Int32
    switch format {
    case .tar:
      archive_read_support_format_tar(archive)
      // Unretained: libarchive calls back only from calls that this object makes.
      status = archive_read_open(
        archive, Unmanaged.passUnretained(self).toOpaque(), nil,
        { _, context, block in
          guard let context, let block else { return -1 }
          return Unmanaged<ArchiveReader>.fromOpaque(context).takeUnretainedValue().nextChunk(block)
        }, nil)
    case .zip:
      archive_read_support_format_zip(archive)
      status = archive_read_open_filename(archive, path, 1 << 16)
    }
    guard status >= ARCHIVE_WARN else { throw damaged() }
  }

  deinit {
    archive_read_free(archive)
    chunk.deallocate()
  }

  /// The next regular file, or nil after the last; what is left of a tar.gz is then read too, which checks its CRC.
  func next() throws -> Member? {
    while true {
      var entry: OpaquePointer?
      let status = archive_read_next_header(archive, &entry)
      if status == ARCHIVE_EOF, fileError == nil {
        if format == .tar { try drain() }
        return nil
      }
      guard status >= ARCHIVE_WARN, let entry else { throw damaged() }
      guard archive_entry_filetype(entry) == 0o100000 else { continue }  // S_IFREG
      let stored = (archive_entry_pathname_utf8(entry) ?? archive_entry_pathname(entry)).map { String(cString: $0) }
      let claimed = archive_entry_size(entry)
      let member = Member(path: stored ?? "?", byteCount: Int(claimed))
      current = member
      guard claimed >= 0, claimed <= Int64(bound) else {
        throw MTLFastError(
          .badData,
          "\(path): member '\(member.path)' claims \(claimed) bytes but the archive's \(file.sizeOnDisk) bytes can't "
            + "hold so many. Get the file again.")
      }
      return member
    }
  }

  /// Fills `destination` with the next bytes of the current member and returns how many it got: fewer only at the end.
  func read(into destination: UnsafeMutableRawBufferPointer) throws -> Int {
    var filled = 0
    while filled < destination.count {
      let rest = destination[filled...]
      let count = archive_read_data(archive, UnsafeMutableRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      guard count >= 0 else { throw damaged() }
      if count == 0 { break }
      filled += count
    }
    return filled
  }

  /// Every byte of the current member.
  func bytes(of member: Member) throws -> [UInt8] {
    try Memory.require(member.byteCount, for: path, remedy: "Use fewer samples.")
    let bytes = try [UInt8](unsafeUninitializedCapacity: member.byteCount) { buffer, filled in
      filled = try read(into: UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: member.byteCount))
    }
    guard bytes.count == member.byteCount else { throw damaged("it ends after \(bytes.count) bytes") }
    // Asking for one byte more makes libarchive compare a zip member's CRC.
    let surplus = try withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { try read(into: $0) }
    guard surplus == 0 else { throw damaged("it goes on after the \(member.byteCount) bytes that it claims") }
    return bytes
  }

  /// No member can be larger, in bytes. Deflate shrinks to 1/1032 at most, in zip as in gzip.
  private var bound: Int {
    let (bound, overflow) = file.sizeOnDisk.multipliedReportingOverflow(by: 1032)
    return format == .tar ? file.contentBound : overflow ? .max : bound
  }

  private func nextChunk(_ block: UnsafeMutablePointer<UnsafeRawPointer?>) -> Int {
    do {
      let count = try file.read(into: chunk)
      block.pointee = UnsafeRawPointer(chunk.baseAddress)
      return count
    } catch {
      fileError = error as? MTLFastError ?? MTLFastError(.badData, "\(error)")
      return Int(ARCHIVE_FATAL)
    }
  }

  private func drain() throws {
    do {
      while try file.read(into: chunk) == chunk.count {}
    } catch {
      fileError = error as? MTLFastError
      throw damaged()
    }
  }

  private func damaged(_ reason: String? = nil) -> MTLFastError {
    if let fileError, fileError.kind != .badData { return fileError }
    var text = reason ?? archive_error_string(archive).map { String(cString: $0) } ?? "libarchive gives no reason"
    if let fileError {
      let prefix = "\(path): "
      text = fileError.message.hasPrefix(prefix) ? String(fileError.message.dropFirst(prefix.count)) : fileError.message
    }
    while let last = text.last, last == "." { text.removeLast() }
    text = text.replacing(". Get the file again", with: "")
    let place =
      current.map { "damaged in or after its member '\($0.path)'" }
      ?? (fileError == nil ? "not a \(format.rawValue) archive" : "damaged in or before its first member")
    return MTLFastError(.badData, "\(path): is \(place) (\(text)). Get the file again.")
  }
}
