// SPDX-License-Identifier: Apache-2.0
// Reads JSON: the logs that a run leaves behind.

import Files

/// What is wrong with a JSON text.
public struct JSONDamage: Error, Equatable {
  /// As the middle of a sentence: `expected ','`.
  public let what: String
  /// The byte that it was found at, counted from 1.
  public let column: Int
}

extension JSONValue {
  /// Reads one value that is the whole text.
  ///
  ///     try JSONValue(reading: Array(#"{"step":1}"#.utf8)[...])  // .object(["step": .integer(1)])
  ///
  /// Strict (RFC 8259), but for surrogate pairs in escapes, which this project never writes. A number without point and
  /// exponent that fits is an `.integer`.
  ///
  /// - Throws: `JSONDamage`.
  public init(reading bytes: some Sequence<UInt8>) throws(JSONDamage) {
    var bytes = ContiguousArray(bytes)
    // An end that is no part of any value spares a check of bounds in each place.
    bytes.append(0)
    self = try bytes.withUnsafeBufferPointerTyped { (buffer) throws(JSONDamage) in
      var reader = JSONReader(bytes: buffer)
      let value = try reader.value(depth: 0)
      reader.skipSpaces()
      guard reader.position == buffer.count - 1 else { throw reader.damage("something follows the value") }
      return value
    }
  }

  /// The value in a file; nil where the file can't be read or holds no whole value.
  init?(contentsOf path: String) {
    guard let whole = try? WholeFile(path: path) else { return nil }
    // The bytes are gone with the object.
    let value = withExtendedLifetime(whole) { try? JSONValue(reading: whole.bytes) }
    guard let value else { return nil }
    self = value
  }

  /// The member of an object; nil where there is none or this is no object.
  public subscript(key: String) -> JSONValue? {
    if case .object(let members) = self { members[key] } else { nil }
  }

  public var members: [String: JSONValue]? { if case .object(let members) = self { members } else { nil } }
  public var elements: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
  public var string: String? { if case .string(let string) = self { string } else { nil } }
  public var integer: Int? { if case .integer(let integer) = self { integer } else { nil } }
  public var number: Double? {
    switch self {
    case .integer(let value): Double(value)
    case .number(let value): value
    default: nil
    }
  }
}

extension ContiguousArray {
  /// `withUnsafeBufferPointer` with a typed error.
  fileprivate func withUnsafeBufferPointerTyped<Result, Failure: Error>(
    _ body: (UnsafeBufferPointer<Element>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try withUnsafeBufferPointer { (buffer) throws(Failure) -> Result in try body(buffer) }
  }
}

/// Walks over the bytes, which end in a 0.
private struct JSONReader {
  let bytes: UnsafeBufferPointer<UInt8>
  var position = 0
  /// Deeper values would overflow the stack.
  private static let deepest = 64

  init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

  private var next: UInt8 { bytes[position] }

  func damage(_ what: String) -> JSONDamage { JSONDamage(what: what, column: position + 1) }

  mutating func skipSpaces() {
    while next == 32 || next == 9 || next == 10 || next == 13 { position += 1 }
  }

  private mutating func takes(_ character: Unicode.Scalar) -> Bool {
    skipSpaces()
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  mutating func value(depth: Int) throws(JSONDamage) -> JSONValue {
    guard depth < Self.deepest else { throw damage("it is nested too deeply") }
    skipSpaces()
    switch next {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    default: return try number()
    }
  }

  private mutating func word(_ word: StaticString, _ value: JSONValue) throws(JSONDamage) -> JSONValue {
    for index in 0..<word.utf8CodeUnitCount {
      guard next == word.utf8Start[index] else { throw damage("expected a value") }
      position += 1
    }
    return value
  }

  private mutating func object(depth: Int) throws(JSONDamage) -> JSONValue {
    position += 1
    var members: [String: JSONValue] = [:]
    if takes("}") { return .object(members) }
    repeat {
      skipSpaces()
      guard next == UInt8(ascii: "\"") else { throw damage("expected a key in quotes") }
      let key = try string()
      guard takes(":") else { throw damage("expected ':'") }
      let value = try value(depth: depth + 1)
      guard members.updateValue(value, forKey: key) == nil else { throw damage("the key '\(key)' comes twice") }
    } while takes(",")
    guard takes("}") else { throw damage("expected ',' or '}'") }
    return .object(members)
  }

  private mutating func array(depth: Int) throws(JSONDamage) -> JSONValue {
    position += 1
    var elements: [JSONValue] = []
    if takes("]") { return .array(elements) }
    repeat { elements.append(try value(depth: depth + 1)) } while takes(",")
    guard takes("]") else { throw damage("expected ',' or ']'") }
    return .array(elements)
  }

  private mutating func digits() throws(JSONDamage) {
    guard next >= 48, next <= 57 else { throw damage("expected a value") }
    while next >= 48, next <= 57 { position += 1 }
  }

  private mutating func number() throws(JSONDamage) -> JSONValue {
    let start = position
    if next == UInt8(ascii: "-") { position += 1 }
    let first = position
    try digits()
    if bytes[first] == 48, position > first + 1 { throw damage("a number begins with 0") }
    var isWhole = true
    if next == UInt8(ascii: ".") {
      isWhole = false
      position += 1
      try digits()
    }
    if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
      isWhole = false
      position += 1
      if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { position += 1 }
      try digits()
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isWhole, let value = Int(text) { return .integer(value) }
    guard let value = Double(text), value.isFinite else { throw damage("a number is too large") }
    return .number(value)
  }

  private mutating func string() throws(JSONDamage) -> String {
    position += 1
    let start = position
    while next != UInt8(ascii: "\""), next != UInt8(ascii: "\\"), next >= 32 { position += 1 }
    var text = ContiguousArray(bytes[start..<position])
    while next != UInt8(ascii: "\"") {
      guard next >= 32 else {
        throw damage(position == bytes.count - 1 ? "a text has no end" : "a control character in a text")
      }
      if next == UInt8(ascii: "\\") {
        try escape(&text)
      } else {
        text.append(next)
        position += 1
      }
    }
    position += 1
    guard let string = String(validating: text, as: UTF8.self) else { throw damage("a text is no UTF-8") }
    return string
  }

  private mutating func escape(_ text: inout ContiguousArray<UInt8>) throws(JSONDamage) {
    position += 1
    let escape = next
    position += 1
    switch escape {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(escape)
    case UInt8(ascii: "b"): text.append(8)
    case UInt8(ascii: "f"): text.append(12)
    case UInt8(ascii: "n"): text.append(10)
    case UInt8(ascii: "r"): text.append(13)
    case UInt8(ascii: "t"): text.append(9)
    case UInt8(ascii: "u"):
      var code: UInt32 = 0
      for _ in 0..<4 {
        guard let digit = Character(Unicode.Scalar(next)).hexDigitValue else {
          throw damage("expected four hexadecimal digits")
        }
        code = code << 4 | UInt32(digit)
        position += 1
      }
      guard let scalar = Unicode.Scalar(code), let encoded = UTF8.encode(scalar) else {
        throw damage("half a surrogate pair")
      }
      text.append(contentsOf: encoded)
    default:
      position -= 1
      throw damage("an unknown escape")
    }
  }
}
