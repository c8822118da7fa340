// SPDX-License-Identifier: Apache-2.0
// The header of a .npy file: its version, element type, order and shape.

import MTLFast

/// The header of a `.npy` file, compared with the size of what follows.
struct NumPyHeader {
  /// The element types that are read; the digit is the size in bytes.
  enum ElementType: String, CaseIterable {
    case b1, u1, i1, u2, i2, f2, u4, i4, f4, u8, i8, f8

    var byteCount: Int { Int(rawValue.suffix(1)) ?? 1 }
  }

  let type: ElementType
  let shape: [Int]
  let elementCount: Int
  /// Of the data in the file.
  let dataBytes: Int

  /// No less than the memory that the values need: integers become 8 bytes, floats 4, on top of what is read.
  var storedBytes: Int { dataBytes + elementCount * 8 }

  private static let largestHeader = 1 << 20

  /// Reads up to the first byte of the data.
  init(place: String, byteCount: Int, read: (UnsafeMutableRawBufferPointer) throws -> Int) throws {
    func next(_ count: Int) throws -> [UInt8] {
      let bytes = try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        filled = try read(UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: count))
      }
      guard bytes.count == count else {
        throw MTLFastError(.badData, "\(place): ends inside its header, after \(byteCount) bytes. Save it again.")
      }
      return bytes
    }
    let start = try next(min(8, max(6, byteCount)))
    guard start.starts(with: [0x93] + Array("NUMPY".utf8)), start.count == 8 else {
      throw MTLFastError(.badData, "\(place): doesn't begin as a .npy file does. Save the array with numpy.save.")
    }
    guard (1...3).contains(start[6]), start[7] == 0 else {
      throw MTLFastError(
        .badData, "\(place): has format \(start[6]).\(start[7]), known are 1.0, 2.0 and 3.0. Save it with numpy.save.")
    }
    let lengthBytes = start[6] == 1 ? 2 : 4
    let length = try next(lengthBytes).reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= Self.largestHeader, length <= byteCount else {
      throw MTLFastError(
        .badData, "\(place): claims a header of \(length) bytes in \(byteCount). The file is damaged: save it again.")
    }
    var parser = NumPyHeaderParser(bytes: try next(length), place: place)
    let fields = try parser.dictionary()
    guard !fields.fortranOrder else {
      throw MTLFastError(
        .badData, "\(place): is in Fortran order. Save it in C order: numpy.save(file, numpy.ascontiguousarray(a)).")
    }
    type = try Self.elementType(fields.descr, place: place)
    shape = fields.shape
    var count = 1
    var overflows = false
    for size in shape + [type.byteCount, 8] {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      (count, overflows) = (product, overflows || overflow)
    }
    let available = byteCount - 8 - lengthBytes - length
    guard !overflows, count / 8 == available else {
      throw MTLFastError(
        .badData,
        "\(place): its header promises \(shape) of '\(fields.descr)', \(overflows ? "too many" : "\(count / 8)") bytes, "
          + "but \(available) follow. The file is damaged: save it again.")
    }
    dataBytes = available
    elementCount = available / type.byteCount
  }

  private static func elementType(_ descr: String, place: String) throws -> ElementType {
    let kind = String(descr.dropFirst())
    if let type = ElementType(rawValue: kind) {
      if descr.hasPrefix("<") || (type.byteCount == 1 && descr.hasPrefix("|")) { return type }
      if descr.hasPrefix(">") {
        throw MTLFastError(
          .badData,
          "\(place): is big-endian ('\(descr)'). Save it little-endian: numpy.save(file, a.astype('<\(kind)')).")
      }
    }
    throw MTLFastError(
      .badData,
      "\(place): has elements of type '\(descr)', known are \(ElementType.allCases.map(\.rawValue).joined(separator: ", ")). "
        + "Convert it: numpy.save(file, a.astype('<f4')).")
  }
}

/// Reads the Python dictionary in a header: exactly the keys descr, fortran_order and shape, in any order.
private struct NumPyHeaderParser {
  let bytes: [UInt8]
  let place: String
  private var at = 0

  init(bytes: [UInt8], place: String) {
    self.bytes = bytes
    self.place = place
  }

  mutating func dictionary() throws -> (descr: String, fortranOrder: Bool, shape: [Int]) {
    var descr: String?
    var fortranOrder: Bool?
    var shape: [Int]?
    try expect("{")
    while !accept("}") {
      let key = try string()
      try expect(":")
      switch key {
      case "descr" where descr == nil: descr = try elementType()
      case "fortran_order" where fortranOrder == nil: fortranOrder = try boolean()
      case "shape" where shape == nil: shape = try tuple()
      default: throw wrong("has the key '\(key)', which is unknown or there twice")
      }
      if !accept(",") {
        try expect("}")
        break
      }
    }
    skipSpace()
    guard at == bytes.count else { throw wrong("goes on after its dictionary") }
    guard let descr, let fortranOrder, let shape else { throw wrong("lacks one of descr, fortran_order and shape") }
    return (descr, fortranOrder, shape)
  }

  private mutating func elementType() throws -> String {
    guard !accept("[") else {
      throw MTLFastError(
        .badData, "\(place): has a structured element type. Save each field as an array of its own: numpy.savez.")
    }
    return try string()
  }

  private mutating func string() throws -> String {
    skipSpace()
    guard at < bytes.count, bytes[at] == UInt8(ascii: "'") || bytes[at] == UInt8(ascii: "\"") else {
      throw wrong("lacks a text at byte \(at)")
    }
    let quote = bytes[at]
    guard let end = bytes[(at + 1)...].firstIndex(of: quote) else { throw wrong("has a text without an end") }
    defer { at = end + 1 }
    return String(decoding: bytes[(at + 1)..<end], as: UTF8.self)
  }

  private mutating func boolean() throws -> Bool {
    if accept("True") { return true }
    try expect("False")
    return false
  }

  private mutating func tuple() throws -> [Int] {
    var sizes: [Int] = []
    try expect("(")
    while !accept(")") {
      skipSpace()
      let start = at
      while at < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[at]) { at += 1 }
      guard let size = Int(String(decoding: bytes[start..<at], as: UTF8.self)) else {
        throw wrong("has a size at byte \(start) that is no number or too large")
      }
      sizes.append(size)
      if !accept(",") {
        try expect(")")
        break
      }
    }
    return sizes
  }

  private mutating func skipSpace() {
    while at < bytes.count, [0x20, 0x0a, 0x09].contains(bytes[at]) { at += 1 }
  }

  private mutating func accept(_ text: String) -> Bool {
    skipSpace()
    guard bytes[at...].starts(with: text.utf8) else { return false }
    at += text.utf8.count
    return true
  }

  private mutating func expect(_ text: String) throws {
    guard accept(text) else { throw wrong("lacks '\(text)' at byte \(at)") }
  }

  private func wrong(_ what: String) -> MTLFastError {
    MTLFastError(.badData, "\(place): its header \(what). The file is damaged: save it again.")
  }
}
