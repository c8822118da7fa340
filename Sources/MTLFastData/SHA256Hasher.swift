// SPDX-License-Identifier: Apache-2.0
// SHA-256 of bytes that arrive in pieces.

import CCrypto
import MTLFast

/// SHA-256 (FIPS 180-4) of bytes that arrive in pieces.
///
///     var hasher = try SHA256Hasher()
///     try Array("abc".utf8).withUnsafeBytes { try hasher.update($0) }
///     try hasher.finish()  // "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
public struct SHA256Hasher: ~Copyable {
  private let context: OpaquePointer

  /// - Throws: `MTLFastError` of kind `system` where libcrypto refuses.
  public init() throws {
    guard let context = EVP_MD_CTX_new() else { throw Self.refused }
    guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
      EVP_MD_CTX_free(context)
      throw Self.refused
    }
    self.context = context
  }

  deinit { EVP_MD_CTX_free(context) }

  public mutating func update(_ bytes: UnsafeRawBufferPointer) throws {
    guard EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 else { throw Self.refused }
  }

  /// The hash as 64 lower-case hexadecimal digits.
  public consuming func finish() throws -> String {
    var digest = [UInt8](repeating: 0, count: 32)
    guard EVP_DigestFinal_ex(context, &digest, nil) == 1 else { throw Self.refused }
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }

  private static var refused: MTLFastError {
    MTLFastError(.system, "SHA-256: libcrypto refused. Its installation may be damaged or restricted.")
  }
}
