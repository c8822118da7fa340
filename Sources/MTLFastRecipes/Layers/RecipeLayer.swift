// SPDX-License-Identifier: Apache-2.0
// The layers that a recipe can name, and a recipe's `layers` list.

import MTLFast

/// A layer as recipes write it: `kind: settings`, or `kind` alone.
protocol RecipeLayer: Layer {
  static var variant: Variant<GraphLayer> { get }
}

extension RecipeLayer {
  /// - Parameters:
  ///   - plain: what `kind` alone means; nil for a layer that needs settings.
  ///   - example: settings that would do, for layers that need some.
  static func variant(
    _ sentence: String, _ schema: MappingSchema<Self>, plain: Self? = nil, example: String = "{}"
  ) -> Variant<GraphLayer> {
    Variant(kind, sentence, schema, plain: plain, example: example, make: \.graphLayer) { $0.layer as? Self }
  }
}

/// A layer without settings.
protocol PlainRecipeLayer: RecipeLayer {
  init()
  /// What it does, in a sentence without a full stop.
  static var sentence: String { get }
}

extension PlainRecipeLayer {
  static var variant: Variant<GraphLayer> {
    variant(sentence, MappingSchema([]) { _ throws(RecipeMistake) in Self() }, plain: Self())
  }
}

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

  static let variants = Variants<GraphLayer>("a layer", unknown: "layer", recipeLayers.map { $0.variant }) { count in
    "an entry of layers names one layer but has \(count) keys. Begin each layer with its own '-'."
  }
}

extension ValueType where Value == [GraphLayer] {
  /// A list such as `[conv2d: {filters: 32, kernel: 3}, flatten, dense: 10]`.
  static func layers(of owner: String) -> ValueType {
    ValueType(
      .list(.reference("layer"), count: 0...Int.max),
      read: { node, _, mistakes in
        guard let items = mistakes.note({ () throws(RecipeMistake) in try node.items("layers of \(owner)") }) else {
          return nil
        }
        let layers = items.compactMap { item -> GraphLayer? in
          if case .sequence = item.content {
            mistakes.add(
              item.location, "an entry of layers must name a layer: 'flatten' or 'dense: 10'. Received: a list.")
            return nil
          }
          return GraphLayer.variants.read(item, in: owner, mistakes)
        }
        return layers.count == items.count ? layers : nil
      }, write: { layers in .block(.list(layers.map { .block(GraphLayer.variants.write($0)) })) })
  }
}

/// Bounds that keep every product of sizes within an Int.
enum RecipeLayerLimits {
  static let units = 1...1 << 20
  static let window = 1...1 << 10
}

extension ValueType where Value == Padding {
  /// `valid`, `same` or `[top, bottom, left, right]`.
  static var padding: ValueType {
    let limit = 0...RecipeLayerLimits.window.upperBound
    return ValueType(
      .any([.choice(["valid", "same"]), .list(.integer(limit), count: 4...4)]),
      parse: { node, name throws(RecipeMistake) in
        let known = "\(name) must be valid, same or [top, bottom, left, right]."
        if case .sequence(let items) = node.content {
          guard items.count == 4 else { throw node.location.error("\(known) Received: a list of \(items.count).") }
          let sides = try items.map { (item) throws(RecipeMistake) in try item.integer(name, in: limit) }
          return .explicit(top: sides[0], bottom: sides[1], left: sides[2], right: sides[3])
        }
        switch try node.text(name) {
        case "valid": return .valid
        case "same": return .same
        case let text: throw node.location.error("\(known) Received: '\(text)'.")
        }
      },
      write: { padding in
        switch padding {
        case .explicit(let top, let bottom, let left, let right):
          .list([.plain(top), .plain(bottom), .plain(left), .plain(right)])
        default: .plain("\(padding)")
        }
      })
  }
}

/// The keys that several layers share.
extension Key where Value == Activation {
  static func activation(get: @escaping (Owner) -> Activation) -> Key {
    .standard("activation", .choice, .none, "What is done with each output", get: get)
  }
}

extension Key where Value == Initializer {
  static func initializer(get: @escaping (Owner) -> Initializer) -> Key {
    .standard("initializer", .choice, .glorotUniform, "How the kernel's first values are drawn", get: get)
  }
}

extension Key where Value == Padding {
  static func padding(get: @escaping (Owner) -> Padding) -> Key {
    .standard(
      "padding", .padding, .valid,
      "`valid` adds nothing, `same` zeros so that a stride of 1 keeps the size, or zeros as [top, bottom, left, right]",
      get: get)
  }
}
