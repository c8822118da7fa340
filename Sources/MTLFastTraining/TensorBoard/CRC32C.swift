// SPDX-License-Identifier: Apache-2.0
// The checksum of event files: CRC-32C (Castagnoli), one byte at a time.

enum CRC32C {
  /// Of the reflected polynomial 0x82F63B78.
  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
  }

  ///     CRC32C.checksum of "123456789" is 0xE3069283
  static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    table.withUnsafeBufferPointer { table in
      var value = UInt32.max
      for byte in bytes { value = table[Int(UInt8(truncatingIfNeeded: value) ^ byte)] ^ value >> 8 }
      return ~value
    }
  }

  /// As records hold it: rotated and shifted, since the checksum of data that hold their own checksum tells little.
  static func masked(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    let value = checksum(bytes)
    return (value >> 15 | value << 17) &+ 0xA282_EAD8
  }
}
