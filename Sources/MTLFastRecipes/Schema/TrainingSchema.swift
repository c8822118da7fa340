// SPDX-License-Identifier: Apache-2.0
// The keys of `training`.

import MTLFast
import MTLFastTraining

extension Recipe.Training {
  static let schema: MappingSchema<Recipe.Training> = {
    let standard = Recipe.Training()
    let optimizer = Key<Self, Optimizer>.standard(
      "optimizer", Optimizer.variants.type(in: "training"), standard.optimizer, "A name, or a name with settings",
      get: \.optimizer)
    let batchSize = Key<Self, Int>.standard(
      "batch_size", .integer(1...1 << 20), standard.batchSize,
      "How many samples a step takes; the last, smaller one of an epoch is trained too", get: \.batchSize)
    let epochs = Key<Self, Int>.standard(
      "epochs", .integer(1...1_000_000), standard.epochs, "How often all training samples are taken", get: \.epochs)
    let seed = Key<Self, UInt64>.standard(
      "seed", .seed, standard.seed, "Of weights, order, dropout and augmentation", get: \.seed)
    let report = Key<Self, Recipe.Report>.standard(
      "report", .choice, standard.report,
      "`test` scores the test part after every epoch; nothing is chosen by it", get: \.report)
    let schedule = Key<Self, LearningRateSchedule>.standard(
      "schedule", LearningRateSchedule.variants.type(in: "training"), standard.schedule,
      "How the [learning rate changes](#schedules)", get: { $0.schedule == .constant ? nil : $0.schedule })
    let clipping = Key<Self, Float>.optional(
      "gradient_clipping", .number(.positive),
      "The most that the 2-norm of all gradients together may be: longer ones are scaled down to it",
      get: \.gradientClipping)
    let freeze = Key<Self, [String]>.optional(
      "freeze", .oneOrMoreNames, "Nodes, heads or layers (`item.dense_1`) whose weights stay as they are",
      get: { $0.freeze.isEmpty ? nil : $0.freeze })
    let best = Key<Self, String>.optional(
      "best", .expression, "The expression that tells [which model is the best](#the-best-model); without it `loss`",
      get: \.best)
    let bestPerTask = Key<Self, Bool>.standard(
      "best_per_task", .boolean, standard.bestPerTask, "Whether the best model of each task is kept too",
      get: { $0.bestPerTask ? true : nil })
    let stopping = Key<Self, Recipe.EarlyStopping>.optional(
      "early_stopping", Recipe.EarlyStopping.schema.type(), "When a [training ends early](#early-stopping)",
      get: \.earlyStopping)
    return MappingSchema(
      [
        AnyKey(optimizer), AnyKey(batchSize), AnyKey(epochs), AnyKey(seed), AnyKey(report), AnyKey(schedule),
        AnyKey(clipping), AnyKey(freeze), AnyKey(best), AnyKey(bestPerTask), AnyKey(stopping),
      ], later: [(key: "precision", instead: "Training is in fp32.")]
    ) { values throws(RecipeMistake) in
      Recipe.Training(
        optimizer: values[optimizer], batchSize: values[batchSize], epochs: values[epochs], seed: values[seed],
        report: values[report], schedule: values[schedule], gradientClipping: values.given(clipping),
        freeze: values.given(freeze) ?? [], best: values.given(best), bestPerTask: values[bestPerTask],
        earlyStopping: values.given(stopping))
    }
  }()
}

extension Recipe.EarlyStopping {
  /// `5`, or `{patience: 5, on: item.accuracy, min_delta: 0.001}`.
  static let schema: MappingSchema<Recipe.EarlyStopping> = {
    let patience = Key<Self, Int>.required(
      "patience", .integer(1...1_000_000), "After how many epochs in a row that aren't better", get: \.patience)
    let on = Key<Self, String>.optional(
      "on", .expression, "By which expression; without it that of `best`, or the validation loss", get: \.on)
    let minDelta = Key<Self, Double>.standard(
      "min_delta", .number(.nonNegative), 0, "By how much a value must be better to count", get: \.minDelta)
    return MappingSchema([AnyKey(patience), AnyKey(on), AnyKey(minDelta)], shorthand: "patience") {
      values throws(RecipeMistake) in
      Recipe.EarlyStopping(patience: values[patience], on: values.given(on), minDelta: values[minDelta])
    }
  }()
}

extension ValueType where Value == String {
  /// The text of a metric expression.
  fileprivate static var expression: ValueType {
    ValueType(
      .text,
      parse: { node, name throws(RecipeMistake) in
        let text = try node.text(name)
        do { _ = try MetricExpression(text) } catch {
          throw node.location.error("\(name): \((error as? MTLFastError)?.message ?? "\(error)")")
        }
        return text
      }, write: { .text($0) })
  }
}

// MARK: Optimizers

extension Optimizer {
  static let variants = Variants<Optimizer>(
    "optimizer",
    [
      Variant("adam", "Adam (Kingma and Ba, 2015)", Adam.schema(decays: false), plain: Adam()) {
        .adam($0)
      } value: {
        if case .adam(let settings) = $0, settings.weightDecay == 0 { settings } else { nil }
      },
      Variant(
        "adamw", "Adam with a weight decay of its own (Loshchilov and Hutter, 2019)", Adam.schema(decays: true),
        plain: Adam(weightDecay: Adam.standardDecay)
      ) {
        .adam($0)
      } value: {
        if case .adam(let settings) = $0 { settings } else { nil }
      },
      Variant("sgd", "Gradient descent with momentum (Sutskever et al., 2013)", SGD.schema, plain: SGD()) {
        .sgd($0)
      } value: {
        if case .sgd(let settings) = $0 { settings } else { nil }
      },
    ])
}

extension Setting where Owner: Sendable {
  /// The setting as a key of recipes.
  fileprivate func key(standard: Float, isWritten: @escaping (Float) -> Bool = { _ in true }) -> Key<Owner, Float> {
    .standard(name, .number(range), standard, sentence) { owner in
      let value = owner[keyPath: path]
      return isWritten(value) ? value : nil
    }
  }
}

extension Optimizer.Adam {
  /// Of `adamw`, unless another one is given.
  fileprivate static let standardDecay: Float = 0.01

  fileprivate static func schema(decays: Bool) -> MappingSchema<Self> {
    let standard = Self(weightDecay: decays ? standardDecay : 0)
    let keys = settings.filter { decays || $0.path != \.weightDecay }.map {
      $0.key(standard: standard[keyPath: $0.path])
    }
    return MappingSchema(
      keys.map(AnyKey.init),
      later: [(key: "weight_decay", instead: "Use adamw, whose weight decay is apart from the gradient.")]
    ) { values throws(RecipeMistake) in
      var made = standard
      for (setting, key) in zip(settings, keys) { made[keyPath: setting.path] = values[key] }
      return made
    }
  }
}

extension Optimizer.SGD {
  fileprivate static let schema: MappingSchema<Self> = {
    let keys = settings.map { setting in
      setting.key(standard: Self()[keyPath: setting.path], isWritten: { setting.path != \.weightDecay || $0 > 0 })
    }
    return MappingSchema(keys.map(AnyKey.init)) { values throws(RecipeMistake) in
      var made = Self()
      for (setting, key) in zip(settings, keys) { made[keyPath: setting.path] = values[key] }
      return made
    }
  }()
}

// MARK: Schedules

extension LearningRateSchedule {
  /// The keys of one schedule and `warm_up`.
  private static func schema(
    _ keys: [AnyKey<LearningRateSchedule>], shape: @escaping (Values) throws(RecipeMistake) -> Shape
  ) -> MappingSchema<LearningRateSchedule> {
    let warmUp = Key<LearningRateSchedule, Double>.standard(
      "warm_up", .number(.nonNegative, "0 or more epochs"), 0,
      "Epochs, or a part of one, over which the rate grows from near 0 to its own",
      get: { $0.warmUp == 0 ? nil : $0.warmUp })
    return MappingSchema(keys + [AnyKey(warmUp)]) { values throws(RecipeMistake) in
      LearningRateSchedule(try shape(values), warmUp: values[warmUp])
    }
  }

  private typealias ShapeKey<Value> = Key<LearningRateSchedule, Value>

  private static let constantSchema = schema([]) { _ throws(RecipeMistake) in .constant }

  private static let stepSchema: MappingSchema<LearningRateSchedule> = {
    let every = ShapeKey<Int>.standard(
      "every", .integer(1...1_000_000), 10, "After how many epochs the rate is multiplied",
      get: { if case .step(let epochs, _) = $0.shape { epochs } else { nil } })
    let factor = ShapeKey<Double>.standard(
      "factor", .number(.positive), 0.5, "By what it is multiplied",
      get: { if case .step(_, let factor) = $0.shape { factor } else { nil } })
    return schema([AnyKey(every), AnyKey(factor)]) { values throws(RecipeMistake) in
      .step(epochs: values[every], factor: values[factor])
    }
  }()

  private static let cosineSchema: MappingSchema<LearningRateSchedule> = {
    let final = ShapeKey<Double>.standard(
      "final", .number(.share), 0, "The share of the rate at the end",
      get: { if case .cosine(let final) = $0.shape { final } else { nil } })
    return schema([AnyKey(final)]) { values throws(RecipeMistake) in .cosine(final: values[final]) }
  }()

  private static let oneCycleSchema: MappingSchema<LearningRateSchedule> = {
    let peak = ShapeKey<Double>.standard(
      "peak", .number(.properShare, "a share of the training between 0 and 1"), 0.3,
      "The share of the training after which the rate is whole",
      get: { if case .oneCycle(let peak, _, _) = $0.shape { peak } else { nil } })
    let start = ShapeKey<Double>.standard(
      "start", .number(.share), 0.04, "The share of the rate at the beginning",
      get: { if case .oneCycle(_, let start, _) = $0.shape { start } else { nil } })
    let final = ShapeKey<Double>.standard(
      "final", .number(.share), 0.0001, "The share of the rate at the end",
      get: { if case .oneCycle(_, _, let final) = $0.shape { final } else { nil } })
    return schema([AnyKey(peak), AnyKey(start), AnyKey(final)]) { values throws(RecipeMistake) in
      .oneCycle(peak: values[peak], start: values[start], final: values[final])
    }
  }()

  static let variants: Variants<LearningRateSchedule> = {
    func variant(
      _ name: String, _ sentence: String, _ schema: MappingSchema<LearningRateSchedule>,
      _ isOwn: @escaping (Shape) -> Bool
    ) -> Variant<LearningRateSchedule> {
      // What the keys' standards make.
      let plain = schema.read(
        YAMLNode(content: .mapping([]), location: .option(name)), name, Mistakes())
      return Variant(name, sentence, schema, plain: plain, make: { $0 }, value: { isOwn($0.shape) ? $0 : nil })
    }
    return Variants(
      "schedule",
      [
        variant("constant", "The factor is 1", constantSchema) { $0 == .constant },
        variant("step", "Times `factor` after every so many epochs", stepSchema) {
          if case .step = $0 { true } else { false }
        },
        variant(
          "cosine", "Half a cosine from 1 down to `final` in the last step (Loshchilov and Hutter, 2017)", cosineSchema
        ) {
          if case .cosine = $0 { true } else { false }
        },
        variant(
          "one_cycle",
          "Half a cosine from `start` up to 1 at the share `peak` of the training, another down to `final` (Smith and Topin, 2018)",
          oneCycleSchema
        ) {
          if case .oneCycle = $0 { true } else { false }
        },
      ])
  }()
}
