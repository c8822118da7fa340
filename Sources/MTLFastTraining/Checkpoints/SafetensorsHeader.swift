// SPDX-License-Identifier: Apache-2.0
// The JSON header of a safetensors file, read strictly.

import MTLFast

/// What the header of a safetensors file says, before anything is compared with the data.
///
/// The header is parsed here rather than by `JSONReader`: that one makes a tree, in which the order of the tensors and the
/// byte that each of them stands at are lost, and reads no surrogate pairs, which other writers use.
struct SafetensorsHeader {
  /// One tensor's line.
  struct Entry {
    let name: String
    let type: String
    let dimensions: [Int]
    /// In bytes from the start of the data.
    let begin: Int
    let end: Int
  }

  private(set) var metadata: [String: String] = [:]
  /// In the order of the header.
  private(set) var entries: [Entry] = []

  /// The key that holds the metadata and can't be a tensor's name.
  static let metadataKey = "__metadata__"

  /// - Parameter bytes: the header alone.
  /// - Throws: `MTLFastError` of kind `badData` with the position of the first byte that is wrong.
  init(_ bytes: UnsafeRawBufferPointer, path: String) throws {
    var parser = Parser(bytes: bytes, path: path)
    var names: Set<String> = []
    try parser.members { parser, key in
      guard names.insert(key).inserted else { throw parser.malformed("\(inQuotes(key)) comes twice") }
      if key == Self.metadataKey {
        metadata = try parser.strings()
      } else {
        entries.append(try parser.entry(key))
      }
    }
    try parser.end()
  }
}

/// A name from a file in quotes, on one line and of bounded length.
func inQuotes(_ name: String) -> String {
  var text = String.UnicodeScalarView()
  for scalar in name.unicodeScalars.prefix(80) {
    let isControl =
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator: true
      default: false
      }
    text.append(isControl ? "?" : scalar)
  }
  return "'\(String(text))\(name.unicodeScalars.count > 80 ? "..." : "")'"
}

/// Reads just the shape of JSON that a header has. It calls itself nowhere, so no input makes it deep.
private struct Parser {
  let bytes: UnsafeRawBufferPointer
  let path: String
  var position = 0

  init(bytes: UnsafeRawBufferPointer, path: String) {
    self.bytes = bytes
    self.path = path
  }

  func malformed(_ what: String) -> MTLFastError {
    MTLFastError(
      .badData,
      "\(path): the header is malformed at byte \(8 + position): \(what). The file is damaged or no safetensors file.")
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpaces() {
    while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
  }

  private mutating func takes(_ character: Unicode.Scalar) -> Bool {
    skipSpaces()
    guard let byte = next, byte == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func expect(_ character: Unicode.Scalar) throws {
    guard takes(character) else { throw malformed("expected '\(character)'") }
  }

  mutating func end() throws {
    skipSpaces()
    guard position == bytes.count else { throw malformed("something follows the closing '}'") }
  }

  /// `{"key": value, ...}`; `body` reads the value.
  mutating func members(_ body: (inout Parser, String) throws -> Void) throws {
    try expect("{")
    if takes("}") { return }
    repeat {
      let key = try string()
      try expect(":")
      try body(&self, key)
    } while takes(",")
    try expect("}")
  }

  /// `{"key": "value", ...}`
  mutating func strings() throws -> [String: String] {
    var values: [String: String] = [:]
    try members { parser, key in
      guard values.updateValue(try parser.string(), forKey: key) == nil else {
        throw parser.malformed("\(inQuotes(key)) comes twice")
      }
    }
    return values
  }

  /// `{"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}`
  mutating func entry(_ name: String) throws -> SafetensorsHeader.Entry {
    var type: String?
    var dimensions: [Int]?
    var offsets: [Int]?
    try members { parser, key in
      switch key {
      case "dtype" where type == nil: type = try parser.string()
      case "shape" where dimensions == nil: dimensions = try parser.integers()
      case "data_offsets" where offsets == nil: offsets = try parser.integers()
      case "dtype", "shape", "data_offsets": throw parser.malformed("\(inQuotes(key)) comes twice")
      default: throw parser.malformed("tensor \(inQuotes(name)) has an unknown key \(inQuotes(key))")
      }
    }
    guard let type, let dimensions, let offsets, offsets.count == 2 else {
      throw malformed("tensor \(inQuotes(name)) must have a dtype, a shape and two data_offsets")
    }
    return SafetensorsHeader.Entry(
      name: name, type: type, dimensions: dimensions, begin: offsets[0], end: offsets[1])
  }

  /// `[0, 24]`
  private mutating func integers() throws -> [Int] {
    try expect("[")
    var values: [Int] = []
    if takes("]") { return values }
    repeat { values.append(try integer()) } while takes(",")
    try expect("]")
    return values
  }

  private mutating func integer() throws -> Int {
    skipSpaces()
    let start = position
    var value = 0
    while let byte = next, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
      let (tens, tensOverflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, sumOverflow) = tens.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
      guard !tensOverflow, !sumOverflow else { throw malformed("the number is too large") }
      value = sum
      position += 1
    }
    guard position > start, position == start + 1 || bytes[start] != UInt8(ascii: "0") else {
      throw malformed("expected a whole number")
    }
    return value
  }

  private mutating func string() throws -> String {
    try expect("\"")
    var text: [UInt8] = []
    while let byte = next {
      position += 1
      switch byte {
      case UInt8(ascii: "\""):
        guard let string = String(validating: text, as: UTF8.self) else { throw malformed("the text is no UTF-8") }
        return string
      case UInt8(ascii: "\\"): try escape(&text)
      case ..<0x20: throw malformed("a control character in a text")
      default: text.append(byte)
      }
    }
    throw malformed("the text has no end")
  }

  /// What follows a backslash.
  private mutating func escape(_ text: inout [UInt8]) throws {
    guard let byte = next else { throw malformed("the text has no end") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0c)
    case UInt8(ascii: "n"): text.append(0x0a)
    case UInt8(ascii: "r"): text.append(0x0d)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"):
      var code = try hexadecimal()
      if (0xd800..<0xdc00).contains(code) {
        guard next == UInt8(ascii: "\\") else { throw malformed("half a surrogate pair") }
        position += 1
        guard next == UInt8(ascii: "u") else { throw malformed("half a surrogate pair") }
        position += 1
        let low = try hexadecimal()
        guard (0xdc00..<0xe000).contains(low) else { throw malformed("half a surrogate pair") }
        code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
      }
      guard let scalar = Unicode.Scalar(code) else { throw malformed("half a surrogate pair") }
      text.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
    default: throw malformed("an unknown escape")
    }
  }

  private mutating func hexadecimal() throws -> UInt32 {
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
        throw malformed("expected four hexadecimal digits")
      }
      code = code << 4 | UInt32(digit)
      position += 1
    }
    return code
  }
}
