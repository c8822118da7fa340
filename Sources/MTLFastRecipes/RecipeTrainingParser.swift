// SPDX-License-Identifier: Apache-2.0
// A recipe's `training`: from YAML values to optimizer, batch size, epochs.

import MTLFast

extension Recipe.Training {
  init(_ node: YAMLNode) throws {
    let reader = try MappingReader(
      node, "training", known: ["optimizer", "batch_size", "epochs", "seed", "report"],
      later: [
        (key: "precision", instead: "Training is in fp32."),
        (key: "early_stopping", instead: "Set epochs."),
        (key: "schedule", instead: "Set learning_rate in the optimizer."),
        (key: "gradient_clipping", instead: "Lower learning_rate in the optimizer."),
      ])
    self.init(
      optimizer: try reader.optional("optimizer").map(Self.optimizer) ?? .adam(),
      batchSize: try reader.optional("batch_size")?.integer("batch_size", in: 1...1 << 20) ?? 64,
      epochs: try reader.optional("epochs")?.integer("epochs", in: 1...1_000_000) ?? 10,
      seed: try reader.optional("seed")?.seed("seed") ?? 0,
      report: try reader.optional("report")?.choice("report") ?? .none)
  }

  /// `adam`, or `adam: {learning_rate: 0.001}`.
  private static func optimizer(_ node: YAMLNode) throws -> Optimizer {
    var name: String
    var location = node.location
    var settings = YAMLNode(content: .mapping([]), location: node.location)
    if case .mapping(let entries) = node.content {
      guard let entry = entries.first, entries.count == 1 else {
        throw node.location.error("optimizer names one optimizer. Received: \(entries.count) keys.")
      }
      (name, location) = (entry.key, entry.location)
      if !entry.value.isNothing { settings = entry.value }
    } else {
      name = try node.text("optimizer")
    }
    func setting(_ reader: MappingReader, _ key: String, _ standard: Float, below limit: Float?, orZero: Bool) throws
      -> Float
    {
      let range =
        limit.map { "a number from 0 to less than \(shortText($0))" }
        ?? (orZero ? "a number of 0 or more" : "a number above 0")
      return try reader.optional(key)?.number(key, range) { ($0 > 0 || (orZero && $0 == 0)) && $0 < limit ?? .infinity }
        ?? standard
    }
    switch name {
    case "adam", "adamw":
      let decays = name == "adamw"
      let reader = try MappingReader(
        settings, name,
        known: ["learning_rate", "beta1", "beta2", "epsilon"] + (decays ? ["weight_decay"] : []),
        later: [(key: "weight_decay", instead: "Use adamw, whose weight decay is apart from the gradient.")])
      return .adam(
        learningRate: try setting(reader, "learning_rate", 1e-3, below: nil, orZero: false),
        beta1: try setting(reader, "beta1", 0.9, below: 1, orZero: true),
        beta2: try setting(reader, "beta2", 0.999, below: 1, orZero: true),
        epsilon: try setting(reader, "epsilon", 1e-7, below: nil, orZero: false),
        weightDecay: try setting(reader, "weight_decay", decays ? 0.01 : 0, below: nil, orZero: true))
    case "sgd":
      let reader = try MappingReader(settings, name, known: ["learning_rate", "momentum", "weight_decay"])
      return .sgd(
        learningRate: try setting(reader, "learning_rate", 0.01, below: nil, orZero: false),
        momentum: try setting(reader, "momentum", 0, below: 1, orZero: true),
        weightDecay: try setting(reader, "weight_decay", 0, below: nil, orZero: true))
    default:
      throw location.error(unknownName("optimizer", name, in: "training", known: ["adam", "adamw", "sgd"]))
    }
  }
}
