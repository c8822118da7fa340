// SPDX-License-Identifier: Apache-2.0
// JSON text: sorted keys, null for what is no number, escapes.

import MTLFastTraining
import Testing

@Suite struct JSONValueTests {
  @Test func keysAreSortedAndNumbersRoundTrip() {
    let value = JSONValue.object([
      "b": .array([.integer(-1), .number(0.1), .number(1e-7), .number(.nan), .number(-.infinity)]), "a": .bool(true),
      "c": .null, "d": .object([:]),
    ])
    #expect(value.text == #"{"a":true,"b":[-1,0.1,1e-07,null,null],"c":null,"d":{}}"#)
  }

  @Test func stringsAreEscaped() {
    #expect(JSONValue.string("a\"\\\n\t\u{1}é\u{1F600}").text == #""a\"\\\n\u0009\u0001é😀""#)
  }

  @Test func aMissingNumberIsNull() {
    #expect(JSONValue.number(nil as Double?).text == "null")
    #expect(
      TaskScore(loss: nil, metrics: [(.accuracy, nil)], present: 0).json.text
        == #"{"accuracy":null,"loss":null,"present":0}"#)
  }
}
