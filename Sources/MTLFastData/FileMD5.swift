// SPDX-License-Identifier: Apache-2.0
// MD5 of a file as it is, for publishers that give no better hash.

import CCrypto
import MTLFast

/// MD5 (RFC 1321) of a file's bytes as stored, 32 lower-case hexadecimal digits. It finds damage and mix-ups, not intent.
func fileMD5(ofFileAt path: String) throws -> String {
  let refused = MTLFastError(.system, "MD5: libcrypto refused. Its installation may be restricted.")
  guard let context = EVP_MD_CTX_new() else { throw refused }
  defer { EVP_MD_CTX_free(context) }
  guard EVP_DigestInit_ex(context, EVP_md5(), nil) == 1 else { throw refused }
  let file = try InflatingFile(path: path, asStored: true)
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
  defer { buffer.deallocate() }
  while true {
    let count = try file.read(into: buffer)
    guard EVP_DigestUpdate(context, buffer.baseAddress, count) == 1 else { throw refused }
    if count < buffer.count { break }
  }
  var digest = [UInt8](repeating: 0, count: 16)
  guard EVP_DigestFinal_ex(context, &digest, nil) == 1 else { throw refused }
  return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
