// SPDX-License-Identifier: Apache-2.0
// What a value of a recipe may be, as JSON Schema says it.

import MTLFast
import MTLFastTraining

/// The form of a value.
indirect enum ValueShape {
  case integer(ClosedRange<Int>)
  /// A whole number from 0 to 2^64 - 1.
  case seed
  case number(NumberRange)
  case boolean
  case text
  /// Text of this form, a regular expression.
  case pattern(String)
  /// One of these words.
  case choice([String])
  /// A list of so many values of one form.
  case list(ValueShape, count: ClosedRange<Int>, isUnique: Bool = false)
  case mapping(MappingShape)
  /// Names of one's own, each with a value of this form.
  case names(ValueShape, atLeast: Int)
  case any([ValueShape])
  /// A key without a value.
  case nothing
  /// A form with a name of its own.
  case reference(String)

  /// JSON Schema 2020-12.
  var json: JSONValue {
    switch self {
    case .integer(let range):
      var members: [String: JSONValue] = ["type": "integer", "minimum": .integer(range.lowerBound)]
      if range.upperBound < .max { members["maximum"] = .integer(range.upperBound) }
      return .object(members)
    case .seed: return .object(["type": "integer", "minimum": .integer(0), "maximum": .number(Double(UInt64.max))])
    case .number(let range): return .object(range.jsonSchema.merging(["type": "number"]) { first, _ in first })
    case .boolean: return .object(["type": "boolean"])
    // A number or a word such as true is read as the text that it is.
    case .text: return .object(["type": .array(["string", "number", "boolean"]), "minLength": .integer(1)])
    case .pattern(let pattern): return .object(["type": "string", "pattern": .string(pattern)])
    case .choice(let words):
      return words.count == 1
        ? .object(["const": .string(words[0])]) : .object(["enum": .array(words.map { .string($0) })])
    case .list(let item, let count, let isUnique):
      var members: [String: JSONValue] = ["type": "array", "items": item.json]
      if count.lowerBound > 0 { members["minItems"] = .integer(count.lowerBound) }
      if count.upperBound < .max { members["maxItems"] = .integer(count.upperBound) }
      if isUnique { members["uniqueItems"] = .bool(true) }
      return .object(members)
    case .mapping(let mapping): return mapping.json
    case .names(let value, let least):
      return .object([
        "type": "object", "additionalProperties": value.json, "minProperties": .integer(least),
      ])
    case .any(let shapes): return .object(["anyOf": .array(shapes.map(\.json))])
    case .nothing: return .object(["type": "null"])
    case .reference(let name): return .object(["$ref": .string("#/$defs/\(name)")])
    }
  }
}

/// The keys of a mapping.
struct MappingShape {
  struct Key {
    let name: String
    let shape: ValueShape
    let isRequired: Bool
    let sentence: String
    /// As YAML; nil where there is none.
    let standard: YAMLValue?
  }

  let keys: [Key]
  /// Keys of which just one is given.
  var oneOf: [String] = []

  var json: JSONValue {
    var properties: [String: JSONValue] = [:]
    for key in keys {
      guard case .object(var members) = key.shape.json else { continue }
      members["description"] = .string(plainText(key.sentence))
      if let standard = key.standard?.json { members["default"] = standard }
      properties[key.name] = .object(members)
    }
    var members: [String: JSONValue] = [
      "type": "object", "properties": .object(properties), "additionalProperties": .bool(false),
    ]
    let required = keys.filter(\.isRequired).map(\.name)
    if !required.isEmpty { members["required"] = .array(required.map { .string($0) }) }
    if !oneOf.isEmpty {
      members["oneOf"] = .array(oneOf.map { .object(["required": .array([.string($0)])]) })
    }
    return .object(members)
  }
}

/// A sentence of a key without the marks of Markdown: links and code.
func plainText(_ sentence: String) -> String {
  sentence.replacing(/\[([^\]]+)\]\([^)]*\)/) { $0.output.1 }.replacing("`", with: "")
}

extension YAMLValue {
  /// The value that a reader of YAML makes of it.
  var json: JSONValue {
    switch self {
    case .plain("true"): .bool(true)
    case .plain("false"): .bool(false)
    case .plain(let text): Int(text).map { .integer($0) } ?? decimalNumber(text).map { .number($0) } ?? .string(text)
    case .text(let text): .string(text)
    case .list(let items): .array(items.map(\.json))
    case .mapping(let entries):
      .object(Dictionary(entries.map { ($0.key, $0.value.json) }, uniquingKeysWith: { first, _ in first }))
    case .block(let value): value.json
    }
  }
}

extension NumberRange {
  fileprivate var jsonSchema: [String: JSONValue] {
    var members: [String: JSONValue] = [:]
    if lower.isFinite { members[includesLower ? "minimum" : "exclusiveMinimum"] = .number(lower) }
    if upper.isFinite { members[includesUpper ? "maximum" : "exclusiveMaximum"] = .number(upper) }
    return members
  }
}
