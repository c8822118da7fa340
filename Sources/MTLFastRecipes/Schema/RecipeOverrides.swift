// SPDX-License-Identifier: Apache-2.0
// Values of the command line that replace values of a recipe before it is checked.

import MTLFast

/// One change of a recipe's text: `training.epochs` becomes `3`.
public struct RecipeOverride: Hashable, Sendable {
  enum Change: Hashable, Sendable {
    /// The keys and list indices down to the value, and the value as YAML.
    case set(path: [String], value: String)
    /// The first head's weight becomes lambda, the second's 1 - lambda.
    case lambda(String)
    /// The scale of every image input.
    case pixelScale(String)
  }

  let change: Change
  /// The option as written, which errors begin with.
  let option: String

  /// `training.epochs=3`: keys joined by dots (list entries by their index), then the value as YAML.
  ///
  /// - Throws: `MTLFastError` of kind `usage` where there is no `path=`.
  public static func set(_ assignment: String) throws -> RecipeOverride { try set(assignment, option: "set") }

  /// - Parameter option: what errors call it; the assignment follows.
  public static func set(_ assignment: String, option: String) throws -> RecipeOverride {
    let option = "\(option) \(assignment)"
    guard let equals = assignment.firstIndex(of: "=") else {
      throw MTLFastError(.usage, "\(option): lacks '='. Write path=value, such as training.epochs=3.")
    }
    let path = assignment[..<equals].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard path.allSatisfy({ !$0.isEmpty }) else {
      throw MTLFastError(
        .usage, "\(option): '\(assignment[..<equals])' is no path. Join keys by dots: training.epochs.")
    }
    let value = String(assignment[assignment.index(after: equals)...])
    return RecipeOverride(change: .set(path: path, value: value), option: option)
  }

  /// The weights of a recipe with two heads: `lambda` and 1 - `lambda`.
  ///
  /// - Parameter option: what errors call it; the value follows.
  public static func lambda(_ value: String, option: String = "lambda") -> RecipeOverride {
    RecipeOverride(change: .lambda(value), option: "\(option) \(value)")
  }

  /// The factor of every image input, `1/255` or `1`.
  ///
  /// - Parameter option: what errors call it; the value follows.
  public static func pixelScale(_ value: String, option: String = "pixel scale") -> RecipeOverride {
    RecipeOverride(change: .pixelScale(value), option: "\(option) \(value)")
  }

  /// A value of `training` by its key.
  ///
  /// - Parameter option: what errors call it; the value follows.
  public static func training(_ key: String, _ value: String, option: String) -> RecipeOverride {
    RecipeOverride(change: .set(path: ["training", key], value: value), option: "\(option) \(value)")
  }

  func apply(to root: inout YAMLNode) throws {
    let location = SourceLocation.option(option)
    switch change {
    case .set(let path, let value):
      // An empty value is nothing, which the reader of the key refuses.
      let node =
        value.isEmpty
        ? YAMLNode(content: .scalar("", isPlain: true), location: location) : try YAMLNode.parse(value, from: location)
      try root.replace(path[...], with: node, walked: [])
    case .lambda(let text):
      let heads = try root.child("heads")?.entries("heads") ?? []
      guard heads.count == 2 else {
        throw location.error(
          "lambda weighs two heads but the recipe has \(heads.count) (\(heads.map(\.key).joined(separator: ", "))). Set each weight: heads.\(heads.first?.key ?? "NAME").weight=0.5."
        )
      }
      guard let lambda = decimalNumber(text), lambda >= 0, lambda <= 1 else {
        throw location.error("lambda must be a number from 0 to 1. Received: '\(text)'.")
      }
      for (head, weight) in zip(heads, [lambda, 1 - lambda]) {
        let node = YAMLNode(content: .scalar("\(weight)", isPlain: true), location: location)
        try root.replace(["heads", head.key, "weight"], with: node, walked: [])
      }
    case .pixelScale(let text):
      let images = try (root.child("inputs")?.entries("inputs") ?? []).filter { entry in
        if case .sequence(let sizes)? = entry.value.child("shape")?.content { return sizes.count == 3 }
        return false
      }
      guard !images.isEmpty else { throw location.error("the recipe has no image input.") }
      for image in images {
        let node = YAMLNode(content: .scalar(text, isPlain: true), location: location)
        try root.replace(["inputs", image.key, "scale"], with: node, walked: [])
      }
    }
  }
}

extension YAMLNode {
  /// Replaces the value at a path; a key that is missing is added, for the reader to accept or refuse.
  fileprivate mutating func replace(_ path: ArraySlice<String>, with node: YAMLNode, walked: [String]) throws {
    guard let step = path.first else {
      self = node
      return
    }
    let rest = path.dropFirst()
    switch content {
    case .mapping(var entries):
      if let index = entries.firstIndex(where: { $0.key == step }) {
        try entries[index].value.replace(rest, with: node, walked: walked + [step])
        // An error about the key itself is the file's, about its value the option's.
      } else {
        var value = YAMLNode(content: .mapping([]), location: node.location)
        try value.replace(rest, with: node, walked: walked + [step])
        entries.append(Entry(key: step, location: node.location, value: value))
      }
      content = .mapping(entries)
    case .sequence(var items):
      guard let index = Int(step), items.indices.contains(index) else {
        throw node.location.error(
          "'\(walked.joined(separator: "."))' is a list of \(items.count). Name an entry by its index, 0 to \(items.count - 1). Received: '\(step)'."
        )
      }
      try items[index].replace(rest, with: node, walked: walked + [step])
      content = .sequence(items)
    case .scalar:
      if isNothing {
        self = YAMLNode(content: .mapping([]), location: node.location)
        try replace(path, with: node, walked: walked)
        return
      }
      throw node.location.error(
        "'\(walked.joined(separator: "."))' is \(kindDescription), not a mapping, so it has no '\(step)'.")
    }
  }
}
