// SPDX-License-Identifier: Apache-2.0
// Typed access to a recipe's values, strict: every value has its type and range.

import MTLFast

extension YAMLNode {
  /// - Parameter name: what is read, for messages: `training.epochs`.
  func entries(_ name: String) throws(RecipeMistake) -> [Entry] {
    guard case .mapping(let entries) = content else {
      throw location.error("\(name) must be a mapping (key: value). Received: \(kindDescription).")
    }
    return entries
  }

  func items(_ name: String) throws(RecipeMistake) -> [YAMLNode] {
    guard case .sequence(let items) = content else {
      throw location.error("\(name) must be a list. Received: \(kindDescription).")
    }
    return items
  }

  func text(_ name: String) throws(RecipeMistake) -> String {
    guard case .scalar(let text, _) = content, !isNothing else {
      throw location.error("\(name) must be text. Received: \(kindDescription).")
    }
    return text
  }

  func integer(_ name: String, in range: ClosedRange<Int>) throws(RecipeMistake) -> Int {
    guard let text = plainText, let value = Int(text), range.contains(value) else {
      throw location.error(
        "\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound). Received: \(kindDescription).")
    }
    return value
  }

  func seed(_ name: String) throws(RecipeMistake) -> UInt64 {
    guard let text = plainText, let value = UInt64(text) else {
      throw location.error(
        "\(name) must be a whole number from 0 to \(UInt64.max). Received: \(kindDescription).")
    }
    return value
  }

  /// - Parameter range: what `isValid` accepts, in words: `a number above 0`.
  func number(_ name: String, _ range: String, where isValid: (Float) -> Bool) throws(RecipeMistake) -> Float {
    guard let text = plainText, decimalNumber(text) != nil, let value = Float(text), value.isFinite, isValid(value)
    else { throw location.error("\(name) must be \(range). Received: \(kindDescription).") }
    return value
  }

  /// As `number`, in double precision.
  func decimal(_ name: String, _ range: String, where isValid: (Double) -> Bool) throws(RecipeMistake) -> Double {
    guard let text = plainText, let value = decimalNumber(text), isValid(value) else {
      throw location.error("\(name) must be \(range). Received: \(kindDescription).")
    }
    return value
  }

  func boolean(_ name: String) throws(RecipeMistake) -> Bool {
    switch plainText {
    case "true": return true
    case "false": return false
    default: throw location.error("\(name) must be true or false. Received: \(kindDescription).")
    }
  }

  /// A list of whole numbers.
  ///
  /// - Parameter item: what messages call one.
  func integers(_ name: String, _ item: String, in range: ClosedRange<Int>) throws(RecipeMistake) -> [Int] {
    try items(name).map { (node) throws(RecipeMistake) in try node.integer(item, in: range) }
  }

  /// The path of a file or folder, as written.
  func path(_ name: String) throws(RecipeMistake) -> String {
    let path = try text(name)
    guard !path.isEmpty, !path.utf8.contains(0) else { throw location.error("\(name) must be a path. It is empty.") }
    return path
  }

  /// A list of texts, each of which occurs once.
  func names(_ name: String, atLeast least: Int = 1) throws(RecipeMistake) -> [String] {
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
  func oneOrMoreNames(_ name: String) throws(RecipeMistake) -> [String] {
    if case .sequence = content { return try names(name) }
    return [try text(name)]
  }

  func numbers(_ name: String, _ range: String, where isValid: (Float) -> Bool) throws(RecipeMistake) -> [Float] {
    let numbers = try items(name).map { (item) throws(RecipeMistake) in
      try item.number("an entry of \(name)", range, where: isValid)
    }
    guard !numbers.isEmpty else { throw location.error("\(name) is empty. Give a number for each.") }
    return numbers
  }

  func choice<Choice: RawRepresentable & CaseIterable>(_ name: String) throws(RecipeMistake) -> Choice
  where Choice.RawValue == String {
    let text = try text(name)
    guard let choice = Choice(rawValue: text) else {
      throw location.error(unknownWord("value", text, in: name, known: Choice.allCases.map(\.rawValue)))
    }
    return choice
  }

  /// One number for both directions, or `[height, width]`.
  func size(_ name: String, in range: ClosedRange<Int>) throws(RecipeMistake) -> (height: Int, width: Int) {
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
/// - Throws: for anything but letters, digits, `_` and `-`, beginning with a letter.
func checkedName(_ name: String, _ what: String, at location: SourceLocation) throws(RecipeMistake) -> String {
  let isWord = name.utf8.allSatisfy {
    (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 45 || $0 == 95
  }
  guard isWord, let first = name.first, first.isLetter, name.utf8.count <= 64 else {
    throw location.error(
      "\(what) '\(excerpt(name))': a name has up to 64 letters (a-z), digits, '_' or '-' and begins with a letter.")
  }
  return name
}
