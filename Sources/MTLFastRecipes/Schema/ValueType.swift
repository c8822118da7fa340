// SPDX-License-Identifier: Apache-2.0
// Types of a recipe's values: how each is read, written and described.

import MTLFast

/// A type of values.
struct ValueType<Value> {
  let shape: ValueShape
  /// nil where the value is wrong, which is among the mistakes then.
  ///
  /// The name is what messages call the value: `epochs`.
  let read: (_ node: YAMLNode, _ name: String, _ mistakes: Mistakes) -> Value?
  let write: (Value) -> YAMLValue

  init(
    _ shape: ValueShape, read: @escaping (_ node: YAMLNode, _ name: String, _ mistakes: Mistakes) -> Value?,
    write: @escaping (Value) -> YAMLValue
  ) {
    self.shape = shape
    self.read = read
    self.write = write
  }

  /// A type whose values are wrong in one way at a time.
  init(
    _ shape: ValueShape, parse: @escaping (_ node: YAMLNode, _ name: String) throws(RecipeMistake) -> Value,
    write: @escaping (Value) -> YAMLValue
  ) {
    self.init(
      shape,
      read: { node, name, mistakes in
        mistakes.note { () throws(RecipeMistake) in try parse(node, name) }
      }, write: write)
  }

  /// The same values in another form in Swift.
  func map<Other>(_ there: @escaping (Value) -> Other, _ back: @escaping (Other) -> Value) -> ValueType<Other> {
    ValueType<Other>(
      shape, read: { node, name, mistakes in read(node, name, mistakes).map(there) }, write: { write(back($0)) })
  }
}

extension ValueType where Value == Int {
  static func integer(_ range: ClosedRange<Int>) -> ValueType {
    ValueType(
      .integer(range),
      parse: { node, name throws(RecipeMistake) in try node.integer(name, in: range) }, write: { .plain($0) })
  }
}

extension ValueType where Value == UInt64 {
  static var seed: ValueType {
    ValueType(
      .seed, parse: { node, name throws(RecipeMistake) in try node.seed(name) }, write: { .plain("\($0)") })
  }
}

extension ValueType where Value == Float {
  static func number(_ range: NumberRange) -> ValueType {
    ValueType(
      .number(range),
      parse: { node, name throws(RecipeMistake) in
        try node.number(name, "\(range)") { range.contains(Double($0)) }
      }, write: { .plain($0) })
  }
}

extension ValueType where Value == Double {
  /// - Parameter words: what the numbers are, where `range` alone doesn't say it: `0 or more epochs`.
  static func number(_ range: NumberRange, _ words: String? = nil) -> ValueType {
    ValueType(
      .number(range),
      parse: { node, name throws(RecipeMistake) in
        try node.decimal(name, words ?? "\(range)") { range.contains($0) }
      }, write: { .plain($0) })
  }
}

extension ValueType where Value == Bool {
  static var boolean: ValueType {
    ValueType(
      .boolean, parse: { node, name throws(RecipeMistake) in try node.boolean(name) },
      write: { .plain($0 ? "true" : "false") })
  }
}

extension ValueType where Value == String {
  static var text: ValueType {
    ValueType(.text, parse: { node, name throws(RecipeMistake) in try node.text(name) }, write: { .text($0) })
  }

  /// The path of a file or folder, as written.
  static func path(_ what: String? = nil) -> ValueType {
    ValueType(
      .text, parse: { node, name throws(RecipeMistake) in try node.path(what ?? name) }, write: { .text($0) })
  }
}

extension ValueType where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
  static var choice: ValueType {
    ValueType(
      .choice(Value.allCases.map(\.rawValue)),
      parse: { node, name throws(RecipeMistake) in try node.choice(name) }, write: { .plain($0.rawValue) })
  }
}

extension ValueType where Value == [String] {
  /// Different names.
  static func names(atLeast least: Int = 1) -> ValueType {
    ValueType(
      .list(.text, count: least...Int.max, isUnique: true),
      parse: { node, name throws(RecipeMistake) in try node.names(name, atLeast: least) },
      write: { .list($0.map { .text($0) }) })
  }

  /// One text, or a list of them.
  static var oneOrMoreNames: ValueType {
    ValueType(
      .any([.text, .list(.text, count: 1...Int.max, isUnique: true)]),
      parse: { node, name throws(RecipeMistake) in try node.oneOrMoreNames(name) },
      write: { names in names.count == 1 ? .text(names[0]) : .list(names.map { .text($0) }) })
  }
}

extension ValueType where Value == [Float] {
  static func numbers(_ range: NumberRange) -> ValueType {
    ValueType(
      .list(.number(range), count: 1...Int.max),
      parse: { node, name throws(RecipeMistake) in
        try node.numbers(name, "\(range)") { range.contains(Double($0)) }
      }, write: { .list($0.map { .plain($0) }) })
  }
}

extension ValueType where Value == [Int] {
  /// - Parameter item: what messages call an entry.
  static func integers(_ range: ClosedRange<Int>, _ item: String? = nil) -> ValueType {
    ValueType(
      .list(.integer(range), count: 0...Int.max),
      parse: { node, name throws(RecipeMistake) in try node.integers(name, item ?? name, in: range) },
      write: { .list($0.map { .plain($0) }) })
  }
}

/// A height and a width.
struct Size: Equatable {
  let height: Int
  let width: Int

  init(_ height: Int, _ width: Int) {
    self.height = height
    self.width = width
  }

  var pair: (height: Int, width: Int) { (height, width) }
}

extension ValueType where Value == Size {
  /// One number for both directions, or `[height, width]`.
  static func size(_ range: ClosedRange<Int>) -> ValueType {
    ValueType(
      .any([.integer(range), .list(.integer(range), count: 2...2)]),
      parse: { node, name throws(RecipeMistake) in
        let size = try node.size(name, in: range)
        return Size(size.height, size.width)
      },
      write: { $0.height == $0.width ? .plain($0.height) : .list([.plain($0.height), .plain($0.width)]) })
  }
}
