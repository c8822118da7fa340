// SPDX-License-Identifier: Apache-2.0
// JSON as this project writes it: sorted keys, null for what is no number, the shortest digits that read back exactly.

/// A JSON value.
///
///     JSONValue.object(["step": 1, "loss": .number(.nan)]).text  // {"loss":null,"step":1}
public enum JSONValue: Sendable, Equatable {
  case null
  case bool(Bool)
  case integer(Int)
  /// NaN and infinity are written as null.
  case number(Double)
  case string(String)
  case array([JSONValue])
  /// Keys are unique; they are written in the order of their Unicode scalars.
  case object([String: JSONValue])

  /// Null where there is no number.
  public static func number(_ value: Double?) -> JSONValue { value.map { .number($0) as JSONValue } ?? .null }

  /// With the digits that a `Float` needs.
  public static func single(_ value: Float) -> JSONValue {
    value.isFinite ? Double("\(value)").map { .number($0) as JSONValue } ?? .null : .null
  }

  /// One line without spaces.
  public var text: String {
    var text = ""
    write(to: &text)
    return text
  }

  /// Appends the value's text.
  public func write(to text: inout String) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .integer(let value): text += "\(value)"
    case .number(let value): text += value.isFinite ? "\(value)" : "null"
    case .string(let value): Self.write(value, to: &text)
    case .array(let values):
      text += "["
      for (index, value) in values.enumerated() {
        if index > 0 { text += "," }
        value.write(to: &text)
      }
      text += "]"
    case .object(let members):
      text += "{"
      for (index, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
        if index > 0 { text += "," }
        Self.write(member.key, to: &text)
        text += ":"
        member.value.write(to: &text)
      }
      text += "}"
    }
  }

  private static func write(_ string: String, to text: inout String) {
    text += "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case _ where scalar.value < 32:
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}

extension JSONValue: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
  public init(integerLiteral value: Int) { self = .integer(value) }
  public init(stringLiteral value: String) { self = .string(value) }
}

extension TaskScore {
  /// `{"accuracy":0.9,"loss":0.3,"present":200}`: every metric by its name.
  public var json: JSONValue {
    .object(
      Dictionary(metrics.map { ($0.metric.name, .number($0.value)) }, uniquingKeysWith: { first, _ in first })
        .merging(["loss": .number(loss), "present": .integer(present)]) { _, new in new })
  }
}

extension Scores {
  /// The tasks' scores by task.
  public var tasksJSON: JSONValue {
    .object(Dictionary(tasks.map { ($0.name, $0.score.json) }, uniquingKeysWith: { first, _ in first }))
  }
}
