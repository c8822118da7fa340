// SPDX-License-Identifier: Apache-2.0
// What the parts of a recipe must agree on, beyond the shapes of its model.

import MTLFast
import MTLFastData

/// Checks tasks, heads and inputs against each other and against what the catalogue tells about the data.
struct RecipeConsistency {
  let recipe: Recipe
  let mistakes: Mistakes
  /// The mistake at a path of the recipe: `heads`, `item`, `from`.
  let located: (_ path: [String], _ message: String) -> RecipeMistake

  /// Adds what is wrong to the mistakes.
  func check() throws {
    for task in recipe.tasks {
      try mistakes.attempt { try checkParent(of: task) }
      try mistakes.attempt { try checkIgnored(of: task) }
    }
    for head in recipe.heads {
      try mistakes.attempt { try checkStreams(of: head) }
      checkLossAndMetrics(of: head)
    }
    if recipe.training.report == .test, !recipe.data.streams.contains(where: { $0.source.namesTest }) {
      mistakes.add(
        located(["training", "report"], "report is test but the data name no test part. Use report: none."))
    }
    try RecipeSelectionCheck(recipe: recipe, mistakes: mistakes, located: located).check()
    for stream in recipe.data.streams {
      let known: KnownColumns
      switch stream.source {
      case .catalogue(let name): known = KnownColumns(try DatasetCatalog.dataset(named: name))
      case .synthetic(let settings): known = try KnownColumns(settings)
      default: continue
      }
      try check(stream, against: known)
    }
  }

  private func refuse(_ path: [String], _ message: String) -> RecipeMistake { located(path, message) }

  private func checkStreams(of head: Recipe.Head) throws {
    let inputs = recipe.inputs(of: head)
    guard let first = inputs.first, let other = inputs.first(where: { $0.stream != first.stream }) else { return }
    throw refuse(
      ["heads", head.name, "from"],
      "head '\(head.name)' depends on input '\(first.name)' of stream '\(first.stream ?? "")' and on '\(other.name)' of '\(other.stream ?? "")'. Their rows don't belong together: let a head depend on one stream."
    )
  }

  private func checkLossAndMetrics(of head: Recipe.Head) {
    guard let task = recipe.tasks.first(where: { $0.name == head.name }) else { return }
    // What fits two classes or many may fit those that the data tell.
    let possible: [Head.Task]
    if let known = task.headTask {
      possible = [known]
    } else if case .mask = task.target {
      possible = [.segmentation(classNames: ["0", "1"])]
    } else {
      possible = [
        .classification(classNames: ["0", "1"]), .classification(classNames: (0..<1000).map(String.init)),
      ]
    }
    let losses = possible[0].losses.map(\.name)
    if let loss = head.loss, !losses.contains(loss.name) {
      mistakes.add(
        refuse(
          ["heads", head.name, "loss"],
          "loss \(loss.name) doesn't fit task '\(task.name)'. Use \(losses.joined(separator: " or "))."))
    }
    for (index, metric) in (head.metrics ?? []).enumerated() {
      let path = ["heads", head.name, "metrics", "\(index)"]
      guard possible.contains(where: { $0.allows(metric) }) else {
        let known = possible[possible.count - 1].standardMetrics.map(\.name)
        mistakes.add(
          refuse(path, "metric \(metric.name) doesn't fit task '\(task.name)'. Use \(known.joined(separator: ", "))."))
        continue
      }
      guard case .labels(let labels) = task.target, metric == .consistency, labels.parent == nil else { continue }
      mistakes.add(refuse(path, "metric consistency needs the parent of each class: tasks.\(task.name).parent."))
    }
  }

  private func checkParent(of task: Recipe.Task) throws {
    guard case .labels(let labels) = task.target, let parent = labels.parent else { return }
    let path = ["tasks", task.name, "parent"]
    let others = recipe.tasks.filter { if case .labels = $0.target { $0.name != task.name } else { false } }
    guard let above = others.first(where: { $0.name == parent.task }) else {
      throw refuse(path, unknownName("classification task", parent.task, in: "parent", known: others.map(\.name)))
    }
    guard recipe.stream(ofTask: task.name)?.name == recipe.stream(ofTask: above.name)?.name else {
      throw refuse(
        path, "tasks '\(task.name)' and '\(above.name)' are of different streams, so their labels don't meet.")
    }
    guard let parents = parent.classes else { return }
    if let names = task.names, names.count != parents.count {
      throw refuse(path, "parent has \(parents.count) classes but task '\(task.name)' has \(names.count).")
    }
    if let names = above.names, let index = parents.first(where: { $0 >= names.count }) {
      throw refuse(
        path,
        "parent names class \(index) but task '\(above.name)' has \(names.count) classes (0...\(names.count - 1)).")
    }
  }

  /// Channels hold masks, not values. A single one of mask files is made of values.
  private func checkIgnored(of task: Recipe.Task) throws {
    guard case .mask(let mask) = task.target, !mask.ignored.isEmpty, case .channels(let names) = mask.meaning else {
      return
    }
    let isOfFiles = if case .masks? = recipe.stream(ofTask: task.name)?.source { true } else { false }
    guard names.count > 1 || !isOfFiles else { return }
    throw refuse(
      ["tasks", task.name, "ignore"],
      isOfFiles
        ? "ignore has no meaning for masks by colour. Leave it out."
        : "ignore has no meaning for masks by channel: pixels of 255 are ignored as they are. Leave it out.")
  }

  private func check(_ stream: Recipe.Stream, against known: KnownColumns) throws {
    if case .fraction(let fraction) = stream.validation, let column = fraction.stratify, known.labels[column] == nil {
      mistakes.add(
        refuse(
          ["data"] + (stream.name.map { ["streams", $0] } ?? []) + ["validation", "stratify"],
          unknownName("label column", column, in: known.name, known: Array(known.labels.keys))))
    }
    for input in recipe.inputs where input.stream == stream.name {
      try mistakes.attempt { try check(input, against: known) }
    }
    for task in recipe.tasks where recipe.stream(ofTask: task.name)?.name == stream.name {
      try mistakes.attempt { try check(task, against: known) }
    }
  }

  private func check(_ input: Recipe.Input, against known: KnownColumns) throws {
    guard case .column(let column, let shape) = input.values else { return }
    guard let knownShape = known.inputs[column] else {
      throw refuse(
        ["inputs", input.name], unknownName("input column", column, in: known.name, known: Array(known.inputs.keys)))
    }
    guard shape == knownShape else {
      throw refuse(
        ["inputs", input.name, "shape"],
        "input '\(input.name)' has shape \(shape) but in \(known.name) it is \(knownShape). Set it to \(knownShape.dimensions)."
      )
    }
  }

  private func check(_ task: Recipe.Task, against known: KnownColumns) throws {
    let path = ["tasks", task.name]
    switch task.target {
    case .labels(let labels): try check(labels, of: task.name, against: known)
    case .values(let numbers):
      for column in numbers.columns where !known.numbers.contains(column) {
        throw refuse(path, Self.unknown("number column", column, among: known.numbers, in: known))
      }
    case .mask(let mask):
      guard let masks = known.masks[mask.column] else {
        throw refuse(path, Self.unknown("mask column", mask.column, among: Array(known.masks.keys), in: known))
      }
      if case .channels(let names) = mask.meaning, names.count != masks {
        throw refuse(
          path + ["masks"], "masks names \(names.count) but '\(mask.column)' of \(known.name) has \(masks). Name each.")
      }
    }
  }

  private static func unknown(_ what: String, _ column: String, among: [String], in known: KnownColumns) -> String {
    guard among.isEmpty else { return unknownName(what, column, in: known.name, known: among) }
    let labels = known.labels.keys.sorted().joined(separator: " or labels: ")
    return "\(known.name) has class labels only. Use labels: \(labels)."
  }

  private func check(_ labels: Recipe.Labels, of task: String, against known: KnownColumns) throws {
    guard let count = known.labels[labels.column] else {
      throw refuse(
        ["tasks", task, "labels"],
        unknownName("label column", labels.column, in: known.name, known: Array(known.labels.keys)))
    }
    for group in labels.groups ?? [] {
      guard let index = group.labels.firstIndex(where: { $0 >= count }) else { continue }
      throw refuse(
        ["tasks", task, "map", group.name, "\(index)"],
        "map names label \(group.labels[index]) in '\(group.name)' but '\(labels.column)' has \(count) classes (0...\(count - 1))."
      )
    }
    if let classes = labels.classes?.names, classes.count != count {
      throw refuse(
        ["tasks", task, "classes"],
        "classes has \(classes.count) names but '\(labels.column)' has \(count) classes. Name each.")
    }
  }
}

/// The columns of a source that are known without its files.
private struct KnownColumns {
  let name: String
  var inputs: [String: Shape] = [:]
  /// The number of classes of each.
  var labels: [String: Int] = [:]
  var numbers: [String] = []
  /// The number of channels of each.
  var masks: [String: Int] = [:]

  init(_ dataset: KnownDataset) {
    name = dataset.name
    inputs = [dataset.inputColumn: dataset.inputShape]
    for column in dataset.labels { labels[column.column] = column.classNames.count }
  }

  init(_ settings: Recipe.Synthetic) throws {
    name = settings.generator.rawValue
    let sample = try SyntheticTasks.simultaneous(seed: 0, trainingCount: 1, testCount: 1).training
    inputs = sample.inputs.mapValues(\.shape)
    for (column, target) in sample.targets {
      switch target {
      case .classes(let classes): labels[column] = classes.classNames.count
      case .values: numbers.append(column)
      case .mask(let mask): masks[column] = mask.shape.channels
      }
    }
  }
}
