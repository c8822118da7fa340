// SPDX-License-Identifier: Apache-2.0
// Typed access to a recipe's values, strict: every key is known, every value has its type and range.

import MTLFast

/// The keys of one mapping, checked against the known ones when it is made.
struct MappingReader {
  /// What the mapping is, for messages: `conv2d`.
  let name: String
  let entries: [YAMLNode.Entry]
  let location: SourceLocation

  /// - Parameters:
  ///   - known: every key that has a meaning.
  ///   - later: keys that the format has but this version can't run, with what to do instead.
  /// - Throws: `MTLFastError` at the first key that is in neither.
  init(_ node: YAMLNode, _ name: String, known: [String], later: [(key: String, instead: String)] = []) throws {
    self.name = name
    location = node.location
    entries = try node.entries(name)
    for entry in entries where !known.contains(entry.key) {
      if let (key, instead) = later.first(where: { $0.key == entry.key }) {
        throw entry.location.error("'\(key)' in \(name) is not available in this version. \(instead)")
      }
      throw entry.location.error(unknownName("key", excerpt(entry.key), in: name, known: known))
    }
  }

  func optional(_ key: String) -> YAMLNode? { entries.first { $0.key == key }?.value }

  func required(_ key: String) throws -> YAMLNode {
    guard let value = optional(key) else { throw location.error("\(name) lacks the key '\(key)'.") }
    return value
  }
}

extension YAMLNode {
  /// - Parameter name: what is read, for messages: `training.epochs`.
  func entries(_ name: String) throws -> [Entry] {
    guard case .mapping(let entries) = content else {
      throw location.error("\(name) must be a mapping (key: value). Received: \(kindDescription).")
    }
    return entries
  }

  func items(_ name: String) throws -> [YAMLNode] {
    guard case .sequence(let items) = content else {
      throw location.error("\(name) must be a list. Received: \(kindDescription).")
    }
    return items
  }

  func text(_ name: String) throws -> String {
    guard case .scalar(let text, _) = content, !isNothing else {
      throw location.error("\(name) must be text. Received: \(kindDescription).")
    }
    return text
  }

  func integer(_ name: String, in range: ClosedRange<Int>) throws -> Int {
    guard let text = plainText, let value = Int(text), range.contains(value) else {
      throw location.error(
        "\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound). Received: \(kindDescription).")
    }
    return value
  }

  func seed(_ name: String) throws -> UInt64 {
    guard let text = plainText, let value = UInt64(text) else {
      throw location.error(
        "\(name) must be a whole number from 0 to \(UInt64.max). Received: \(kindDescription).")
    }
    return value
  }

  /// - Parameter range: what `isValid` accepts, in words: `a number above 0`.
  func number(_ name: String, _ range: String, where isValid: (Float) -> Bool) throws -> Float {
    guard let text = plainText, decimalNumber(text) != nil, let value = Float(text), value.isFinite, isValid(value)
    else { throw location.error("\(name) must be \(range). Received: \(kindDescription).") }
    return value
  }

  /// As `number`, in double precision.
  func decimal(_ name: String, _ range: String, where isValid: (Double) -> Bool) throws -> Double {
    guard let text = plainText, let value = decimalNumber(text), isValid(value) else {
      throw location.error("\(name) must be \(range). Received: \(kindDescription).")
    }
    return value
  }

  func boolean(_ name: String) throws -> Bool {
    switch plainText {
    case "true": return true
    case "false": return false
    default: throw location.error("\(name) must be true or false. Received: \(kindDescription).")
    }
  }

  /// A list of texts, each of which occurs once.
  func names(_ name: String, atLeast least: Int = 1) throws -> [String] {
    var names: [String] = []
    for item in try items(name) {
      let text = try item.text("a name in \(name)")
      guard !names.contains(text) else { throw item.location.error("'\(text)' is twice in \(name). Keep one.") }
      names.append(text)
    }
    guard names.count >= least else {
      throw location.error(
        "\(name) must be a list of \(least) or more different names. Received: \(names.count) name\(names.count == 1 ? "" : "s")."
      )
    }
    return names
  }

  /// One text, or a list of them.
  func oneOrMoreNames(_ name: String) throws -> [String] {
    if case .sequence = content { return try names(name) }
    return [try text(name)]
  }

  func numbers(_ name: String, _ range: String, where isValid: (Float) -> Bool) throws -> [Float] {
    let numbers = try items(name).map { try $0.number("an entry of \(name)", range, where: isValid) }
    guard !numbers.isEmpty else { throw location.error("\(name) is empty. Give a number for each.") }
    return numbers
  }

  func choice<Choice: RawRepresentable & CaseIterable>(_ name: String) throws -> Choice
  where Choice.RawValue == String {
    let text = try text(name)
    guard let choice = Choice(rawValue: text) else {
      throw location.error(unknownName("value", text, in: name, known: Choice.allCases.map(\.rawValue)))
    }
    return choice
  }

  /// One number for both directions, or `[height, width]`.
  func size(_ name: String, in range: ClosedRange<Int>) throws -> (height: Int, width: Int) {
    guard case .sequence(let items) = content else {
      let size = try integer(name, in: range)
      return (size, size)
    }
    guard items.count == 2 else {
      throw location.error("\(name) must be one number or [height, width]. Received: a list of \(items.count).")
    }
    return (try items[0].integer(name, in: range), try items[1].integer(name, in: range))
  }

  private var plainText: String? {
    if case .scalar(let text, isPlain: true) = content { return text }
    return nil
  }
}

/// A name that becomes part of node and file names.
///
/// - Throws: `MTLFastError` for anything but letters, digits, `_` and `-`, beginning with a letter.
func checkedName(_ name: String, _ what: String, at location: SourceLocation) throws -> String {
  let isWord = name.utf8.allSatisfy {
    (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 45 || $0 == 95
  }
  guard isWord, let first = name.first, first.isLetter, name.utf8.count <= 64 else {
    throw location.error(
      "\(what) '\(excerpt(name))': a name has up to 64 letters (a-z), digits, '_' or '-' and begins with a letter.")
  }
  return name
}
