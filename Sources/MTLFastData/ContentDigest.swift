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
