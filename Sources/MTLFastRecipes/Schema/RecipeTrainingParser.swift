// SPDX-License-Identifier: Apache-2.0
// A recipe's `training`: from YAML values to optimizer, batch size, epochs.

import MTLFast
import MTLFastTraining

extension Recipe.Training {
  init(_ node: YAMLNode) throws {
    let reader = try MappingReader(
      node, "training",
      known: [
        "optimizer", "batch_size", "epochs", "seed", "report", "schedule", "gradient_clipping", "freeze", "best",
        "best_per_task", "early_stopping",
      ],
      later: [(key: "precision", instead: "Training is in fp32.")])
    self.init(
      optimizer: try reader.optional("optimizer").map(Self.optimizer) ?? .adam(),
      batchSize: try reader.optional("batch_size")?.integer("batch_size", in: 1...1 << 20) ?? 64,
      epochs: try reader.optional("epochs")?.integer("epochs", in: 1...1_000_000) ?? 10,
      seed: try reader.optional("seed")?.seed("seed") ?? 0,
      report: try reader.optional("report")?.choice("report") ?? .none,
      schedule: try reader.optional("schedule").map(LearningRateSchedule.init) ?? .constant,
      gradientClipping: try reader.optional("gradient_clipping")?
        .number("gradient_clipping", "a number above 0") { $0 > 0 },
      freeze: try reader.optional("freeze")?.oneOrMoreNames("freeze") ?? [],
      best: try reader.optional("best").map { try Self.expression($0, "best") },
      bestPerTask: try reader.optional("best_per_task")?.boolean("best_per_task") ?? false,
      earlyStopping: try reader.optional("early_stopping").map(Self.earlyStopping))
  }

  /// The text of a metric expression.
  private static func expression(_ node: YAMLNode, _ key: String) throws -> String {
    let text = try node.text(key)
    do { _ = try MetricExpression(text) } catch let error as MTLFastError {
      throw node.location.error("\(key): \(error.message)")
    }
    return text
  }

  /// `5`, or `{patience: 5, on: item.accuracy, min_delta: 0.001}`.
  private static func earlyStopping(_ node: YAMLNode) throws -> Recipe.EarlyStopping {
    guard case .mapping = node.content else {
      return Recipe.EarlyStopping(patience: try node.integer("early_stopping", in: 1...1_000_000))
    }
    let reader = try MappingReader(node, "early_stopping", known: ["patience", "on", "min_delta"])
    return Recipe.EarlyStopping(
      patience: try reader.required("patience").integer("patience", in: 1...1_000_000),
      on: try reader.optional("on").map { try Self.expression($0, "on") },
      minDelta: try reader.optional("min_delta")?.decimal("min_delta", "a number of 0 or more") { $0 >= 0 } ?? 0)
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
