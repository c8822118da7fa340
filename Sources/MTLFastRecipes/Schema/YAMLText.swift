// SPDX-License-Identifier: Apache-2.0
// Values as YAML text.

import MTLFast

/// `{a: 1, b: 2}`
func yamlFlow(_ settings: [String]) -> String { "{\(settings.joined(separator: ", "))}" }

func yamlList(_ numbers: [Int]) -> String { "[\(numbers.map(String.init).joined(separator: ", "))]" }

/// Each number as the shortest text that parses to the same bits.
func yamlList(_ numbers: [Float]) -> String { "[\(numbers.map { shortText($0) }.joined(separator: ", "))]" }

func yamlList(_ texts: [String]) -> String { "[\(texts.map(quoted).joined(separator: ", "))]" }

/// Plain where that can't be misread, otherwise in double quotes.
func quoted(_ text: String) -> String {
  let isPlain =
    text.utf8.allSatisfy { byte in
      (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || "_-.".utf8.contains(byte)
    } && text.utf8.first.map { (65...90).contains($0) || (97...122).contains($0) } ?? false
  if isPlain, !["null", "true", "false", "yes", "no", "on", "off", "y", "n"].contains(text.lowercased()) {
    return text
  }
  var quoted = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": quoted += "\\\""
    case "\\": quoted += "\\\\"
    case _
    where scalar.value < 32 || scalar.value == 127 || (0x80..<0xA0).contains(scalar.value)
      || [0x2028, 0x2029, 0xFEFF].contains(scalar.value):
      let digits = String(scalar.value, radix: 16)
      quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: quoted.unicodeScalars.append(scalar)
    }
  }
  return quoted + "\""
}
