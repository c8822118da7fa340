// SPDX-License-Identifier: Apache-2.0
// NumPy's files: one array in a .npy, several in a .npz.

import Files
import MTLFast

/// Reads `.npy` (format 1.0, 2.0 and 3.0) and `.npz` (a zip of them, stored or deflated).
///
/// Source: the NumPy documentation, `numpy.lib.format`. Little-endian integers, floats and booleans in C order are read;
/// what else there is (Python objects, structures, text, Fortran order) is refused with the way to convert it. Sizes in
/// a header are multiplied with overflow checks and compared with the content before memory is asked for.
public enum NumPyFile {
  /// The arrays of a file: one of a `.npy`, named by the file; those of a `.npz` in the order of their names.
  ///
  ///     let arrays = try NumPyFile.read("digits.npz")
  ///     arrays.map(\.name)  // ["images", "labels"]
  ///
  /// - Throws: `MTLFastError` of kind `missingInput` where the file can't be opened, `badData` where it is wrong.
  public static func read(_ path: String) throws -> [NumPyArray] {
    let file = try OpenFile(path: path)
    var magic = [UInt8](repeating: 0, count: 4)
    let count = try magic.withUnsafeMutableBytes { try file.readNext(into: $0) }
    if count == 4, magic.starts(with: [0x50, 0x4b, 3, 4]) || magic.starts(with: [0x50, 0x4b, 5, 6]) {
      return try readArchive(path)
    }
    let again = try OpenFile(path: path)
    return [
      try array(
        name: withoutEnding(FilePath.name(of: path)), place: path, byteCount: again.size, read: again.readNext)
    ]
  }

  private static func readArchive(_ path: String) throws -> [NumPyArray] {
    let archive = try ArchiveReader(path: path, format: .zip)
    var arrays: [String: NumPyArray] = [:]
    while let member = try archive.next() {
      let name = withoutEnding(member.path)
      // Whole first: the CRC is checked before a value is used.
      let bytes = try archive.bytes(of: member)
      var rest = bytes[...]
      let array = try array(name: name, place: "\(path): \(member.path)", byteCount: bytes.count) { destination in
        let taken = min(destination.count, rest.count)
        rest.prefix(taken).withUnsafeBytes { destination.copyMemory(from: $0) }
        rest.removeFirst(taken)
        return taken
      }
      guard arrays.updateValue(array, forKey: name) == nil else {
        throw MTLFastError(.badData, "\(path): has two arrays named '\(name)'. Save it again.")
      }
    }
    guard !arrays.isEmpty else { throw MTLFastError(.badData, "\(path): holds no arrays. Save it again.") }
    return arrays.values.sorted { $0.name.unicodeScalars.lexicographicallyPrecedes($1.name.unicodeScalars) }
  }

  private static func withoutEnding(_ name: String) -> String {
    name.hasSuffix(".npy") ? String(name.dropLast(4)) : name
  }

  private static func array(
    name: String, place: String, byteCount: Int, read: (UnsafeMutableRawBufferPointer) throws -> Int
  ) throws -> NumPyArray {
    let header = try NumPyHeader(place: place, byteCount: byteCount, read: read)
    try Memory.require(header.storedBytes, for: place, remedy: "Use fewer samples.")
    func exactly<Value>(_ type: Value.Type) throws -> [Value] {
      try [Value](unsafeUninitializedCapacity: header.elementCount) { buffer, filled in
        let bytes = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<header.dataBytes])
        guard try read(bytes) == bytes.count else {
          throw MTLFastError(.badData, "\(place): ends before its \(header.dataBytes) bytes of data. Save it again.")
        }
        filled = header.elementCount
      }
    }
    let storage: NumPyArray.Storage
    switch header.type {
    case .u1: storage = .bytes(try exactly(UInt8.self))
    case .b1: storage = .bytes(try exactly(UInt8.self).map { $0 == 0 ? 0 : 1 })
    case .i1: storage = .integers(try exactly(Int8.self).map { Int64($0) })
    case .i2: storage = .integers(try exactly(Int16.self).map { Int64(Int16(littleEndian: $0)) })
    case .u2: storage = .integers(try exactly(UInt16.self).map { Int64(UInt16(littleEndian: $0)) })
    case .i4: storage = .integers(try exactly(Int32.self).map { Int64(Int32(littleEndian: $0)) })
    case .u4: storage = .integers(try exactly(UInt32.self).map { Int64(UInt32(littleEndian: $0)) })
    case .i8: storage = .integers(try exactly(Int64.self).map { Int64(littleEndian: $0) })
    case .u8:
      let values = try exactly(UInt64.self).map { UInt64(littleEndian: $0) }
      if let value = values.first(where: { $0 > UInt64(Int64.max) }) {
        throw MTLFastError(
          .badData, "\(place): holds \(value), more than \(Int64.max). Convert it with a.astype('<f4').")
      }
      storage = .integers(values.map { Int64($0) })
    case .f2: storage = .floats(try exactly(UInt16.self).map { Self.float(half: UInt16(littleEndian: $0)) })
    case .f4: storage = .floats(try exactly(UInt32.self).map { Float(bitPattern: UInt32(littleEndian: $0)) })
    case .f8: storage = .floats(try exactly(UInt64.self).map { Float(Double(bitPattern: UInt64(littleEndian: $0))) })
    }
    return NumPyArray(name: name, shape: header.shape, storage: storage)
  }

  /// IEEE 754 binary16 as a Float, exactly. Swift's own Float16 isn't there on every platform.
  static func float(half: UInt16) -> Float {
    let sign = UInt32(half & 0x8000) << 16
    let exponent = UInt32(half >> 10) & 31
    let fraction = UInt32(half & 0x3ff)
    switch exponent {
    case 0: return (sign == 0 ? 1 : -1) * Float(fraction) * 0x1p-24
    case 31: return Float(bitPattern: sign | 0x7f80_0000 | fraction << 13)
    default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
    }
  }
}
