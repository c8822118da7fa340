// SPDX-License-Identifier: Apache-2.0
// What a recipe selects by its validation data: the best model, the moment to stop.

import MTLFast
import MTLFastTraining

extension Recipe {
  /// By what the best model is kept; nil where nothing is selected.
  ///
  /// Without a `best` of its own a recipe keeps the one with the smallest validation loss. The test set serves for that
  /// only where a recipe says so.
  public func bestExpression() throws -> MetricExpression? {
    if let best = training.best { return try MetricExpression(best) }
    guard training.bestPerTask || hasValidationData, training.bestPerTask || !validatesOnTest else { return nil }
    return .validationLoss
  }

  /// On what the training may end early; nil where it doesn't.
  public func stoppingExpression() throws -> MetricExpression? {
    guard let stopping = training.earlyStopping else { return nil }
    return try (stopping.on ?? training.best).map { try MetricExpression($0) } ?? .validationLoss
  }

  /// Whether the test set serves as validation data.
  public var validatesOnTest: Bool { data.streams.contains { $0.validation == .test } }

  /// Whether something is selected on a test set that serves as validation data.
  var selectsOnTest: Bool {
    validatesOnTest && (training.best != nil || training.bestPerTask || training.earlyStopping != nil)
  }

  /// What a recipe of one task leaves out: frozen layers of what is gone, and what would be selected by other tasks. Where
  /// an expression reads their scores, the task's first metric takes its place, so that the net is selected by itself.
  mutating func select(byTask task: String) {
    func own(_ text: String) -> String {
      let isOwn = (try? MetricExpression(text).tasks.allSatisfy { $0 == task }) ?? false
      let metric = heads.first { $0.name == task }.flatMap { metrics(of: $0).first }
      return isOwn ? text : "\(task).\(metric?.name ?? "loss")"
    }
    training.best = training.best.map(own)
    let stopping = training.earlyStopping?.on.map(own)
    training.earlyStopping?.on = stopping
    let units = Set(heads.map(\.name)).union(nodes.map(\.name))
    training.freeze = training.freeze.filter { units.contains(NodeReference($0).unit) }
    if stream(ofTask: task).map(\.hasValidation) != true { selectNothing() }
  }

  /// As where there are no validation data.
  mutating func selectNothing() { (training.best, training.bestPerTask, training.earlyStopping) = (nil, false, nil) }

  /// Those that a head computes; where only the data tell the classes, those that it may compute.
  fileprivate func metrics(of head: Head) -> [Metric] {
    if let metrics = head.metrics { return metrics }
    guard let task = tasks.first(where: { $0.name == head.name }) else { return [] }
    var metrics: [Metric]
    if let known = task.headTask {
      metrics = known.standardMetrics
    } else if case .mask = task.target {
      metrics = MTLFast.Head.Task.segmentation(classNames: ["0", "1"]).standardMetrics
    } else {
      metrics = MTLFast.Head.Task.classification(classNames: (0..<1000).map(String.init)).standardMetrics
    }
    if case .labels(let labels) = task.target, labels.parent != nil { metrics.append(.consistency) }
    return metrics
  }
}

extension Recipe.Stream {
  fileprivate var hasValidation: Bool { validation != .none || source.namesValidation }
}

/// Checks the expressions of `best` and `early_stopping` as far as that can be done without the data.
struct RecipeSelectionCheck {
  let recipe: Recipe
  let mistakes: Mistakes
  let located: (_ path: [String], _ message: String) -> RecipeMistake

  /// Adds what is wrong to the mistakes.
  func check() throws {
    let training = recipe.training
    let hasValidation = recipe.data.streams.contains(where: \.hasValidation)
    for (key, isUsed) in [
      ("best", training.best != nil), ("best_per_task", training.bestPerTask),
      ("early_stopping", training.earlyStopping != nil),
    ] where isUsed && !hasValidation {
      let stream = recipe.data.streams.first?.name.map { "streams.\($0)." } ?? ""
      mistakes.add(
        located(
          ["training", key],
          "\(key) needs validation data, but the data name none. Set data.\(stream)validation, such as {fraction: 0.1}, or leave \(key) out."
        ))
    }
    guard hasValidation else { return }
    if let best = training.best { try check(best, at: ["training", "best"]) }
    if let on = training.earlyStopping?.on { try check(on, at: ["training", "early_stopping", "on"]) }
  }

  private func check(_ text: String, at path: [String]) throws {
    let expression: MetricExpression
    do {
      expression = try MetricExpression(text)
      try expression.check(tasks: recipe.heads.map { ($0.name, recipe.metrics(of: $0)) })
    } catch let error as MTLFastError {
      mistakes.add(located(path, error.message))
      return
    }
    for task in expression.tasks {
      guard let stream = recipe.stream(ofTask: task), !stream.hasValidation else { continue }
      mistakes.add(
        located(
          path,
          "task '\(task)' has no validation data: stream '\(stream.name ?? "")' names none. Set data.streams.\(stream.name ?? "").validation."
        ))
    }
  }
}
