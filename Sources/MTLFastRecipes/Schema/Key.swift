// SPDX-License-Identifier: Apache-2.0
// A key of a recipe: declared once, with all that reading, writing and describing it takes.

import MTLFast

/// A key of the mapping that stands for an `Owner`. Immutable, as a schema is.
struct Key<Owner, Value>: @unchecked Sendable {
  let name: String
  let type: ValueType<Value>
  /// What holds where the key isn't there; nil where it has to be, or where nothing stands for it.
  let standard: Value?
  let isRequired: Bool
  /// What it means, in a sentence without a full stop.
  let sentence: String
  /// The value of an owner; nil where the key isn't written.
  let get: (Owner) -> Value?

  private init(
    _ name: String, _ type: ValueType<Value>, standard: Value?, isRequired: Bool, _ sentence: String,
    get: @escaping (Owner) -> Value?
  ) {
    self.name = name
    self.type = type
    self.standard = standard
    self.isRequired = isRequired
    self.sentence = sentence
    self.get = get
  }

  /// A key that has to be there.
  static func required(
    _ name: String, _ type: ValueType<Value>, _ sentence: String, get: @escaping (Owner) -> Value?
  ) -> Key { Key(name, type, standard: nil, isRequired: true, sentence, get: get) }

  /// A key that may be left out.
  static func optional(
    _ name: String, _ type: ValueType<Value>, _ sentence: String, get: @escaping (Owner) -> Value?
  ) -> Key { Key(name, type, standard: nil, isRequired: false, sentence, get: get) }

  /// A key with a value that stands for it where it is left out.
  static func standard(
    _ name: String, _ type: ValueType<Value>, _ standard: Value, _ sentence: String,
    get: @escaping (Owner) -> Value?
  ) -> Key { Key(name, type, standard: standard, isRequired: false, sentence, get: get) }
}

/// A key whose type of values doesn't matter.
struct AnyKey<Owner> {
  let shape: MappingShape.Key
  /// Reads the value, and keeps it; false where it is wrong.
  ///
  /// The name is what messages call the value.
  let read: (_ node: YAMLNode, _ name: String, Mistakes, inout Values) -> Bool
  let write: (Owner) -> YAMLValue?

  var name: String { shape.name }

  init<Value>(_ key: Key<Owner, Value>) {
    shape = MappingShape.Key(
      name: key.name, shape: key.type.shape, isRequired: key.isRequired, sentence: key.sentence,
      standard: key.standard.map(key.type.write))
    read = { node, name, mistakes, values in
      guard let value = key.type.read(node, name, mistakes) else { return false }
      values.keep(value, for: key.name)
      return true
    }
    write = { key.get($0).map(key.type.write) }
  }
}

/// What the keys of one mapping say.
struct Values {
  /// What the mapping is, for messages: `conv2d`.
  let name: String
  let node: YAMLNode
  private var values: [String: Any] = [:]

  init(name: String, node: YAMLNode) {
    self.name = name
    self.node = node
  }

  fileprivate mutating func keep(_ value: Any, for key: String) { values[key] = value }

  func holds(_ key: String) -> Bool { values[key] != nil }

  /// The value of a key of the schema that has to be there, which `MappingSchema` has seen to, or has a standard.
  subscript<Owner, Value>(key: Key<Owner, Value>) -> Value {
    guard let value = values[key.name] as? Value ?? key.standard else {
      preconditionFailure("the key '\(key.name)' isn't one of its schema")
    }
    return value
  }

  /// The value of a key where it is there.
  func given<Owner, Value>(_ key: Key<Owner, Value>) -> Value? { values[key.name] as? Value }

  /// A mistake of a key's value; of the mapping where the key isn't there.
  func mistake(_ key: String, _ message: String) -> RecipeMistake {
    node.child(key)?.location.error(message) ?? mistake(message)
  }

  /// A mistake of the mapping.
  func mistake(_ message: String) -> RecipeMistake { node.location.error(message) }
}
