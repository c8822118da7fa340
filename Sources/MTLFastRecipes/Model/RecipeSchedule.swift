// SPDX-License-Identifier: Apache-2.0
// A recipe's learning-rate schedule: from YAML values and back.

import MTLFast

extension LearningRateSchedule {
  /// `cosine`, or `{one_cycle: {peak: 0.3, warm_up: 1}}`.
  init(_ node: YAMLNode) throws {
    var name: String
    var location = node.location
    var settings = YAMLNode(content: .mapping([]), location: node.location)
    if case .mapping(let entries) = node.content {
      guard let entry = entries.first, entries.count == 1 else {
        throw node.location.error("schedule names one schedule. Received: \(entries.count) keys.")
      }
      (name, location) = (entry.key, entry.location)
      if !entry.value.isNothing { settings = entry.value }
    } else {
      name = try node.text("schedule")
    }
    func share(_ reader: MappingReader, _ key: String, _ standard: Double) throws -> Double {
      try reader.optional(key)?.decimal(key, "a number from 0 to 1") { $0 >= 0 && $0 <= 1 } ?? standard
    }
    let keys = [
      "constant": [], "step": ["every", "factor"], "cosine": ["final"], "one_cycle": ["peak", "start", "final"],
    ]
    guard let known = keys[name] else {
      throw location.error(unknownName("schedule", name, in: "training", known: Array(keys.keys)))
    }
    let reader = try MappingReader(settings, name, known: known + ["warm_up"])
    let shape: Shape
    switch name {
    case "step":
      shape = .step(
        epochs: try reader.optional("every")?.integer("every", in: 1...1_000_000) ?? 10,
        factor: try reader.optional("factor")?.decimal("factor", "a number above 0") { $0 > 0 } ?? 0.5)
    case "cosine": shape = .cosine(final: try share(reader, "final", 0))
    case "one_cycle":
      shape = .oneCycle(
        peak: try reader.optional("peak")?
          .decimal("peak", "a share of the training between 0 and 1") { $0 > 0 && $0 < 1 } ?? 0.3,
        start: try share(reader, "start", 0.04), final: try share(reader, "final", 0.0001))
    default: shape = .constant
    }
    let warmUp = try reader.optional("warm_up")?.decimal("warm_up", "0 or more epochs") { $0 >= 0 } ?? 0
    self.init(shape, warmUp: warmUp)
  }

  /// `{cosine: {final: 0}}`; every number reads back to the same bits.
  var recipeText: String {
    let (name, settings) =
      switch shape {
      case .constant: ("constant", [String]())
      case .step(let epochs, let factor): ("step", ["every: \(epochs)", "factor: \(shortText(factor))"])
      case .cosine(let final): ("cosine", ["final: \(shortText(final))"])
      case .oneCycle(let peak, let start, let final):
        ("one_cycle", ["peak: \(shortText(peak))", "start: \(shortText(start))", "final: \(shortText(final))"])
      }
    return "{\(name): \(yamlFlow(settings + (warmUp == 0 ? [] : ["warm_up: \(shortText(warmUp))"])))}"
  }
}
