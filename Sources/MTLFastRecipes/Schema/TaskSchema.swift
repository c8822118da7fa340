// SPDX-License-Identifier: Apache-2.0
// The keys of a task: what is to be learnt.

import MTLFast

extension Recipe.Task {
  /// What tells the kind of a task.
  private static let kinds = ["labels", "target", "targets", "mask"]

  static func read(_ node: YAMLNode, name: String, _ mistakes: Mistakes) -> Recipe.Task? {
    let place = "task '\(name)'"
    guard let entries = mistakes.note({ () throws(RecipeMistake) in try node.entries(place) }) else { return nil }
    let given = entries.filter { kinds.contains($0.key) }
    if given.count > 1 {
      mistakes.add(given[1].location, "\(place) has both \(given[0].key) and \(given[1].key). Keep one.")
      return nil
    }
    let target: Recipe.Target?
    switch given.first?.key {
    case "labels": target = Recipe.Labels.schema(of: place).read(node, place, mistakes).map { .labels($0) }
    case "target", "targets": target = Recipe.Numbers.schema.read(node, place, mistakes).map { .values($0) }
    case "mask": target = Recipe.Mask.schema.read(node, place, mistakes).map { .mask($0) }
    default:
      // A misspelt key says more than a missing one.
      let known = Set(shapes.flatMap { $0.keys.map(\.name) })
      let strangers = entries.filter { !known.contains($0.key) }
      for entry in strangers {
        mistakes.add(entry.location, unknownWord("key", excerpt(entry.key), in: place, known: Array(known)))
      }
      if strangers.isEmpty {
        mistakes.add(
          node.location,
          "\(place) lacks what is to be learnt: labels (a class), target or targets (numbers) or mask (pixels).")
      }
      return nil
    }
    return target.map { Recipe.Task(name: name, target: $0) }
  }

  static func write(_ task: Recipe.Task) -> YAMLValue {
    switch task.target {
    case .labels(let labels): Recipe.Labels.schema(of: "").write(labels)
    case .values(let numbers): Recipe.Numbers.schema.write(numbers)
    case .mask(let mask): Recipe.Mask.schema.write(mask)
    }
  }

  /// The keys of each kind.
  static var shapes: [MappingShape] {
    [Recipe.Labels.schema(of: "").shape, Recipe.Numbers.schema.shape, Recipe.Mask.schema.shape].compactMap {
      if case .mapping(let mapping) = $0 { mapping } else { nil }
    }
  }
}

extension Recipe.Labels {
  static func schema(of place: String) -> MappingSchema<Recipe.Labels> {
    let column = Key<Self, String>.required("labels", .text, "The column", get: \.column)
    let groups = Key<Self, [Recipe.Group]>.optional(
      "map", .classes(of: place),
      "Classes made of the column's labels: `{shoes: [5, 7, 9], others: [0, 1]}`. Labels in no list are missing. Not with `classes`",
      get: \.groups)
    let classes = Key<Self, Recipe.ClassNames>.optional(
      "classes", .classNames,
      "Names in class order, two or more, or a file with one a line; without it those of the data set, or found in the training rows",
      get: \.classes)
    let parent = Key<Self, Recipe.Parent>.optional(
      "parent", Recipe.Parent.schema.type(), "The task whose classes hold the classes of this one", get: \.parent)
    return MappingSchema([AnyKey(column), AnyKey(groups), AnyKey(classes), AnyKey(parent)]) {
      values throws(RecipeMistake) in
      if values.given(groups) != nil, values.given(classes) != nil {
        throw values.mistake("classes", "\(place) has both map and classes. The keys of map are its classes.")
      }
      return Recipe.Labels(
        column: values[column], groups: values.given(groups), classes: values.given(classes),
        parent: values.given(parent))
    }
  }
}

extension Recipe.Parent {
  /// `label`, or `{task: label, classes: [4, 1, 14]}`.
  static let schema: MappingSchema<Recipe.Parent> = {
    let task = Key<Self, String>.required("task", .text, "The other task", get: \.task)
    let classes = Key<Self, [Int]>.optional(
      "classes", .integers(0...Int(Int32.max), "the parent of a class"),
      "For each class the index of its parent; without it found in the training rows", get: \.classes)
    return MappingSchema([AnyKey(task), AnyKey(classes)], shorthand: "task", writesShorthand: true) {
      values throws(RecipeMistake) in
      Recipe.Parent(task: values[task], classes: values.given(classes))
    }
  }()
}

extension Recipe.Numbers {
  static let schema: MappingSchema<Recipe.Numbers> = {
    let target = Key<Self, String>.optional(
      "target", .text, "The column of one number", get: { $0.columns.count == 1 ? $0.columns[0] : nil })
    let targets = Key<Self, [String]>.optional(
      "targets", .names(), "A list of columns, predicted together",
      get: { $0.columns.count == 1 ? nil : $0.columns })
    let normalization = NormalizationKeys<Self>(\.normalization)
    return MappingSchema([AnyKey(target), AnyKey(targets)] + normalization.keys, oneOf: ["target", "targets"]) {
      values throws(RecipeMistake) in
      let columns = values.given(targets) ?? values.given(target).map { [$0] } ?? []
      return Recipe.Numbers(
        columns: columns,
        normalization: try normalization.value(values, standard: .training, count: columns.count))
    }
  }()
}

extension Recipe.Mask {
  static let schema: MappingSchema<Recipe.Mask> = {
    let column = Key<Self, String>.required("mask", .text, "The column", get: \.column)
    let classes = Key<Self, Recipe.ClassNames>.optional(
      "classes", .classNames, "Each pixel has one class; its value is the index of the name. A list or a file",
      get: { if case .classes(let classes) = $0.meaning { classes } else { nil } })
    let groups = Key<Self, [Recipe.Group]>.optional(
      "map", .masks,
      "Independent masks, each of the pixels with one of its values: `{road: [3], wheels: [6, 9]}`",
      get: { if case .groups(let groups) = $0.meaning { groups } else { nil } })
    let channels = Key<Self, [String]>.optional(
      "masks", .names(),
      "One name: the pixels that aren't 0. Three names: red, green and blue of a colour mask, each brighter than 127. For arrays: a name for each channel of 0 and 1",
      get: { if case .channels(let names) = $0.meaning { names } else { nil } })
    let ignored = Key<Self, [Int]>.optional(
      "ignore", .integers(0...255, "a pixel value"),
      "With `classes`, `map`, and `masks` of one name for mask files: values that mean no label. Names in `classes` of ignored values make no class",
      get: { $0.ignored.isEmpty ? nil : $0.ignored })
    return MappingSchema(
      [AnyKey(column), AnyKey(classes), AnyKey(groups), AnyKey(channels), AnyKey(ignored)],
      oneOf: ["classes", "map", "masks"]
    ) { values throws(RecipeMistake) in
      let meanings: [(key: String, meaning: Meaning)] = [
        values.given(classes).map { ("classes", .classes($0)) }, values.given(groups).map { ("map", .groups($0)) },
        values.given(channels).map { ("masks", .channels($0)) },
      ].compactMap { $0 }
      guard let meaning = meanings.first?.meaning, meanings.count == 1 else {
        let given =
          (try? values.node.entries(""))?.map(\.key).filter { ["classes", "map", "masks"].contains($0) } ?? []
        throw values.mistake(
          "\(values.name) must have one of classes (a class for each pixel), map (masks by pixel values) and masks (one for each channel)."
            + (given.isEmpty ? "" : " Received: \(given.joined(separator: " and "))."))
      }
      return Recipe.Mask(column: values[column], meaning: meaning, ignored: values.given(ignored) ?? [])
    }
  }()
}

extension ValueType where Value == Recipe.ClassNames {
  /// A list of names, or the path of a file that has one a line.
  fileprivate static var classNames: ValueType {
    let names = ValueType<[String]>.names(atLeast: 2)
    let path = ValueType<String>.path()
    return ValueType(
      .any([path.shape, names.shape]),
      read: { node, name, mistakes in
        if case .scalar = node.content { return path.read(node, name, mistakes).map { .file($0) } }
        return names.read(node, name, mistakes).map { .names($0) }
      },
      write: { classes in
        switch classes {
        case .names(let list): names.write(list)
        case .file(let file): path.write(file)
        }
      })
  }
}

extension ValueType where Value == [Recipe.Group] {
  /// Classes of a task by their labels, each in one of them.
  fileprivate static func classes(of place: String) -> ValueType {
    ValueType(
      .names(.list(.integer(0...Int(Int32.max)), count: 1...Int.max), atLeast: 2),
      parse: { node, name throws(RecipeMistake) in
        var owner: [Int: String] = [:]
        let groups = try groups(node, name, "a label", in: 0...Int(Int32.max)) {
          (label, group, location) throws(RecipeMistake) in
          guard let other = owner.updateValue(group, forKey: label) else { return }
          throw location.error(
            other == group
              ? "label \(label) is twice in '\(other)'. Keep one."
              : "label \(label) is in '\(other)' and in '\(group)'. A label belongs to one class of \(place).")
        }
        guard groups.count >= 2 else {
          throw node.location.error(
            "map of \(place) has \(groups.count) classes. A classification needs 2 or more.")
        }
        return groups
      }, write: write)
  }

  /// Masks by their pixel values, which may be in several.
  fileprivate static var masks: ValueType {
    ValueType(
      .names(.list(.integer(0...255), count: 1...Int.max), atLeast: 1),
      parse: { node, name throws(RecipeMistake) in
        let groups = try groups(node, name, "a pixel value", in: 0...255) { _, _, _ in }
        guard !groups.isEmpty else { throw node.location.error("map is empty. Name a mask: {road: [3]}.") }
        return groups
      }, write: write)
  }

  private static func write(_ groups: [Recipe.Group]) -> YAMLValue {
    .mapping(groups.map { .init($0.name, .list($0.labels.map { .plain($0) })) })
  }

  private static func groups(
    _ node: YAMLNode, _ name: String, _ item: String, in range: ClosedRange<Int>,
    check: (Int, String, SourceLocation) throws(RecipeMistake) -> Void
  ) throws(RecipeMistake) -> [Recipe.Group] {
    try node.entries(name).map { (entry) throws(RecipeMistake) in
      let items = try entry.value.items("'\(entry.key)' in map")
      guard !items.isEmpty else {
        throw entry.value.location.error("'\(entry.key)' in map is empty, so nothing belongs to it. Name a label.")
      }
      return Recipe.Group(
        name: entry.key,
        labels: try items.map { (node) throws(RecipeMistake) in
          let label = try node.integer("\(item) in '\(entry.key)'", in: range)
          try check(label, entry.key, node.location)
          return label
        })
    }
  }
}
