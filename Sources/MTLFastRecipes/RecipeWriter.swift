// SPDX-License-Identifier: Apache-2.0
// A recipe as YAML text: what a run folder and a checkpoint keep.

import MTLFast

extension Recipe {
  /// This recipe as YAML with every setting written out, always in the same order: parsing it gives this recipe again.
  ///
  /// Nothing of the machine or the command line is in it: no threads, folders, times.
  public func yaml() -> String {
    var lines = ["recipe: 1", "name: \(quoted(name))", ""]
    lines += ["data: {source: \(quoted(data.source)), validation: \(data.validation.rawValue)}", ""]
    lines.append("inputs:")
    for input in inputs {
      lines.append("  \(input.name): {shape: \(flow(input.shape.dimensions)), scale: \(input.scale)}")
    }
    lines += ["", "tasks:"]
    for task in tasks {
      var settings = ["labels: \(quoted(task.labels))"]
      if let groups = task.groups {
        settings.append("map: {\(groups.map { "\(quoted($0.name)): \(flow($0.labels))" }.joined(separator: ", "))}")
      }
      if let classes = task.classes { settings.append("classes: [\(classes.map(quoted).joined(separator: ", "))]") }
      lines.append("  \(task.name): {\(settings.joined(separator: ", "))}")
    }
    if !nodes.isEmpty { lines += ["", "model:"] }
    for node in nodes {
      lines += ["  \(node.name):", "    from: \(quoted(node.from))"] + layerLines(node.layers)
    }
    lines += ["", "heads:"]
    for head in heads {
      lines += ["  \(head.name):", "    from: \(quoted(head.from))"] + layerLines(head.layers)
      lines.append("    weight: \(shortText(head.weight))")
    }
    lines += [
      "", "training:", "  optimizer: \(training.optimizer.recipeText)", "  batch_size: \(training.batchSize)",
      "  epochs: \(training.epochs)", "  seed: \(training.seed)", "  report: \(training.report.rawValue)", "",
    ]
    return lines.joined(separator: "\n")
  }

  private func layerLines(_ layers: [RecipeLayer]) -> [String] {
    layers.isEmpty ? ["    layers: []"] : ["    layers:"] + layers.map { "      - \($0.recipeText)" }
  }
}

extension RecipeLayer {
  /// `conv2d: {filters: 32, kernel: 3, stride: 1, padding: valid, activation: relu, initializer: glorot_uniform}`
  fileprivate var recipeText: String {
    switch self {
    case .conv2d(let layer):
      "conv2d: {filters: \(layer.filters), kernel: \(size(layer.kernelHeight, layer.kernelWidth)), stride: \(size(layer.strideHeight, layer.strideWidth)), padding: \(layer.padding), activation: \(layer.activation.rawValue), initializer: \(layer.initializer.rawValue)}"
    case .maxPool2d(let layer): poolText(layer)
    case .avgPool2d(let layer): poolText(layer)
    case .dense(let layer):
      "dense: {units: \(layer.units), activation: \(layer.activation.rawValue), initializer: \(layer.initializer.rawValue)}"
    case .relu, .sigmoid, .flatten: type(of: layer).kind
    case .dropout(let layer): "dropout: {rate: \(shortText(layer.rate))}"
    }
  }

  private func poolText<Pool: Pool2D>(_ layer: Pool) -> String {
    "\(Pool.kind): {size: \(size(layer.poolHeight, layer.poolWidth)), stride: \(size(layer.strideHeight, layer.strideWidth)), padding: \(layer.padding)}"
  }

  private func size(_ height: Int, _ width: Int) -> String { height == width ? "\(height)" : "[\(height), \(width)]" }
}

extension Optimizer {
  fileprivate var recipeText: String {
    switch self {
    case .adam(let learningRate, let beta1, let beta2, let epsilon, _):
      "{adam: {learning_rate: \(shortText(learningRate)), beta1: \(shortText(beta1)), beta2: \(shortText(beta2)), epsilon: \(shortText(epsilon))}}"
    case .sgd(let learningRate, let momentum, _):
      "{sgd: {learning_rate: \(shortText(learningRate)), momentum: \(shortText(momentum))}}"
    }
  }
}

private func flow(_ numbers: [Int]) -> String { "[\(numbers.map(String.init).joined(separator: ", "))]" }

/// Plain where that can't be misread, otherwise in double quotes.
private func quoted(_ text: String) -> String {
  let isPlain =
    text.utf8.allSatisfy { byte in
      (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || "_-.".utf8.contains(byte)
    } && text.utf8.first.map { (65...90).contains($0) || (97...122).contains($0) } ?? false
  if isPlain, !["null", "true", "false", "yes", "no", "on", "off", "y", "n"].contains(text.lowercased()) {
    return text
  }
  var quoted = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": quoted += "\\\""
    case "\\": quoted += "\\\\"
    case _
    where scalar.value < 32 || scalar.value == 127 || (0x80..<0xA0).contains(scalar.value)
      || [0x2028, 0x2029, 0xFEFF].contains(scalar.value):
      let digits = String(scalar.value, radix: 16)
      quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: quoted.unicodeScalars.append(scalar)
    }
  }
  return quoted + "\""
}
