// SPDX-License-Identifier: Apache-2.0
// Values on their way to YAML text, which Yams writes.

import MTLFast
import Yams

/// A value as a recipe writes it.
indirect enum YAMLValue: Equatable {
  /// A number, a word of the format: text that is never quoted.
  case plain(String)
  /// Any text, quoted where it could be taken for something else.
  case text(String)
  case list([YAMLValue])
  /// In this order.
  case mapping([Entry])
  /// Anything, one line for each of its entries.
  case block(YAMLValue)

  struct Entry: Equatable {
    let key: String
    let value: YAMLValue
    /// Whether the key is a word of the format, which is never quoted (`on`).
    let isWord: Bool

    init(_ key: String, _ value: YAMLValue, isWord: Bool = false) {
      self.key = key
      self.value = value
      self.isWord = isWord
    }
  }

  static func plain(_ number: Int) -> YAMLValue { .plain(String(number)) }
  /// The shortest text that reads back to the same bits.
  static func plain(_ number: some BinaryFloatingPoint & LosslessStringConvertible) -> YAMLValue {
    .plain(shortText(number))
  }

  /// A mapping of one entry.
  static func entry(_ key: String, _ value: YAMLValue) -> YAMLValue { .mapping([Entry(key, value)]) }

  /// On one line but for blocks, with a line end behind it.
  func yaml() throws -> String {
    do {
      return try Yams.serialize(node: node(.flow), indent: 2, width: -1, allowUnicode: true)
    } catch {
      throw MTLFastError(.system, "A recipe can't be written as YAML: \(error).")
    }
  }

  private enum Style { case flow, block }

  private func node(_ style: Style) -> Node {
    switch self {
    case .plain(let text): return .scalar(Node.Scalar(text, Self.tag(.str), .plain))
    case .text(let text): return .scalar(Node.Scalar(text, Self.tag(.str), Self.isPlain(text) ? .plain : .doubleQuoted))
    case .list(let items):
      return .sequence(
        Node.Sequence(items.map { $0.node(.flow) }, Self.tag(.seq), style == .block && !items.isEmpty ? .block : .flow))
    case .mapping(let entries):
      return .mapping(
        Node.Mapping(
          entries.map { (($0.isWord ? YAMLValue.plain($0.key) : .text($0.key)).node(.flow), $0.value.node(.flow)) },
          Self.tag(.map),
          style == .block ? .block : .flow))
    case .block(let value): return value.node(.block)
    }
  }

  /// The default resolver would compile its regular expressions first, and nothing is resolved here.
  private static func tag(_ name: Tag.Name) -> Tag { Tag(name, .basic) }

  /// Whether a text can't be taken for a number, a word of YAML or punctuation.
  private static func isPlain(_ text: String) -> Bool {
    let isWord =
      text.utf8.allSatisfy { byte in
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || "_-.".utf8.contains(byte)
      } && text.utf8.first.map { (65...90).contains($0) || (97...122).contains($0) } ?? false
    return isWord && !["null", "true", "false", "yes", "no", "on", "off", "y", "n"].contains(text.lowercased())
  }
}
