// SPDX-License-Identifier: Apache-2.0
// One of several things by its name, alone or with settings: `adam`, `{adam: {beta1: 0.5}}`.

import MTLFast

/// One of the things. Immutable, as a schema is.
struct Variant<Value>: @unchecked Sendable {
  let name: String
  /// What it is, in a sentence without a full stop.
  let sentence: String
  /// Of its settings; nil where it has none.
  let settings: MappingShape?
  let settingsShape: ValueShape
  /// What the name alone means; nil where settings are needed, with an example of some.
  let plain: Value?
  let example: String
  let read: (_ settings: YAMLNode, Mistakes) -> Value?
  /// The settings; nil where a value is another variant's, or a mapping without keys where it has none.
  let write: (Value) -> YAMLValue?

  /// - Parameters:
  ///   - example: settings that would do, for one that needs some.
  ///   - value: a value of this variant in the words of its schema; nil for those of others.
  init<Owner>(
    _ name: String, _ sentence: String, _ schema: MappingSchema<Owner>, plain: Owner? = nil, example: String = "{}",
    make: @escaping (Owner) -> Value, value: @escaping (Value) -> Owner?
  ) {
    self.name = name
    self.sentence = sentence
    self.plain = plain.map(make)
    self.example = example
    settings = schema.keys.isEmpty ? nil : MappingShape(keys: schema.keys.map(\.shape))
    settingsShape = plain == nil ? schema.shape : .any([.nothing, schema.shape])
    read = { node, mistakes in schema.read(node, name, mistakes).map(make) }
    write = { value($0).map(schema.write) }
  }
}

extension Variant {
  /// One whose settings are no mapping.
  init<Owner>(
    _ name: String, _ sentence: String, _ type: ValueType<Owner>, example: String, make: @escaping (Owner) -> Value,
    value: @escaping (Value) -> Owner?
  ) {
    self.name = name
    self.sentence = sentence
    self.example = example
    plain = nil
    settings = nil
    settingsShape = type.shape
    read = { node, mistakes in type.read(node, name, mistakes).map(make) }
    write = { value($0).map(type.write) }
  }
}

/// All of them.
struct Variants<Value>: @unchecked Sendable {
  /// What messages call one: `optimizer`.
  let noun: String
  /// What messages call a name that none has: `optimizer`.
  let unknown: String
  let all: [Variant<Value>]
  /// Told where a mapping has more than one key.
  let several: (Int) -> String

  init(_ noun: String, unknown: String? = nil, _ all: [Variant<Value>], several: ((Int) -> String)? = nil) {
    self.noun = noun
    self.unknown = unknown ?? noun
    self.all = all
    self.several = several ?? { "\(noun) names one \(noun). Received: \($0) keys." }
  }

  var shape: ValueShape {
    let plain = all.filter { $0.plain != nil }.map(\.name)
    let words: [ValueShape] = plain.isEmpty ? [] : [.choice(plain)]
    return .any(
      words
        + all.map { variant in
          .mapping(
            MappingShape(keys: [
              .init(
                name: variant.name, shape: variant.settingsShape, isRequired: true, sentence: variant.sentence,
                standard: nil)
            ]))
        })
  }

  /// - Parameter place: where the thing is named, for messages: `training`.
  func read(_ node: YAMLNode, in place: String, _ mistakes: Mistakes) -> Value? {
    let name: String
    var location = node.location
    var settings: YAMLNode?
    switch node.content {
    case .mapping(let entries):
      guard let entry = entries.first, entries.count == 1 else {
        mistakes.add(node.location, several(entries.count))
        return nil
      }
      (name, location) = (entry.key, entry.location)
      if !entry.value.isNothing { settings = entry.value }
    default:
      guard let text = mistakes.note({ () throws(RecipeMistake) in try node.text(noun) }) else { return nil }
      name = text
    }
    guard let variant = all.first(where: { $0.name == name }) else {
      mistakes.add(location, unknownWord(unknown, name, in: place, known: all.map(\.name)))
      return nil
    }
    if let settings { return variant.read(settings, mistakes) }
    if let plain = variant.plain { return plain }
    mistakes.add(location, "\(name) needs its settings, such as '\(name): \(variant.example)'.")
    return nil
  }

  func write(_ value: Value) -> YAMLValue {
    for variant in all {
      guard let settings = variant.write(value) else { continue }
      return settings == .mapping([]) ? .plain(variant.name) : .entry(variant.name, settings)
    }
    return .mapping([])
  }

  /// As the type of a key's values.
  func type(in place: String) -> ValueType<Value> {
    ValueType(shape, read: { node, _, mistakes in read(node, in: place, mistakes) }, write: write)
  }
}
