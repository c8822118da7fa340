// SPDX-License-Identifier: Apache-2.0
// The keys that tell the parts of data: training, validation, test, and how a table is divided.

import MTLFast

/// A part that is drawn, or files of its own.
enum ValidationPart<File> {
  case drawn(Recipe.Validation)
  case files(File)
}

/// `training`, `validation` and `test`, where `validation` may also be none, test or a share.
struct PartKeys<File: Hashable & Sendable> {
  let training: Key<Recipe.Stream, File>
  let validation: Key<Recipe.Stream, ValidationPart<File>>
  let test: Key<Recipe.Stream, File>

  init(
    _ file: ValueType<File>, _ sentence: String, isRequired: Bool = true,
    get: @escaping (Recipe.Stream) -> Recipe.Parts<File>?
  ) {
    let make = isRequired ? Key<Recipe.Stream, File>.required : Key<Recipe.Stream, File>.optional
    training = make("training", file, "\(sentence) to learn from") { get($0)?.training }
    validation = .optional(
      "validation", .part(file), "`none`, `test`, a share of the training rows, or files of its own"
    ) { stream in
      guard let parts = get(stream) else { return nil }
      return parts.validation.map { .files($0) } ?? .drawn(stream.validation)
    }
    test = .optional("test", file, "\(sentence) to score the model on") { get($0)?.test }
  }

  var keys: [AnyKey<Recipe.Stream>] { [AnyKey(training), AnyKey(validation), AnyKey(test)] }

  func value(
    _ values: Values
  ) throws(RecipeMistake) -> (parts: Recipe.Parts<File>, validation: Recipe.Validation) {
    var parts = Recipe.Parts(training: values[training], test: values.given(test))
    switch values.given(validation) {
    case .files(let files)?:
      parts.validation = files
      return (parts, .none)
    case .drawn(let drawn)?: return (parts, drawn)
    case nil: return (parts, .none)
    }
  }
}

/// `path`, with or without `split`, or a file for each part.
struct TableKeys {
  let path: Key<Recipe.Stream, String>
  let split: Key<Recipe.Stream, Recipe.SplitColumn>
  let parts: PartKeys<String>

  init(get: @escaping (Recipe.Stream) -> Recipe.Table?) {
    /// The table where it is one for all parts.
    func whole(_ stream: Recipe.Stream) -> Recipe.Table? {
      get(stream).flatMap { $0.parts.validation == nil && $0.parts.test == nil ? $0 : nil }
    }
    path = .optional("path", .path(), "One table for everything", get: { whole($0)?.parts.training })
    split = .optional(
      "split", Recipe.SplitColumn.schema.type(),
      "With `path`: a column that tells each row's part. Any value in it that isn't named is an error",
      get: { whole($0)?.split })
    parts = PartKeys(.path("a .csv file"), "Instead of `path`: a table", isRequired: false) { stream in
      guard let table = get(stream) else { return nil }
      return whole(stream) == nil ? table.parts : nil
    }
    validationOfWhole = { stream in
      guard let table = whole(stream), table.split?.parts.validation == nil else { return nil }
      return stream.validation
    }
  }

  private let validationOfWhole: (Recipe.Stream) -> Recipe.Validation?

  var keys: [AnyKey<Recipe.Stream>] { keys(before: []) }

  /// - Parameter others: keys that stand before `validation`.
  func keys(before others: [AnyKey<Recipe.Stream>]) -> [AnyKey<Recipe.Stream>] {
    let validation = Key<Recipe.Stream, ValidationPart<String>>.optional(
      parts.validation.name, parts.validation.type, parts.validation.sentence
    ) { stream in parts.validation.get(stream) ?? validationOfWhole(stream).map { .drawn($0) } }
    return [AnyKey(path), AnyKey(split), AnyKey(parts.training)] + others + [AnyKey(validation), AnyKey(parts.test)]
  }

  func value(_ values: Values) throws(RecipeMistake) -> (table: Recipe.Table, validation: Recipe.Validation) {
    guard let file = values.given(path) else {
      guard values.given(split) == nil else {
        throw values.mistake("split", "split tells the parts of one table. Name that with path.")
      }
      guard values.given(parts.training) != nil else {
        throw values.mistake("\(values.name) lacks 'path' or 'training', the table's file.")
      }
      let read = try parts.value(values)
      return (Recipe.Table(parts: read.parts), read.validation)
    }
    for key in ["training", "test"] where values.node.child(key) != nil {
      throw values.mistake(
        key, "\(values.name) has both path and \(key). Name each part's file, or one path with split: {column: ...}.")
    }
    let column = values.given(split)
    let validation: Recipe.Validation
    switch values.given(parts.validation) {
    case .files?:
      throw values.mistake(
        "validation",
        "validation must be none, test or {fraction: 0.2}: the parts of a table with path are told by split. Received: \(values.node.child("validation")?.kindDescription ?? "nothing")."
      )
    case .drawn(let drawn)?: validation = drawn
    case nil: validation = .none
    }
    if column?.parts.validation != nil, validation != .none {
      throw values.mistake("validation", "validation is given here and in split. Keep one.")
    }
    return (Recipe.Table(parts: Recipe.Parts(training: file), split: column), validation)
  }
}

extension Recipe.SplitColumn {
  static let schema: MappingSchema<Recipe.SplitColumn> = {
    let column = Key<Self, String>.required("column", .text, "The column", get: \.column)
    let training = Key<Self, String>.required(
      "training", .text, "Its value in training rows", get: { $0.parts.training })
    let validation = Key<Self, String>.optional(
      "validation", .text, "Its value in validation rows", get: { $0.parts.validation })
    let test = Key<Self, String>.optional("test", .text, "Its value in test rows", get: { $0.parts.test })
    return MappingSchema([AnyKey(column), AnyKey(training), AnyKey(validation), AnyKey(test)]) {
      values throws(RecipeMistake) in
      Recipe.SplitColumn(
        column: values[column],
        parts: Recipe.Parts(
          training: values[training], validation: values.given(validation), test: values.given(test)))
    }
  }()
}

extension Recipe.Fraction {
  static let schema: MappingSchema<Recipe.Fraction> = {
    let share = Key<Self, Double>.required(
      "fraction", .number(.properShare), "The share of the training rows, rounded to whole rows", get: \.share)
    let stratify = Key<Self, String>.optional(
      "stratify", .text, "A column of classes, each of which gives the same share", get: \.stratify)
    let seed = Key<Self, UInt64>.standard("seed", .seed, 0, "Of the draw", get: \.seed)
    return MappingSchema([AnyKey(share), AnyKey(stratify), AnyKey(seed)]) { values throws(RecipeMistake) in
      Recipe.Fraction(values[share], stratify: values.given(stratify), seed: values[seed])
    }
  }()
}

extension ValueType where Value == Recipe.Validation {
  /// - Parameter otherwise: the beginning of the message about anything but none, test and a share.
  static func validation(_ otherwise: String) -> ValueType {
    ValueType(
      .any([.choice(["none", "test"]), Recipe.Fraction.schema.shape]),
      read: { node, name, mistakes in
        switch node.content {
        case .scalar("none", isPlain: _): return Recipe.Validation.none
        case .scalar("test", isPlain: _): return .test
        case .mapping(let entries) where entries.contains { $0.key == "fraction" }:
          return Recipe.Fraction.schema.read(node, name, mistakes).map { .fraction($0) }
        default:
          mistakes.add(node.location, "\(otherwise) Received: \(node.kindDescription).")
          return nil
        }
      },
      write: { validation in
        switch validation {
        case .none: .plain("none")
        case .test: .plain("test")
        case .fraction(let fraction): Recipe.Fraction.schema.write(fraction)
        }
      })
  }
}

extension ValueType {
  /// None, test, a share, or files.
  static func part<File>(_ file: ValueType<File>) -> ValueType where Value == ValidationPart<File> {
    let drawn = ValueType<Recipe.Validation>.validation("")
    return ValueType(
      .any([drawn.shape, file.shape]),
      read: { node, name, mistakes in
        let isDrawn =
          switch node.content {
          case .scalar("none", isPlain: _), .scalar("test", isPlain: _): true
          case .mapping(let entries): entries.contains { $0.key == "fraction" }
          default: false
          }
        if isDrawn { return drawn.read(node, name, mistakes).map { .drawn($0) } }
        var isText = false
        if case .text = file.shape { isText = true }
        if isText, node.isMapping || node.isNothing {
          mistakes.add(
            node.location,
            "\(name) must be none, test, {fraction: 0.2} or a file. Received: \(node.kindDescription).")
          return nil
        }
        return file.read(node, name, mistakes).map { .files($0) }
      },
      write: { part in
        switch part {
        case .drawn(let validation): drawn.write(validation)
        case .files(let files): file.write(files)
        }
      })
  }
}
