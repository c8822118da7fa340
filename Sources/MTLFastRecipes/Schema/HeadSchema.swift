// SPDX-License-Identifier: Apache-2.0
// The keys of a head: what is learnt by which loss.

import MTLFast

extension Recipe.Head {
  static func schema(of name: String) -> MappingSchema<Recipe.Head> {
    let from = Key<Self, [String]>.required(
      "from", .oneOrMoreNames, "What the head reads: an input, a node, one of a node's layers, or a list of them",
      get: \.from)
    let layers = Key<Self, [GraphLayer]>.standard(
      "layers", .layers(of: "head '\(name)'"), [], "Layers of the head's own, before its output layer", get: \.layers)
    let weight = Key<Self, Float>.standard(
      "weight", .number(.nonNegative), 1, "The factor of its loss in the sum; not all may be 0", get: \.weight)
    let loss = Key<Self, Loss>.optional(
      "loss", Loss.variants.type(in: "loss"), "The [loss](#losses); without it the one that follows from the task",
      get: \.loss)
    let metrics = Key<Self, [Metric]>.optional(
      "metrics", .metrics,
      "The [metrics](#metrics), of which the first stands in the table of epochs; without it all that fit the task",
      get: \.metrics)
    let classWeights = Key<Self, Recipe.ClassWeights>.optional(
      "class_weights", .classWeights,
      "Factors of the classes in the loss: `auto`, a list in class order, or `{rare: 4}` (the others have 1)",
      get: \.classWeights)
    let labelSmoothing = Key<Self, Float>.standard(
      "label_smoothing", .number(.belowOne), 0,
      "The share of each label that is spread over all classes; with cross-entropy only",
      get: { $0.labelSmoothing == 0 ? nil : $0.labelSmoothing })
    return MappingSchema([
      AnyKey(from), AnyKey(layers), AnyKey(weight), AnyKey(loss), AnyKey(metrics), AnyKey(classWeights),
      AnyKey(labelSmoothing),
    ]) { values throws(RecipeMistake) in
      Recipe.Head(
        name: name, from: values[from], layers: values[layers], weight: values[weight], loss: values.given(loss),
        metrics: values.given(metrics), classWeights: values.given(classWeights),
        labelSmoothing: values[labelSmoothing])
    }
  }
}

extension Loss {
  private struct Huber {
    let delta: Float

    static let schema: MappingSchema<Huber> = {
      let delta = Key<Huber, Float>.standard(
        "delta", .number(.positive), 1, "The error from which on the loss grows in a straight line", get: \.delta)
      return MappingSchema([AnyKey(delta)]) { values throws(RecipeMistake) in Huber(delta: values[delta]) }
    }()
  }

  /// A loss without settings.
  private static func plain(_ loss: Loss, _ sentence: String) -> Variant<Loss> {
    Variant(
      loss.name, sentence, .empty, plain: NoSettings(), make: { _ in loss },
      value: { $0 == loss ? NoSettings() : nil })
  }

  static let variants = Variants<Loss>(
    "loss", unknown: "loss name",
    [
      plain(.softmaxCrossEntropy, "Of classes, and classes of pixels: their default"),
      plain(.binaryCrossEntropy, "Of masks, their default, and of tasks of two classes"),
      plain(.dice, "Of masks: 1 - (2 sum pt + 1) / (sum p + sum t + 1)"),
      plain(.binaryCrossEntropyDice, "Of masks: the sum of both"),
      plain(.meanSquaredError, "Of numbers: their default"), plain(.meanAbsoluteError, "Of numbers"),
      Variant("huber", "Of numbers: squared up to `delta`, absolute beyond", Huber.schema, plain: Huber(delta: 1)) {
        .huber(delta: $0.delta)
      } value: { loss in
        if case .huber(let delta) = loss { Huber(delta: delta) } else { nil }
      },
    ])
}

/// What has no settings.
struct NoSettings {}

extension MappingSchema where Owner == NoSettings {
  static var empty: MappingSchema { MappingSchema([]) { _ throws(RecipeMistake) in NoSettings() } }
}

extension ValueType where Value == [Metric] {
  static var metrics: ValueType {
    let known =
      [
        Metric.accuracy, .topK(5), .balancedAccuracy, .consistency, .pixelAccuracy, .intersectionOverUnion, .dice,
        .meanAbsoluteError, .rootMeanSquaredError, .r2,
      ].map(\.name)
    let words = known.filter { $0 != Metric.topK(5).name }
    return ValueType(
      .list(.any([.choice(words), .pattern("^top_[1-9][0-9]*_accuracy$")]), count: 1...Int.max, isUnique: true),
      read: { node, name, mistakes in
        guard let items = mistakes.note({ () throws(RecipeMistake) in try node.items(name) }) else { return nil }
        let before = mistakes.count
        var metrics: [Metric] = []
        for item in items {
          mistakes.note { () throws(RecipeMistake) in
            let text = try item.text("a metric")
            guard let metric = Metric(name: text) else {
              throw item.location.error(unknownWord("metric", text, in: name, known: known))
            }
            guard !metrics.contains(metric) else {
              throw item.location.error("'\(text)' is twice in metrics. Keep one.")
            }
            metrics.append(metric)
          }
        }
        if items.isEmpty { mistakes.add(node.location, "metrics is empty. Name one, or leave metrics out.") }
        return mistakes.count == before ? metrics : nil
      }, write: { .list($0.map { .text($0.name) }) })
  }
}

extension ValueType where Value == Recipe.ClassWeights {
  /// `auto`, `[1, 2]` or `{rare: 4}`.
  static var classWeights: ValueType {
    func weight(_ node: YAMLNode) throws(RecipeMistake) -> Float {
      try node.number("a class weight", "\(NumberRange.nonNegative)") { $0 >= 0 }
    }
    return ValueType(
      .any([
        .choice(["auto"]), .list(.number(.nonNegative), count: 0...Int.max),
        .names(.number(.nonNegative), atLeast: 0),
      ]),
      parse: { node, name throws(RecipeMistake) in
        switch node.content {
        case .sequence(let items): return .list(try items.map { (item) throws(RecipeMistake) in try weight(item) })
        case .mapping(let entries):
          return .named(
            try entries.map { (entry) throws(RecipeMistake) in
              Recipe.ClassWeight(name: entry.key, weight: try weight(entry.value))
            })
        case .scalar("auto", isPlain: _): return .automatic
        case .scalar:
          throw node.location.error(
            "\(name) must be auto, a list of numbers or {class: number}. Received: \(node.kindDescription).")
        }
      },
      write: { weights in
        switch weights {
        case .automatic: .plain("auto")
        case .list(let weights): .list(weights.map { .plain($0) })
        case .named(let weights): .mapping(weights.map { .init($0.name, .plain($0.weight)) })
        }
      })
  }
}
