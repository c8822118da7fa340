// SPDX-License-Identifier: Apache-2.0
// Digests of bytes that arrive in pieces, by libcrypto.

internal import CCrypto

/// SHA-256 (FIPS 180-4) or MD5 (RFC 1321) of bytes that arrive in pieces.
///
///     var digest = try Digest(.sha256)
///     try Array("abc".utf8).withUnsafeBytes { try digest.update($0) }
///     try digest.finish()  // "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
///
/// MD5 finds damage and mix-ups, not intent: it is for publishers that give no better hash.
package struct Digest: ~Copyable {
  package enum Algorithm: String, Sendable {
    case sha256 = "SHA-256"
    case md5 = "MD5"
  }

  private let algorithm: Algorithm
  private let context: OpaquePointer

  /// - Throws: `MTLFastError` of kind `system` where libcrypto refuses.
  package init(_ algorithm: Algorithm) throws {
    guard let context = EVP_MD_CTX_new() else { throw Self.refused(algorithm) }
    guard EVP_DigestInit_ex(context, algorithm == .sha256 ? EVP_sha256() : EVP_md5(), nil) == 1 else {
      EVP_MD_CTX_free(context)
      throw Self.refused(algorithm)
    }
    self.algorithm = algorithm
    self.context = context
  }

  deinit { EVP_MD_CTX_free(context) }

  package mutating func update(_ bytes: UnsafeRawBufferPointer) throws {
    guard EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 else { throw Self.refused(algorithm) }
  }

  /// In lower-case hexadecimal digits: 64 of SHA-256, 32 of MD5.
  package consuming func finish() throws -> String {
    var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var count: UInt32 = 0
    guard EVP_DigestFinal_ex(context, &bytes, &count) == 1 else { throw Self.refused(algorithm) }
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: bytes.prefix(Int(count)).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  /// Of all the bytes that `next` fills a buffer with, until it returns fewer than the buffer takes.
  package static func of(
    _ algorithm: Algorithm, pieces next: (UnsafeMutableRawBufferPointer) throws -> Int
  ) throws -> String {
    var digest = try Digest(algorithm)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let count = try next(buffer)
      try digest.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      if count < buffer.count { return try digest.finish() }
    }
  }

  /// Of a file's bytes as stored.
  package static func of(_ algorithm: Algorithm, fileAt path: String) throws -> String {
    let file = try OpenFile(path: path)
    return try of(algorithm) { try file.readNext(into: $0) }
  }

  /// Of a text or array.
  package static func of(_ algorithm: Algorithm, _ bytes: [UInt8]) throws -> String {
    var digest = try Digest(algorithm)
    try bytes.withUnsafeBytes { try digest.update($0) }
    return try digest.finish()
  }

  private static func refused(_ algorithm: Algorithm) -> MTLFastError {
    MTLFastError(
      .system, "\(algorithm.rawValue): libcrypto refused. Its installation may be damaged or restricted.")
  }
}
