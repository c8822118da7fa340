// SPDX-License-Identifier: Apache-2.0
// From the text of a metric expression to its operations.

import MTLFast

/// A recursive-descent parser: a sum of products of factors.
struct MetricExpressionParser {
  static let maximumLength = 500
  /// Of parentheses and minus signs in each other.
  static let maximumDepth = 32

  private let text: String
  private let bytes: [UInt8]
  private var position = 0
  private var operations: [MetricExpression.Operation] = []

  static func operations(of text: String) throws -> [MetricExpression.Operation] {
    var parser = MetricExpressionParser(text)
    guard parser.bytes.count <= maximumLength else {
      throw MTLFastError(
        .usage, "The expression has \(parser.bytes.count) characters. Use \(maximumLength) at most.")
    }
    try parser.sum(depth: 0)
    if let byte = parser.next { throw parser.failure("an operator (+ - * /)", found: byte) }
    return parser.operations
  }

  private init(_ text: String) {
    self.text = text
    bytes = Array(text.utf8)
  }

  // MARK: Rules

  private mutating func sum(depth: Int) throws {
    try product(depth: depth)
    while let sign = next, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
      position += 1
      try product(depth: depth)
      operations.append(sign == UInt8(ascii: "+") ? .add : .subtract)
    }
  }

  private mutating func product(depth: Int) throws {
    try factor(depth: depth)
    while let sign = next, sign == UInt8(ascii: "*") || sign == UInt8(ascii: "/") {
      position += 1
      try factor(depth: depth)
      operations.append(sign == UInt8(ascii: "*") ? .multiply : .divide)
    }
  }

  private mutating func factor(depth: Int) throws {
    guard depth < Self.maximumDepth else {
      throw MTLFastError(
        .usage, "\(place): more than \(Self.maximumDepth) parentheses or minus signs in each other. Simplify it.")
    }
    guard let byte = next else { throw failure("a number, a score or '('", found: nil) }
    switch byte {
    case UInt8(ascii: "-"):
      position += 1
      try factor(depth: depth + 1)
      operations.append(.negate)
    case UInt8(ascii: "("):
      position += 1
      try sum(depth: depth + 1)
      guard next == UInt8(ascii: ")") else { throw failure("')'", found: next) }
      position += 1
    case _ where Self.isDigit(byte) || byte == UInt8(ascii: "."): operations.append(.number(try number()))
    case _ where Self.isLetter(byte): operations.append(.term(try term()))
    default: throw failure("a number, a score or '('", found: byte)
    }
  }

  /// Digits, a point, an exponent.
  private mutating func number() throws -> Double {
    let start = position
    while position < bytes.count {
      let byte = bytes[position]
      let isSign = byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+")
      let isAfterExponent = position > start && bytes[position - 1] | 0x20 == UInt8(ascii: "e")
      guard
        Self.isDigit(byte) || byte == UInt8(ascii: ".") || byte | 0x20 == UInt8(ascii: "e")
          || (isSign && isAfterExponent)
      else { break }
      position += 1
    }
    let digits = String(decoding: bytes[start..<position], as: UTF8.self)
    guard let value = Double(digits), value.isFinite else {
      position = start
      throw MTLFastError(.usage, "\(place): '\(digits)' is no number.")
    }
    return value
  }

  /// `loss` or `task.metric`.
  private mutating func term() throws -> MetricExpression.Term {
    let start = position
    let task = word { Self.isLetter($0) || Self.isDigit($0) || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") }
    guard position < bytes.count, bytes[position] == UInt8(ascii: ".") else {
      guard task == "loss" || task.hasPrefix("loss-") else {
        position = start
        throw MTLFastError(
          .usage, "\(place): '\(task)' is no score. Use loss, or a task's score: TASK.loss, TASK.accuracy.")
      }
      // What comes after `loss` is a minus sign, since no task's name ends here.
      position = start + "loss".utf8.count
      return MetricExpression.Term(task: nil, name: "loss")
    }
    position += 1
    let name = word { Self.isLetter($0) || Self.isDigit($0) || $0 == UInt8(ascii: "_") }
    guard !name.isEmpty else {
      throw failure("the name of a metric", found: position < bytes.count ? bytes[position] : nil)
    }
    return MetricExpression.Term(task: task, name: name)
  }

  // MARK: Characters

  private mutating func word(_ isPart: (UInt8) -> Bool) -> String {
    let start = position
    while position < bytes.count, isPart(bytes[position]) { position += 1 }
    return String(decoding: bytes[start..<position], as: UTF8.self)
  }

  /// The next character that is no space; nil at the end.
  private var next: UInt8? {
    mutating get {
      while position < bytes.count, bytes[position] == UInt8(ascii: " ") { position += 1 }
      return position < bytes.count ? bytes[position] : nil
    }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
  private static func isLetter(_ byte: UInt8) -> Bool { (97...122).contains(byte | 0x20) }

  private var place: String { "'\(text)', character \(position + 1)" }

  private func failure(_ wanted: String, found: UInt8?) -> MTLFastError {
    guard found != nil else { return MTLFastError(.usage, "'\(text)' ends where \(wanted) should be.") }
    let rest = String(decoding: bytes[position...], as: UTF8.self)
    return MTLFastError(.usage, "\(place): expected \(wanted). Received: '\(rest.prefix(1))'.")
  }
}
