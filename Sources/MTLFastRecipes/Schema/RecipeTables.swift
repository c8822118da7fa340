// SPDX-License-Identifier: Apache-2.0
// The keys of recipes as tables, made of the same declarations that read them.

import MTLFast

/// What can be told of a part of recipes: its keys, or the things that can be named there.
public struct RecipeTable: Sendable {
  /// `training`
  public let name: String
  public let header: [String]
  public let rows: [[String]]

  private init(_ name: String, keys shape: MappingShape) {
    self.name = name
    header = ["key", "value", "default", "meaning"]
    rows = shape.keys.map { key in
      ["`\(key.name)`", key.shape.words, key.isRequired ? "required" : Self.text(key.standard), key.sentence]
    }
  }

  private init<Value>(_ name: String, variants: Variants<Value>) {
    self.name = name
    header = ["name", "settings, with defaults", "meaning"]
    rows = variants.all.map { variant in ["`\(variant.name)`", Self.settings(variant), variant.sentence] }
  }

  private static func text(_ value: YAMLValue?) -> String {
    guard let value, let yaml = try? value.yaml() else { return "" }
    return "`\(yaml.dropLast())`"
  }

  private static func settings<Value>(_ variant: Variant<Value>) -> String {
    guard let settings = variant.settings else {
      return variant.plain == nil ? variant.settingsShape.words : "none"
    }
    let texts = settings.keys.map { key in
      key.standard.flatMap { try? $0.yaml() }.map { "`\(key.name): \($0.dropLast())`" }
        ?? "`\(key.name)`" + (key.isRequired ? " (required)" : "")
    }
    return texts.joined(separator: ", ")
  }

  /// The rows without the marks of Markdown.
  public var plainRows: [[String]] { rows.map { $0.map(plainText) } }

  /// Every part, in the order of a recipe.
  public static var all: [RecipeTable] {
    func keys<Owner>(_ name: String, _ schema: MappingSchema<Owner>) -> RecipeTable {
      RecipeTable(name, keys: MappingShape(keys: schema.keys.map(\.shape)))
    }
    let tasks = zip(["labels", "numbers", "masks"], Recipe.Task.shapes).map { RecipeTable("tasks.\($0)", keys: $1) }
    return Recipe.Stream.shapes.map { RecipeTable("data.\($0.format ?? "source")", keys: $0.keys) }
      + [keys("inputs", Recipe.Input.schema(of: "", in: nil)), keys("inputs.augment", Recipe.Input.augmentationSchema)]
      + tasks
      + [
        keys("model", Recipe.ModelNode.schema(of: "")), RecipeTable("layers", variants: GraphLayer.variants),
        keys("heads", Recipe.Head.schema(of: "")), RecipeTable("losses", variants: Loss.variants),
        keys("training", Recipe.Training.schema), RecipeTable("optimizers", variants: Optimizer.variants),
        RecipeTable("schedules", variants: LearningRateSchedule.variants),
        keys("training.early_stopping", Recipe.EarlyStopping.schema),
      ]
  }
}

extension ValueShape {
  /// What a value may be, in words.
  var words: String {
    switch self {
    case .integer(let range):
      range.upperBound == .max
        ? "whole number of \(range.lowerBound) or more" : "\(range.lowerBound) to \(range.upperBound)"
    case .seed: "whole number of 0 or more"
    case .number(let range): String("\(range)".dropFirst("a ".count))
    case .boolean: "`true` or `false`"
    case .text: "text"
    case .pattern: "text"
    case .choice(let words): words.map { "`\($0)`" }.joined(separator: ", ")
    case .list(let item, let count, _):
      count.lowerBound == count.upperBound ? "list of \(count.lowerBound): \(item.words)" : "list: \(item.words)"
    case .mapping(let mapping): "`{\(mapping.keys.map(\.name).joined(separator: ", "))}`"
    case .names(let value, _): "`{name: ...}`: \(value.words)"
    case .any(let shapes): variantWords ?? shapes.map(\.words).joined(separator: "; or ")
    case .nothing: "none"
    case .reference(let name): name
    }
  }

  /// Of a thing that is named, alone or with settings.
  private var variantWords: String? {
    guard case .any(let shapes) = self, shapes.count > 2 else { return nil }
    let names = shapes.compactMap { shape -> String? in
      if case .mapping(let mapping) = shape, mapping.keys.count == 1 { mapping.keys[0].name } else { nil }
    }
    guard names.count >= shapes.count - 1 else { return nil }
    return names.map { "`\($0)`" }.joined(separator: ", ") + ", alone or as `{name: settings}`"
  }
}
