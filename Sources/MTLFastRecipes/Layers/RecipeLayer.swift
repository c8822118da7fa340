// SPDX-License-Identifier: Apache-2.0
// The layers that a recipe can name, and a recipe's `layers` list.

import MTLFast

/// A layer as recipes write it: `kind: settings`, or `kind` alone.
protocol RecipeLayer: Layer {
  /// What `kind` alone means; nil for a layer that needs settings.
  static var plain: Self? { get }
  /// Settings that would do, for layers that need some.
  static var example: String { get }

  init(settings: YAMLNode) throws

  /// The layer as an entry of `layers`.
  var recipeText: String { get }
}

extension RecipeLayer {
  static var plain: Self? { nil }
}

/// A layer without settings.
protocol PlainRecipeLayer: RecipeLayer {
  init()
}

extension PlainRecipeLayer {
  static var plain: Self? { Self() }
  static var example: String { "{}" }

  init(settings: YAMLNode) throws {
    _ = try MappingReader(settings, Self.kind, known: [])
    self.init()
  }

  var recipeText: String { Self.kind }
}

extension Flatten: PlainRecipeLayer {}
extension GlobalAveragePool2D: PlainRecipeLayer {}
extension Concatenate: PlainRecipeLayer {}
extension Add: PlainRecipeLayer {}

extension GraphLayer {
  /// Every layer that a recipe can name.
  static let recipeLayers: [any RecipeLayer.Type] = [
    Conv2D.self,
    DepthwiseConv2D.self,
    MaxPool2D.self,
    AvgPool2D.self,
    GlobalAveragePool2D.self,
    Dense.self,
    ReLU.self,
    Sigmoid.self,
    GELU.self,
    SiLU.self,
    Tanh.self,
    LeakyReLU.self,
    Dropout.self,
    BatchNorm.self,
    LayerNorm.self,
    Flatten.self,
    Reshape.self,
    Upsample2D.self,
    Concatenate.self,
    Add.self,
    Multiply.self,
  ]

  /// The layer as an entry of a recipe's `layers`.
  var recipeText: String { (layer as? any RecipeLayer)?.recipeText ?? type(of: layer).kind }

  /// Parses a list such as `[conv2d: {filters: 32, kernel: 3}, flatten, dense: 10]`.
  static func list(_ node: YAMLNode, of owner: String) throws -> [GraphLayer] {
    try node.items("layers of \(owner)").map { try GraphLayer($0, of: owner) }
  }

  private init(_ node: YAMLNode, of owner: String) throws {
    let name: String
    let location: SourceLocation
    var settings: YAMLNode?
    switch node.content {
    case .scalar:
      name = try node.text("a layer")
      location = node.location
    case .mapping(let entries):
      guard let entry = entries.first, entries.count == 1 else {
        throw node.location.error(
          "an entry of layers names one layer but has \(entries.count) keys. Begin each layer with its own '-'.")
      }
      name = entry.key
      location = entry.location
      settings = entry.value.isNothing ? nil : entry.value
    case .sequence:
      throw node.location.error("an entry of layers must name a layer: 'flatten' or 'dense: 10'. Received: a list.")
    }
    guard let type = Self.recipeLayers.first(where: { $0.kind == name }) else {
      throw location.error(unknownName("layer", name, in: owner, known: Self.recipeLayers.map { $0.kind }))
    }
    if let settings {
      self = try type.init(settings: settings).graphLayer
    } else if let plain = type.plain {
      self = plain.graphLayer
    } else {
      throw location.error("\(name) needs its settings, such as '\(name): \(type.example)'.")
    }
  }
}

/// Bounds that keep every product of sizes within an Int.
enum RecipeLayerLimits {
  static let units = 1 << 20
  static let window = 1 << 10
}

/// `3` for a square, otherwise `[3, 5]`.
func sizeText(_ height: Int, _ width: Int) -> String { height == width ? "\(height)" : "[\(height), \(width)]" }

extension YAMLNode {
  /// `valid`, `same` or `[top, bottom, left, right]`.
  func padding() throws -> Padding {
    if case .sequence(let items) = content {
      guard items.count == 4 else {
        throw location.error(
          "padding must be valid, same or [top, bottom, left, right]. Received: a list of \(items.count).")
      }
      let sides = try items.map { try $0.integer("padding", in: 0...RecipeLayerLimits.window) }
      return .explicit(top: sides[0], bottom: sides[1], left: sides[2], right: sides[3])
    }
    switch try text("padding") {
    case "valid": return .valid
    case "same": return .same
    case let text:
      throw location.error("padding must be valid, same or [top, bottom, left, right]. Received: '\(text)'.")
    }
  }
}
