// SPDX-License-Identifier: Apache-2.0
// A recipe's heads: from YAML values to what is learnt by which loss.

import MTLFast

extension Recipe.Head {
  init(_ entry: YAMLNode.Entry) throws {
    name = entry.key
    let reader = try MappingReader(
      entry.value, "head '\(name)'",
      known: ["from", "layers", "weight", "loss", "metrics", "class_weights", "label_smoothing"])
    from = try reader.required("from").oneOrMoreNames("from")
    layers = try reader.optional("layers").map { try GraphLayer.list($0, of: "head '\(entry.key)'") } ?? []
    weight = try reader.optional("weight")?.number("weight", "a number of 0 or more") { $0 >= 0 } ?? 1
    loss = try reader.optional("loss").map(Self.loss)
    metrics = try reader.optional("metrics").map(Self.metrics)
    classWeights = try reader.optional("class_weights").map(Self.classWeights)
    labelSmoothing =
      try reader.optional("label_smoothing")?
      .number("label_smoothing", "a number from 0 to less than 1") { $0 >= 0 && $0 < 1 } ?? 0
  }

  /// `dice`, or `huber: {delta: 2}`.
  private static func loss(_ node: YAMLNode) throws -> Loss {
    var name: String
    var location = node.location
    var settings: YAMLNode?
    if case .mapping(let entries) = node.content {
      guard let entry = entries.first, entries.count == 1 else {
        throw node.location.error("loss names one loss. Received: \(entries.count) keys.")
      }
      (name, location) = (entry.key, entry.location)
      if !entry.value.isNothing { settings = entry.value }
    } else {
      name = try node.text("loss")
    }
    guard let loss = Loss.all.first(where: { $0.name == name }) else {
      throw location.error(unknownName("loss name", name, in: "loss", known: Loss.all.map(\.name)))
    }
    guard let settings else { return loss }
    guard case .huber(let standard) = loss else {
      _ = try MappingReader(settings, name, known: [])
      return loss
    }
    let reader = try MappingReader(settings, name, known: ["delta"])
    return .huber(delta: try reader.optional("delta")?.number("delta", "a number above 0") { $0 > 0 } ?? standard)
  }

  private static func metrics(_ node: YAMLNode) throws -> [Metric] {
    var metrics: [Metric] = []
    for item in try node.items("metrics") {
      let name = try item.text("a metric")
      guard let metric = Metric(name: name) else {
        throw item.location.error(unknownName("metric", name, in: "metrics", known: knownMetrics))
      }
      guard !metrics.contains(metric) else { throw item.location.error("'\(name)' is twice in metrics. Keep one.") }
      metrics.append(metric)
    }
    guard !metrics.isEmpty else { throw node.location.error("metrics is empty. Name one, or leave metrics out.") }
    return metrics
  }

  private static let knownMetrics = [
    Metric.accuracy, .topK(5), .balancedAccuracy, .consistency, .pixelAccuracy, .intersectionOverUnion, .dice,
    .meanAbsoluteError, .rootMeanSquaredError, .r2,
  ].map(\.name)

  /// `auto`, `[1, 2]` or `{rare: 4}`.
  private static func classWeights(_ node: YAMLNode) throws -> Recipe.ClassWeights {
    func weight(_ node: YAMLNode) throws -> Float {
      try node.number("a class weight", "a number of 0 or more") { $0 >= 0 }
    }
    switch node.content {
    case .sequence(let items): return .list(try items.map(weight))
    case .mapping(let entries):
      return .named(try entries.map { Recipe.ClassWeight(name: $0.key, weight: try weight($0.value)) })
    case .scalar("auto", isPlain: _): return .automatic
    case .scalar:
      throw node.location.error(
        "class_weights must be auto, a list of numbers or {class: number}. Received: \(node.kindDescription).")
    }
  }
}
