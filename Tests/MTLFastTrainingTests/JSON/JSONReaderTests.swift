// SPDX-License-Identifier: Apache-2.0
// What is written as JSON reads back; what is damaged is refused where it is.

import Testing

@testable import MTLFastTraining

@Suite struct JSONReaderTests {
  private func read(_ text: String) throws(JSONDamage) -> JSONValue { try JSONValue(reading: Array(text.utf8)) }

  @Test func whatIsWrittenReadsBack() throws {
    let value = JSONValue.object([
      "a": .array([1, .number(-0.5), .number(1e-9), .null, .bool(true), .bool(false), .array([]), .object([:])]),
      "task \"x\"\n\u{1}": .string("Zürich \\ \u{1F600}"), "large": .integer(.max),
    ])
    #expect(try read(value.text) == value)
  }

  @Test func spacesAndEscapesAreRead() throws {
    #expect(try read(" { \"a\" : [ 1 , 2.5e+1 ] }\n") == .object(["a": .array([1, .number(25)])]))
    #expect(try read(#""\u00e9\/\t\b""#) == .string("é/\t\u{8}"))
    #expect(try read("100000000000000000000") == .number(1e20))
    #expect(try read(#"{"a":{"b":3}}"#)["a"]?["b"]?.number == 3)
  }

  @Test(arguments: [
    ("", "expected a value", 1), (#"{"a":1"#, "expected ',' or '}'", 7), (#"{"a" 1}"#, "expected ':'", 6),
    ("{a:1}", "expected a key in quotes", 2), ("[1 2]", "expected ',' or ']'", 4),
    ("1 2", "something follows the value", 3),
    ("nul", "expected a value", 4), ("NaN", "expected a value", 1), ("-", "expected a value", 2),
    ("01", "a number begins with 0", 3), ("1.", "expected a value", 3), ("1e999", "a number is too large", 6),
    (#""a"#, "a text has no end", 3), ("\"a\nb\"", "a control character in a text", 3),
    (#""\x""#, "an unknown escape", 3), (#""\u12g4""#, "expected four hexadecimal digits", 6),
    (#""\ud800""#, "half a surrogate pair", 8), (#"{"a":1,"a":2}"#, "the key 'a' comes twice", 13),
    (String(repeating: "[", count: 100), "it is nested too deeply", 65),
  ])
  func damageIsToldWithItsPlace(text: String, what: String, column: Int) {
    #expect(throws: JSONDamage(what: what, column: column)) { try read(text) }
  }

  @Test func bytesThatAreNoTextAreRefused() {
    #expect(throws: JSONDamage(what: "a text is no UTF-8", column: 4)) { try JSONValue(reading: [34, 0xff, 34]) }
    #expect(throws: JSONDamage(what: "a text has no end", column: 3)) { try JSONValue(reading: [34, 65]) }
    #expect(throws: JSONDamage.self) { try JSONValue(reading: [34, 65, 0, 34]) }
  }
}
