// SPDX-License-Identifier: Apache-2.0
// A recipe as YAML text: what a run folder and a checkpoint keep.

import MTLFast
import MTLFastData

extension Recipe {
  /// This recipe as YAML with every setting written out, always in the same order: parsing it gives this recipe again,
  /// every number with the same bits.
  ///
  /// Nothing of the machine or the command line is in it: no threads, folders, times.
  public func yaml() -> String {
    var lines = ["recipe: 1", "name: \(quoted(name))", ""]
    if let stream = data.streams.first, stream.name == nil {
      lines.append("data: \(yamlFlow(stream.settings))")
    } else {
      lines += ["data:", "  streams:"]
      lines += data.streams.map { "    \($0.name ?? ""): \(yamlFlow($0.settings))" }
    }
    lines += ["", "inputs:"]
    lines += inputs.map { "  \($0.name): \(yamlFlow($0.settings(of: data.stream(named: $0.stream)?.source)))" }
    lines += ["", "tasks:"]
    lines += tasks.map { "  \($0.name): \(yamlFlow($0.settings))" }
    if !nodes.isEmpty { lines += ["", "model:"] }
    for node in nodes {
      lines += ["  \(node.name):", "    from: \(reference(node.from))"] + layerLines(node.layers)
    }
    lines += ["", "heads:"]
    for head in heads {
      lines += ["  \(head.name):", "    from: \(reference(head.from))"] + layerLines(head.layers)
      lines += head.settings.map { "    \($0)" }
    }
    lines += ["", "training:"] + training.settings.map { "  \($0)" } + [""]
    return lines.joined(separator: "\n")
  }

  private func layerLines(_ layers: [GraphLayer]) -> [String] {
    layers.isEmpty ? ["    layers: []"] : ["    layers:"] + layers.map { "      - \($0.recipeText)" }
  }

  private func reference(_ names: [String]) -> String {
    if let name = names.first, names.count == 1 { return quoted(name) }
    return yamlList(names)
  }
}

extension Recipe.Input {
  fileprivate func settings(of source: Recipe.Source?) -> [String] {
    var settings: [String] = []
    switch values {
    case .column(let column, let shape):
      settings.append("shape: \(yamlList(shape.dimensions))")
      let isNamedSo = column == name
      if let stream {
        settings.append("from: \(quoted(isNamedSo ? stream : "\(stream).\(column)"))")
      } else if !isNamedSo {
        settings.append("from: \(quoted(column))")
      }
    case .columns(let columns):
      settings.append("columns: \(yamlList(columns))")
      if let stream { settings.append("from: \(quoted(stream))") }
    case .allColumns:
      settings.append("columns: all")
      if let stream { settings.append("from: \(quoted(stream))") }
    }
    settings.append("scale: \(scale)")
    if source?.holdsImageFiles == true, shape?.isImage == true { settings.append("fit: \(fit.rawValue)") }
    settings += normalization.settings
    if let augmentation {
      settings.append(
        "augment: {flip: \(augmentation.flip), pad: \(augmentation.pad), cutout: \(augmentation.cutout)}")
    }
    return settings
  }
}

extension Recipe.Normalization {
  fileprivate var settings: [String] {
    switch self {
    case .none: ["normalize: false"]
    case .training: ["normalize: true"]
    case .by(let mean, let deviation): ["mean: \(yamlList(mean))", "standard_deviation: \(yamlList(deviation))"]
    }
  }
}

extension Recipe.Task {
  fileprivate var settings: [String] {
    switch target {
    case .labels(let labels):
      var settings = ["labels: \(quoted(labels.column))"]
      if let groups = labels.groups { settings.append("map: \(yamlFlow(groups.map(\.settings)))") }
      if let classes = labels.classes { settings.append("classes: \(classes.text)") }
      if let parent = labels.parent {
        let classes = parent.classes.map { "{task: \(parent.task), classes: \(yamlList($0))}" }
        settings.append("parent: \(classes ?? parent.task)")
      }
      return settings
    case .values(let numbers):
      let columns =
        numbers.columns.count == 1 ? "target: \(quoted(numbers.columns[0]))" : "targets: \(yamlList(numbers.columns))"
      return [columns] + numbers.normalization.settings
    case .mask(let mask):
      var settings = ["mask: \(quoted(mask.column))"]
      switch mask.meaning {
      case .classes(let classes): settings.append("classes: \(classes.text)")
      case .groups(let groups): settings.append("map: \(yamlFlow(groups.map(\.settings)))")
      case .channels(let names): settings.append("masks: \(yamlList(names))")
      }
      if !mask.ignored.isEmpty { settings.append("ignore: \(yamlList(mask.ignored))") }
      return settings
    }
  }
}

extension Recipe.Group {
  fileprivate var settings: String { "\(quoted(name)): \(yamlList(labels))" }
}

extension Recipe.ClassNames {
  fileprivate var text: String {
    switch self {
    case .names(let names): yamlList(names)
    case .file(let path): quoted(path)
    }
  }
}

extension Recipe.Head {
  fileprivate var settings: [String] {
    var settings = ["weight: \(shortText(weight))"]
    switch loss {
    case .huber(let delta)?: settings.append("loss: {huber: {delta: \(shortText(delta))}}")
    case let loss?: settings.append("loss: \(loss.name)")
    case nil: break
    }
    if let metrics { settings.append("metrics: \(yamlList(metrics.map(\.name)))") }
    switch classWeights {
    case .automatic?: settings.append("class_weights: auto")
    case .list(let weights)?: settings.append("class_weights: \(yamlList(weights))")
    case .named(let weights)?:
      settings.append("class_weights: \(yamlFlow(weights.map { "\(quoted($0.name)): \(shortText($0.weight))" }))")
    case nil: break
    }
    if labelSmoothing != 0 { settings.append("label_smoothing: \(shortText(labelSmoothing))") }
    return settings
  }
}

extension Recipe.Training {
  /// What changes nothing at its default is left out.
  fileprivate var settings: [String] {
    var settings = [
      "optimizer: \(optimizer.recipeText)", "batch_size: \(batchSize)", "epochs: \(epochs)", "seed: \(seed)",
      "report: \(report.rawValue)",
    ]
    if schedule != .constant { settings.append("schedule: \(schedule.recipeText)") }
    if let gradientClipping { settings.append("gradient_clipping: \(shortText(gradientClipping))") }
    if !freeze.isEmpty { settings.append("freeze: \(yamlList(freeze))") }
    if let best { settings.append("best: \(quoted(best))") }
    if bestPerTask { settings.append("best_per_task: true") }
    if let earlyStopping {
      var stopping = ["patience: \(earlyStopping.patience)"]
      if let on = earlyStopping.on { stopping.append("on: \(quoted(on))") }
      stopping.append("min_delta: \(shortText(earlyStopping.minDelta))")
      settings.append("early_stopping: \(yamlFlow(stopping))")
    }
    return settings
  }
}

extension Optimizer {
  fileprivate var recipeText: String {
    switch self {
    case .adam(let learningRate, let beta1, let beta2, let epsilon, let weightDecay):
      let decays = weightDecay > 0
      var settings = [
        "learning_rate: \(shortText(learningRate))", "beta1: \(shortText(beta1))", "beta2: \(shortText(beta2))",
        "epsilon: \(shortText(epsilon))",
      ]
      if decays { settings.append("weight_decay: \(shortText(weightDecay))") }
      return "{\(decays ? "adamw" : "adam"): \(yamlFlow(settings))}"
    case .sgd(let learningRate, let momentum, let weightDecay):
      var settings = ["learning_rate: \(shortText(learningRate))", "momentum: \(shortText(momentum))"]
      if weightDecay > 0 { settings.append("weight_decay: \(shortText(weightDecay))") }
      return "{sgd: \(yamlFlow(settings))}"
    }
  }
}
