// SPDX-License-Identifier: Apache-2.0
// SHA-256 and MD5 against the published examples.

import Files
import TestSupport
import Testing

struct DigestTests {
  /// FIPS 180-4's examples (the empty message, one block, two blocks), and three of RFC 1321.
  @Test(arguments: [
    (Digest.Algorithm.sha256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    (.sha256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      .sha256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    (.md5, "", "d41d8cd98f00b204e9800998ecf8427e"), (.md5, "abc", "900150983cd24fb0d6963f7d28e17f72"),
    (.md5, "message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
  ])
  func examples(algorithm: Digest.Algorithm, message: String, expected: String) throws {
    #expect(try Digest.of(algorithm, Array(message.utf8)) == expected)
    let folder = try TemporaryFolder()
    try folder.write(message, to: "file")
    #expect(try Digest.of(algorithm, fileAt: "\(folder.path)/file") == expected)
  }

  @Test func piecesMakeTheWhole() throws {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7) }
    var digest = try Digest(.sha256)
    for start in stride(from: 0, to: bytes.count, by: 37) {
      try bytes[start..<min(start + 37, bytes.count)].withUnsafeBytes { try digest.update($0) }
    }
    #expect(try digest.finish() == Digest.of(.sha256, bytes))
  }
}
