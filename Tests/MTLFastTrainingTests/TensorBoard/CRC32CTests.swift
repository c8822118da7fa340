// SPDX-License-Identifier: Apache-2.0
// CRC-32C against the vectors of RFC 3720, appendix B.4.

import Testing

@testable import MTLFastTraining

@Suite struct CRC32CTests {
  @Test(
    arguments: [
      ([], 0),
      (Array("123456789".utf8), 0xE306_9283),
      ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
      ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
      ((0..<32).map { UInt8($0) }, 0x46DD_794E),
      ((0..<32).map { UInt8(31 - $0) }, 0x113F_DB5C),
    ] as [([UInt8], UInt32)])
  func knownVectors(bytes: [UInt8], checksum: UInt32) {
    #expect(bytes.withUnsafeBytes { CRC32C.checksum($0) } == checksum)
    let rotated = checksum >> 15 | checksum << 17
    #expect(bytes.withUnsafeBytes { CRC32C.masked($0) } == rotated &+ 0xA282_EAD8)
  }
}
