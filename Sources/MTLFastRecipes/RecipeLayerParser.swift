// SPDX-License-Identifier: Apache-2.0
// A recipe's `layers` list: from YAML values to layers.

import MTLFast

extension RecipeLayer {
  /// The layer names of a recipe, as in `kind` of each layer.
  static let names = [
    Conv2D.kind, MaxPool2D.kind, AvgPool2D.kind, GlobalAveragePool2D.kind, Dense.kind, ReLU.kind, Sigmoid.kind,
    Dropout.kind, BatchNorm.kind, Flatten.kind, Reshape.kind, Upsample2D.kind, Concatenate.kind, Add.kind,
  ]

  /// Layers without settings.
  private static let plain: [RecipeLayer] = [
    .globalAveragePool2d(GlobalAveragePool2D()), .relu(ReLU()), .sigmoid(Sigmoid()), .flatten(Flatten()),
    .concatenate(Concatenate()), .add(Add()),
  ]

  /// Parses a list such as `[conv2d: {filters: 32, kernel: 3}, flatten, dense: 10]`.
  static func list(_ node: YAMLNode, of owner: String) throws -> [RecipeLayer] {
    try node.items("layers of \(owner)").map { try RecipeLayer($0, of: owner) }
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

    if let layer = Self.plain.first(where: { type(of: $0.layer).kind == name }) {
      if let settings { _ = try MappingReader(settings, name, known: []) }
      self = layer
      return
    }
    switch name {
    case Conv2D.kind:
      self = .conv2d(try Self.conv2d(try Self.required(settings, name, "{filters: 32, kernel: 3}", at: location)))
    case MaxPool2D.kind: self = .maxPool2d(try Self.pool(try Self.required(settings, name, "2", at: location)))
    case AvgPool2D.kind: self = .avgPool2d(try Self.pool(try Self.required(settings, name, "2", at: location)))
    case Dense.kind: self = .dense(try Self.dense(try Self.required(settings, name, "10", at: location)))
    case Dropout.kind: self = .dropout(try Self.dropout(try Self.required(settings, name, "0.5", at: location)))
    case BatchNorm.kind: self = .batchNorm(try Self.batchNorm(settings))
    case Reshape.kind:
      self = .reshape(try Self.reshape(try Self.required(settings, name, "[8, 8, 64]", at: location)))
    case Upsample2D.kind: self = .upsample2d(try Self.upsample2d(try Self.required(settings, name, "2", at: location)))
    default:
      throw location.error(unknownName("layer", name, in: owner, known: Self.names))
    }
  }

  private static func required(
    _ settings: YAMLNode?, _ name: String, _ example: String, at location: SourceLocation
  ) throws -> YAMLNode {
    guard let settings else { throw location.error("\(name) needs its settings, such as '\(name): \(example)'.") }
    return settings
  }

  private static func conv2d(_ node: YAMLNode) throws -> Conv2D {
    let reader = try MappingReader(
      node, Conv2D.kind, known: ["filters", "kernel", "stride", "padding", "activation", "initializer"],
      later: [(key: "dilation", instead: "Use a larger kernel.")])
    return Conv2D(
      filters: try reader.required("filters").integer("filters", in: 1...maximumUnits),
      kernelSize: try reader.required("kernel").size("kernel", in: 1...maximumWindow),
      stride: try reader.optional("stride")?.size("stride", in: 1...maximumWindow) ?? (1, 1),
      padding: try reader.optional("padding").map(padding) ?? .valid,
      activation: try reader.optional("activation")?.choice("activation") ?? .none,
      initializer: try reader.optional("initializer")?.choice("initializer") ?? .glorotUniform)
  }

  private static func pool<Pool: Pool2D>(_ node: YAMLNode) throws -> Pool {
    guard case .mapping = node.content else {
      return Pool(poolSize: try node.size(Pool.kind, in: 1...maximumWindow), stride: nil, padding: .valid)
    }
    let reader = try MappingReader(node, Pool.kind, known: ["size", "stride", "padding"])
    return Pool(
      poolSize: try reader.required("size").size("size", in: 1...maximumWindow),
      stride: try reader.optional("stride")?.size("stride", in: 1...maximumWindow),
      padding: try reader.optional("padding").map(padding) ?? .valid)
  }

  private static func dense(_ node: YAMLNode) throws -> Dense {
    guard case .mapping = node.content else {
      return Dense(units: try node.integer(Dense.kind, in: 1...maximumUnits))
    }
    let reader = try MappingReader(node, Dense.kind, known: ["units", "activation", "initializer"])
    return Dense(
      units: try reader.required("units").integer("units", in: 1...maximumUnits),
      activation: try reader.optional("activation")?.choice("activation") ?? .none,
      initializer: try reader.optional("initializer")?.choice("initializer") ?? .glorotUniform)
  }

  private static func dropout(_ node: YAMLNode) throws -> Dropout {
    var value = node
    if case .mapping = node.content {
      value = try MappingReader(node, Dropout.kind, known: ["rate"]).required("rate")
    }
    return Dropout(rate: try value.number("rate", "a number from 0 to less than 1") { $0 >= 0 && $0 < 1 })
  }

  private static func batchNorm(_ node: YAMLNode?) throws -> BatchNorm {
    guard let node else { return BatchNorm() }
    let reader = try MappingReader(node, BatchNorm.kind, known: ["momentum", "epsilon"])
    return BatchNorm(
      momentum: try reader.optional("momentum")?
        .number("momentum", "a number from 0 to less than 1") { $0 >= 0 && $0 < 1 } ?? BatchNorm().momentum,
      epsilon: try reader.optional("epsilon")?.number("epsilon", "a number above 0") { $0 > 0 } ?? BatchNorm().epsilon)
  }

  private static func reshape(_ node: YAMLNode) throws -> Reshape {
    let sizes = try node.items(Reshape.kind).map { try $0.integer(Reshape.kind, in: 1...maximumUnits) }
    guard sizes.count == 1 || sizes.count == 3 else {
      throw node.location.error("reshape must be [height, width, channels] or [count]. Received: \(sizes).")
    }
    return Reshape(Shape(sizes))
  }

  private static func upsample2d(_ node: YAMLNode) throws -> Upsample2D {
    var value = node
    if case .mapping = node.content {
      value = try MappingReader(node, Upsample2D.kind, known: ["scale"]).required("scale")
    }
    return Upsample2D(scale: try value.size("scale", in: 1...maximumWindow))
  }

  private static func padding(_ node: YAMLNode) throws -> Padding {
    if case .sequence(let items) = node.content {
      guard items.count == 4 else {
        throw node.location.error(
          "padding must be valid, same or [top, bottom, left, right]. Received: a list of \(items.count).")
      }
      let sides = try items.map { try $0.integer("padding", in: 0...maximumWindow) }
      return .explicit(top: sides[0], bottom: sides[1], left: sides[2], right: sides[3])
    }
    switch try node.text("padding") {
    case "valid": return .valid
    case "same": return .same
    case let text:
      throw node.location.error(
        "padding must be valid, same or [top, bottom, left, right]. Received: '\(text)'.")
    }
  }

  /// Bounds that keep every product of sizes within an Int.
  private static let maximumUnits = 1 << 20
  private static let maximumWindow = 1 << 10
}
