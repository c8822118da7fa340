// SPDX-License-Identifier: Apache-2.0
// SHA-256 against the published examples.

import MTLFastData
import Testing

struct SHA256HasherTests {
  /// FIPS 180-4's examples: the empty message, one block, two blocks.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ])
  func examples(message: String, hash: String) throws { #expect(try sha256(Array(message.utf8)) == hash) }

  @Test func piecesMakeTheWhole() throws {
    let bytes = noise(1000)
    var hasher = try SHA256Hasher()
    for start in stride(from: 0, to: bytes.count, by: 37) {
      try bytes[start..<min(start + 37, bytes.count)].withUnsafeBytes { try hasher.update($0) }
    }
    #expect(try hasher.finish() == sha256(bytes))
  }
}
