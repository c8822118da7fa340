// SPDX-License-Identifier: Apache-2.0
// MD5 against the vectors of RFC 1321; gzip is taken as stored.

import MTLFast
import Testing

@testable import MTLFastData

struct FileMD5Tests {
  @Test(arguments: [
    ("", "d41d8cd98f00b204e9800998ecf8427e"), ("abc", "900150983cd24fb0d6963f7d28e17f72"),
    ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
  ])
  func publishedVectors(text: String, expected: String) throws {
    let folder = try TemporaryFolder()
    #expect(try fileMD5(ofFileAt: folder.write(Array(text.utf8), to: "file")) == expected)
  }

  @Test func gzipIsNotInflated() throws {
    let folder = try TemporaryFolder()
    let bytes = try gzip(noise(1000))
    let stored = try fileMD5(ofFileAt: folder.write(bytes, to: "a"))
    #expect(try fileMD5(ofFileAt: folder.write(noise(1000), to: "b")) != stored)
  }
}
