// SPDX-License-Identifier: Apache-2.0
// YAML text as a tree in which every value knows where it was written.

import MTLFast
import Yams

/// Where a value was written: a place in a file, or an option of the command line.
struct SourceLocation: Hashable, Sendable, CustomStringConvertible {
  enum Origin: Hashable, Sendable {
    case file(String, line: Int, column: Int)
    /// The option as the user wrote it: `--set training.epochs=three`.
    case option(String)
  }

  let origin: Origin

  static func file(_ name: String, line: Int, column: Int) -> SourceLocation {
    SourceLocation(origin: .file(name, line: line, column: column))
  }
  static func option(_ text: String) -> SourceLocation { SourceLocation(origin: .option(text)) }

  /// `my.yaml:12:5` or `--set training.epochs=three`.
  var description: String {
    switch origin {
    case .file(let name, let line, let column): "\(name):\(line):\(column)"
    case .option(let text): text
    }
  }

  /// A mistake at this place.
  func error(_ message: String) -> RecipeMistake { RecipeMistake(location: self, message: message) }
}

/// One value of a YAML document.
struct YAMLNode {
  struct Entry {
    let key: String
    let location: SourceLocation
    var value: YAMLNode
  }

  enum Content {
    /// `isPlain` is false for quoted text, which is never a number or nothing.
    case scalar(String, isPlain: Bool)
    case sequence([YAMLNode])
    case mapping([Entry])
  }

  var content: Content
  let location: SourceLocation

  /// A key without a value, `~` or `null`.
  var isNothing: Bool {
    if case .scalar(let text, isPlain: true) = content { return text == "" || text == "~" || text == "null" }
    return false
  }

  var isMapping: Bool { if case .mapping = content { true } else { false } }

  /// The value of a key; nil where there is none or this is no mapping.
  func child(_ key: String) -> YAMLNode? {
    guard case .mapping(let entries) = content else { return nil }
    return entries.first { $0.key == key }?.value
  }

  /// What stands here, for messages: `'abc'`, `a list`.
  var kindDescription: String {
    switch content {
    case .scalar where isNothing: "nothing"
    case .scalar(let text, let isPlain): isPlain ? "'\(excerpt(text))'" : "the text '\(excerpt(text))'"
    case .sequence: "a list"
    case .mapping: "a mapping"
    }
  }

  /// The place to name for an error of the value at a path of keys and list indices, as far down as there is one: an
  /// option that set it or something in it, otherwise its place in the file.
  func location(at path: [String]) -> SourceLocation {
    var node = self
    walk: for step in path {
      switch node.content {
      case .mapping(let entries):
        guard let entry = entries.first(where: { $0.key == step }) else { break walk }
        node = entry.value
      case .sequence(let items):
        guard let index = Int(step), items.indices.contains(index) else { break walk }
        node = items[index]
      case .scalar: break walk
      }
    }
    return node.optionLocation ?? node.location
  }

  private var optionLocation: SourceLocation? {
    if case .option = location.origin { return location }
    switch content {
    case .scalar: return nil
    case .sequence(let items): return items.lazy.compactMap(\.optionLocation).first
    case .mapping(let entries): return entries.lazy.compactMap(\.value.optionLocation).first
    }
  }
}

/// A text of a recipe as an error quotes it: on one line, and no longer than 40 characters.
func excerpt(_ text: String) -> String {
  let start = String(text.prefix(41).map { $0.isNewline ? " " : $0 })
  return start.count <= 40 ? start : start.prefix(37) + "..."
}

extension YAMLNode {
  private static let maximumBytes = 1 << 20
  private static let maximumDepth = 32
  /// Aliases are refused after composing; composing itself takes time that grows exponentially with their number.
  private static let maximumAliases = 32

  /// Parses one document. Anchors, aliases, tags, keys that aren't text and duplicate keys are errors.
  ///
  /// - Parameter place: where the whole text comes from; a file's lines and columns are added to it.
  static func parse(_ text: String, from place: SourceLocation) throws -> YAMLNode {
    let start = place.at(line: 1, column: 1)
    guard text.utf8.count <= maximumBytes else {
      throw start.error("is larger than 1 MiB. A recipe is a short file.")
    }
    guard aliasCount(in: text) <= maximumAliases else { throw start.error(noAliases) }
    do {
      // The basic resolver leaves every scalar as its text; what it means is decided where it is read.
      let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
      guard let root = try parser.singleRoot() else { throw start.error("is empty.") }
      // Anchors are weak references to names that the parser owns.
      return try withExtendedLifetime(parser) { try convert(root, from: place, depth: 0) }
    } catch let error as YamlError {
      throw located(error, from: place, in: text)
    }
  }

  private static let tooDeep = "is nested deeper than \(maximumDepth) levels."
  private static let noAliases = "anchors and aliases (&name, *name) are not supported. Write the value out."

  private static func convert(_ node: Node, from place: SourceLocation, depth: Int) throws -> YAMLNode {
    let location = place.at(line: node.mark?.line ?? 1, column: node.mark?.column ?? 1)
    guard depth < maximumDepth else { throw location.error(tooDeep) }
    guard node.anchor == nil else { throw location.error(noAliases) }
    let tag: String
    let content: Content
    switch node {
    case .scalar(let scalar):
      tag = scalar.style == .plain ? scalar.tag.description : ""
      content = .scalar(scalar.string, isPlain: scalar.style == .plain)
    case .sequence(let sequence):
      tag = sequence.tag.description
      content = .sequence(try sequence.map { try convert($0, from: place, depth: depth + 1) })
    case .mapping(let mapping):
      tag = mapping.tag.description
      content = .mapping(
        try mapping.map { key, value in
          let keyNode = try convert(key, from: place, depth: depth + 1)
          guard case .scalar(let name, _) = keyNode.content, !keyNode.isNothing else {
            throw keyNode.location.error("a key must be text but is \(keyNode.kindDescription).")
          }
          return Entry(
            key: name, location: keyNode.location, value: try convert(value, from: place, depth: depth + 1))
        })
    case .alias: throw location.error(noAliases)
    }
    // Yams fills in the tag of the plain kinds while it looks for duplicate keys.
    let plainTags: [Tag.Name] = [.implicit, .str, .seq, .map]
    guard plainTags.contains(where: { $0.rawValue == tag }) else {
      throw location.error("tags (!name) are not supported. Received: \(tag).")
    }
    return YAMLNode(content: content, location: location)
  }

  private static func located(_ error: YamlError, from place: SourceLocation, in text: String) -> RecipeMistake {
    switch error {
    case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
      .composer(let context, let problem, let mark, _):
      if problem.contains("nesting level") {
        return place.at(line: mark.line, column: mark.column).error(tooDeep)
      }
      if let fault = indentationFault(in: text, line: mark.line) {
        return place.at(line: fault.line, column: fault.column).error(fault.message)
      }
      let reason = context.map { "\($0.text) " } ?? ""
      return place.at(line: mark.line, column: mark.column).error("is not valid YAML: \(reason)\(problem).")
    case .duplicatedKeysInMapping(let duplicates, let context):
      let keys = duplicates.sorted().map { "'\(excerpt("\($0)"))'" }.joined(separator: ", ")
      return place.at(line: context.mark.line, column: context.mark.column).error(
        "\(duplicates.count == 1 ? "key" : "keys") \(keys) given twice in one mapping. Keep one.")
    case .reader(let problem, _, _, _):
      return place.at(line: 1, column: 1).error("is not valid YAML: \(problem).")
    default:
      return place.at(line: 1, column: 1).error("is not valid YAML.")
    }
  }

  /// Counts what could be aliases: a `*` that begins a word.
  private static func aliasCount(in text: String) -> Int {
    var count = 0
    var before = UInt8(ascii: "\n")
    var starStandsFirst = false
    for byte in text.utf8 {
      if starStandsFirst, byte > UInt8(ascii: " ") { count += 1 }
      starStandsFirst = byte == UInt8(ascii: "*") && (before <= UInt8(ascii: " ") || "[{,:?-".utf8.contains(before))
      before = byte
    }
    return count
  }
}

extension SourceLocation {
  /// A place within this file; an option stays as it is.
  fileprivate func at(line: Int, column: Int) -> SourceLocation {
    if case .file(let name, _, _) = origin { return .file(name, line: line, column: column) }
    return self
  }
}
