// SPDX-License-Identifier: Apache-2.0
// A recipe's tasks: from YAML values to what is to be learnt.

import MTLFast

extension Recipe.Task {
  init(_ entry: YAMLNode.Entry) throws {
    name = try checkedName(entry.key, "task", at: entry.location)
    let place = "task '\(name)'"
    let kinds = ["labels", "target", "targets", "mask"]
    let given = try entry.value.entries(place).filter { kinds.contains($0.key) }
    if given.count > 1 {
      throw given[1].location.error("\(place) has both \(given[0].key) and \(given[1].key). Keep one.")
    }
    switch given.first?.key {
    case "labels": target = .labels(try Recipe.Labels(entry.value, place))
    case "target", "targets": target = .values(try Recipe.Numbers(entry.value, place))
    case "mask": target = .mask(try Recipe.Mask(entry.value, place))
    default:
      // A misspelt key says more than a missing one.
      _ = try MappingReader(
        entry.value, place,
        known: kinds + [
          "map", "classes", "parent", "normalize", "mean", "standard_deviation", "masks", "ignore",
        ])
      throw entry.value.location.error(
        "\(place) lacks what is to be learnt: labels (a class), target or targets (numbers) or mask (pixels).")
    }
  }
}

extension Recipe.Labels {
  fileprivate init(_ node: YAMLNode, _ place: String) throws {
    let reader = try MappingReader(node, place, known: ["labels", "map", "classes", "parent"])
    column = try reader.required("labels").text("labels")
    groups = try reader.optional("map").map { try Self.groups($0, of: place) }
    classes = try reader.optional("classes").map { node in
      if groups != nil {
        throw node.location.error("\(place) has both map and classes. The keys of map are its classes.")
      }
      return try Recipe.ClassNames(node)
    }
    parent = try reader.optional("parent").map(Recipe.Parent.init)
  }

  private static func groups(_ node: YAMLNode, of place: String) throws -> [Recipe.Group] {
    var owner: [Int: String] = [:]
    let groups = try node.entries("map").map { entry in
      Recipe.Group(
        name: entry.key,
        labels: try Recipe.Group.items(entry).map { item in
          let label = try item.integer("a label in '\(entry.key)'", in: 0...Int(Int32.max))
          if let other = owner.updateValue(entry.key, forKey: label) {
            throw item.location.error(
              other == entry.key
                ? "label \(label) is twice in '\(other)'. Keep one."
                : "label \(label) is in '\(other)' and in '\(entry.key)'. A label belongs to one class of \(place)."
            )
          }
          return label
        })
    }
    guard groups.count >= 2 else {
      throw node.location.error("map of \(place) has \(groups.count) classes. A classification needs 2 or more.")
    }
    return groups
  }
}

extension Recipe.Parent {
  /// `label`, or `{task: label, classes: [4, 1, 14]}`.
  fileprivate init(_ node: YAMLNode) throws {
    guard case .mapping = node.content else {
      self.init(task: try node.text("parent"))
      return
    }
    let reader = try MappingReader(node, "parent", known: ["task", "classes"])
    self.init(
      task: try reader.required("task").text("task"),
      classes: try reader.optional("classes")?.items("classes of parent").map {
        try $0.integer("the parent of a class", in: 0...Int(Int32.max))
      })
  }
}

extension Recipe.Numbers {
  fileprivate init(_ node: YAMLNode, _ place: String) throws {
    let reader = try MappingReader(
      node, place, known: ["target", "targets", "normalize", "mean", "standard_deviation"])
    if let targets = reader.optional("targets") {
      columns = try targets.names("targets")
    } else {
      columns = [try reader.required("target").text("target")]
    }
    normalization = try Recipe.Normalization(reader, standard: .training, count: columns.count)
  }
}

extension Recipe.Mask {
  fileprivate init(_ node: YAMLNode, _ place: String) throws {
    let reader = try MappingReader(node, place, known: ["mask", "classes", "map", "masks", "ignore"])
    column = try reader.required("mask").text("mask")
    let meanings = reader.entries.filter { ["classes", "map", "masks"].contains($0.key) }
    guard let meaning = meanings.first, meanings.count == 1 else {
      throw reader.location.error(
        "\(place) must have one of classes (a class for each pixel), map (masks by pixel values) and masks (one for each channel)."
          + (meanings.isEmpty ? "" : " Received: \(meanings.map(\.key).joined(separator: " and "))."))
    }
    switch meaning.key {
    case "classes": self.meaning = .classes(try Recipe.ClassNames(meaning.value))
    case "map": self.meaning = .groups(try Self.groups(meaning.value))
    default: self.meaning = .channels(try meaning.value.names("masks"))
    }
    ignored = try reader.optional("ignore")?.items("ignore").map { try $0.integer("a pixel value", in: 0...255) } ?? []
  }

  /// Masks may overlap: a pixel value may be in several.
  private static func groups(_ node: YAMLNode) throws -> [Recipe.Group] {
    let groups = try node.entries("map").map { entry in
      Recipe.Group(
        name: entry.key,
        labels: try Recipe.Group.items(entry).map {
          try $0.integer("a pixel value in '\(entry.key)'", in: 0...255)
        })
    }
    guard !groups.isEmpty else { throw node.location.error("map is empty. Name a mask: {road: [3]}.") }
    return groups
  }
}

extension Recipe.Group {
  /// The list of one class, which names one label at least.
  fileprivate static func items(_ entry: YAMLNode.Entry) throws -> [YAMLNode] {
    let items = try entry.value.items("'\(entry.key)' in map")
    guard !items.isEmpty else {
      throw entry.value.location.error("'\(entry.key)' in map is empty, so nothing belongs to it. Name a label.")
    }
    return items
  }
}

extension Recipe.ClassNames {
  /// A list of names, or the path of a file that has one a line.
  fileprivate init(_ node: YAMLNode) throws {
    if case .scalar = node.content {
      self = .file(try node.path("classes"))
    } else {
      self = .names(try node.names("classes", atLeast: 2))
    }
  }
}
