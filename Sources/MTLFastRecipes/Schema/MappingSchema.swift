// SPDX-License-Identifier: Apache-2.0
// A mapping of a recipe: its keys, and what is made of their values.

import MTLFast

/// The keys of a mapping and what stands for it in Swift.
///
/// Immutable; its functions read nothing but what they are given.
struct MappingSchema<Owner>: @unchecked Sendable {
  let keys: [AnyKey<Owner>]
  /// Keys that the format has but this version can't run, with what to do instead.
  let later: [(key: String, instead: String)]
  /// The key whose value may stand alone for the mapping: `dense: 10` for `dense: {units: 10}`.
  let shorthand: String?
  /// Whether that is also how it is written where no other key is.
  let writesShorthand: Bool
  /// Keys of which just one is given.
  let oneOf: [String]
  /// What the keys' values make, all of which are right; throws what doesn't fit together.
  let make: (Values) throws(RecipeMistake) -> Owner

  init(
    _ keys: [AnyKey<Owner>], later: [(key: String, instead: String)] = [], shorthand: String? = nil,
    writesShorthand: Bool = false, oneOf: [String] = [],
    make: @escaping (Values) throws(RecipeMistake) -> Owner
  ) {
    self.keys = keys
    self.later = later
    self.shorthand = shorthand
    self.writesShorthand = writesShorthand
    self.oneOf = oneOf
    self.make = make
  }

  var shape: ValueShape {
    let mapping = ValueShape.mapping(MappingShape(keys: keys.map(\.shape), oneOf: oneOf))
    guard let key = keys.first(where: { $0.name == shorthand }) else { return mapping }
    return .any([key.shape.shape, mapping])
  }

  /// - Parameter name: what messages call the mapping.
  /// - Returns: nil where anything in it is wrong, which is among the mistakes then.
  func read(_ node: YAMLNode, _ name: String, _ mistakes: Mistakes) -> Owner? {
    if let key = keys.first(where: { $0.name == shorthand }), !node.isMapping {
      var values = Values(name: name, node: node)
      guard key.read(node, name, mistakes, &values) else { return nil }
      return owner(values, mistakes)
    }
    guard let entries = mistakes.note({ () throws(RecipeMistake) in try node.entries(name) }) else { return nil }
    let before = mistakes.count
    var values = Values(name: name, node: node)
    /// Keys that were meant by misspelt ones: one mistake each, not two.
    var meant: Set<String> = []
    for entry in entries {
      guard let key = keys.first(where: { $0.name == entry.key }) else {
        mistakes.add(entry.location, unknown(entry.key, name))
        if let word = likelyWord(for: entry.key, known: keys.map(\.name)) { meant.insert(word) }
        continue
      }
      _ = key.read(entry.value, key.name, mistakes, &values)
    }
    for key in keys where key.shape.isRequired && !meant.contains(key.name) {
      guard !entries.contains(where: { $0.key == key.name }) else { continue }
      mistakes.add(node.location, "\(name) lacks the key '\(key.name)'.")
    }
    return mistakes.count == before ? owner(values, mistakes) : nil
  }

  /// What the values make. Whatever was counted above, nothing is made where a key that has to be there isn't.
  private func owner(_ values: Values, _ mistakes: Mistakes) -> Owner? {
    if let missing = keys.first(where: { $0.shape.isRequired && !values.holds($0.name) }) {
      mistakes.add(values.mistake("\(values.name) lacks the key '\(missing.name)'."))
      return nil
    }
    return mistakes.note { () throws(RecipeMistake) in try make(values) }
  }

  private func unknown(_ key: String, _ name: String) -> String {
    if let (key, instead) = later.first(where: { $0.key == key }) {
      return "'\(key)' in \(name) is not available in this version. \(instead)"
    }
    return unknownWord("key", excerpt(key), in: name, known: keys.map(\.name))
  }

  func write(_ owner: Owner) -> YAMLValue {
    let entries = keys.compactMap { key in key.write(owner).map { YAMLValue.Entry(key.name, $0, isWord: true) } }
    if writesShorthand, entries.count == 1, let entry = entries.first, entry.key == shorthand { return entry.value }
    return .mapping(entries)
  }

  /// As the type of a key's values.
  ///
  /// - Parameter name: what messages call the mapping; nil for the key's name.
  func type(_ name: String? = nil) -> ValueType<Owner> {
    ValueType(shape, read: { node, key, mistakes in read(node, name ?? key, mistakes) }, write: write)
  }
}
