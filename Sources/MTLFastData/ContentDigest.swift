// SPDX-License-Identifier: Apache-2.0
// The size and hash of what a file holds, which tells a published file from any other.

import MTLFast

/// The size and SHA-256 of a file's content: of what gzip holds, since the gzip header differs from copy to copy.
struct ContentDigest: Equatable {
  let byteCount: Int
  let sha256: String

  /// Reads the file in pieces; stops with `badData` once the content is larger than `limit` bytes.
  init(ofFileAt path: String, limit: Int) throws {
    let file = try InflatingFile(path: path)
    var hasher = try SHA256Hasher()
    var total = 0
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let count = try file.read(into: buffer)
      total += count
      guard total <= limit else {
        throw MTLFastError(.badData, "\(path): holds more than the \(limit) bytes that were expected.")
      }
      try hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      if count < buffer.count { break }
    }
    byteCount = total
    sha256 = try hasher.finish()
  }
}

extension KnownDataset.File {
  /// `SHA-256 is c59f...`, for messages; nil where none is published.
  var publishedHash: String? { sha256.map { "SHA-256 is \($0)" } ?? md5.map { "MD5 is \($0)" } }

  /// How a copy differs from the published file: by its SHA-256, else its MD5, else its size. nil where it doesn't.
  ///
  /// - Throws: `MTLFastError` of kind `badData` where it is damaged or holds more than `limit` bytes.
  func difference(ofFileAt path: String, limit: Int) throws -> String? {
    if sha256 == nil, let md5 {
      let found = try fileMD5(ofFileAt: path)
      return found == md5 ? nil : "its MD5 is \(found)"
    }
    let digest = try ContentDigest(ofFileAt: path, limit: limit)
    if let sha256 { return digest.sha256 == sha256 ? nil : "the SHA-256 of its content is \(digest.sha256)" }
    return digest.byteCount == byteCount ? nil : "it holds \(digest.byteCount) bytes, the published file \(byteCount)"
  }
}
