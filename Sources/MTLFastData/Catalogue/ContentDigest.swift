// SPDX-License-Identifier: Apache-2.0
// The size and hash of what a file holds, which tells a published file from any other.

import Files
import MTLFast

/// The size and SHA-256 of a file's content: of what gzip holds, since the gzip header differs from copy to copy.
struct ContentDigest: Equatable {
  let byteCount: Int
  let sha256: String

  /// Reads the file in pieces; stops with `badData` once the content is larger than `limit` bytes.
  init(ofFileAt path: String, limit: Int) throws {
    let file = try InflatingFile(path: path)
    var total = 0
    sha256 = try Digest.of(.sha256) { buffer in
      let count = try file.read(into: buffer)
      total += count
      guard total <= limit else {
        throw MTLFastError(.badData, "\(path): holds more than the \(limit) bytes that were expected.")
      }
      return count
    }
    byteCount = total
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
      let found = try Digest.of(.md5, fileAt: path)
      return found == md5 ? nil : "its MD5 is \(found)"
    }
    let digest = try ContentDigest(ofFileAt: path, limit: limit)
    if let sha256 { return digest.sha256 == sha256 ? nil : "the SHA-256 of its content is \(digest.sha256)" }
    return digest.byteCount == byteCount ? nil : "it holds \(digest.byteCount) bytes, the published file \(byteCount)"
  }
}
