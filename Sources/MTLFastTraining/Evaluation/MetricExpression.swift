// SPDX-License-Identifier: Apache-2.0
// One number out of an epoch's scores: what the best model is chosen by.

import MTLFast

/// A formula over losses and metrics: `0.7*item.accuracy + 0.3*group.accuracy`, or `loss`.
///
/// - `loss` is the weighted sum of all losses, `item.loss` one task's loss, `item.accuracy` one of the head's metrics;
/// - numbers, `+ - * /`, a minus in front, and parentheses.
///
/// Task names may hold dashes, so a minus after `loss` needs a space before it.
///
///     try MetricExpression("item.accuracy - 0.1*item.loss").value(in: scores)   // 0.87
public struct MetricExpression: Hashable, Sendable, CustomStringConvertible {
  /// As written.
  public let description: String
  /// In the order in which a stack of values takes them: no recursion, however long the text is.
  private let operations: [Operation]

  enum Operation: Hashable, Sendable {
    case number(Double)
    case term(Term)
    case add, subtract, multiply, divide, negate
  }

  /// What is looked up in the scores.
  struct Term: Hashable, Sendable, CustomStringConvertible {
    /// nil for the weighted sum of all.
    let task: String?
    /// `loss` or a metric's name.
    let name: String

    var description: String { task.map { "\($0).\(name)" } ?? name }
    var metric: Metric? { Metric(name: name) }

    func value(in scores: Scores) -> Double? {
      guard let task else { return scores.loss }
      guard let score = scores[task] else { return nil }
      return name == "loss" ? score.loss : metric.flatMap { score[$0] }
    }
  }

  /// The weighted sum of the losses on the validation data.
  public static let validationLoss = MetricExpression(
    description: "loss", operations: [.term(Term(task: nil, name: "loss"))])

  private init(description: String, operations: [Operation]) {
    self.description = description
    self.operations = operations
  }

  /// - Throws: `MTLFastError` of kind `usage` that names the place in the text.
  public init(_ text: String) throws {
    self.init(description: text, operations: try MetricExpressionParser.operations(of: text))
  }

  /// Every term once, in the order of the text.
  private var terms: [Term] {
    var terms: [Term] = []
    for case .term(let term) in operations where !terms.contains(term) { terms.append(term) }
    return terms
  }

  /// The tasks that it reads; the weighted sum of all losses is none of them.
  public var tasks: [String] {
    terms.compactMap(\.task).reduce(into: []) { tasks, task in if !tasks.contains(task) { tasks.append(task) } }
  }

  /// - Returns: nil where a score is missing, or the result is no finite number.
  public func value(in scores: Scores) -> Double? { value { $0.value(in: scores) } }

  private func value(_ lookUp: (Term) -> Double?) -> Double? {
    var stack: [Double] = []
    func pair(_ operation: (Double, Double) -> Double) {
      let right = stack.popLast() ?? .nan
      stack.append(operation(stack.popLast() ?? .nan, right))
    }
    for operation in operations {
      switch operation {
      case .number(let number): stack.append(number)
      case .term(let term):
        guard let value = lookUp(term) else { return nil }
        stack.append(value)
      case .add: pair(+)
      case .subtract: pair(-)
      case .multiply: pair(*)
      case .divide: pair(/)
      case .negate: stack.append(-(stack.popLast() ?? .nan))
      }
    }
    return stack.last.flatMap { $0.isFinite ? $0 : nil }
  }

  // MARK: Checks

  /// Every term is one that the model computes, and a direction is there.
  ///
  /// - Throws: `MTLFastError` of kind `usage`.
  public func check(against graph: ModelGraph) throws {
    try check(tasks: graph.heads.map { ($0.name, $0.metrics) })
  }

  /// - Parameter tasks: their names and the metrics that are computed.
  public func check(tasks: [(name: String, metrics: [Metric])]) throws {
    for term in terms {
      guard let name = term.task else { continue }
      guard let task = tasks.first(where: { $0.name == name }) else {
        throw MTLFastError(.usage, unknownName("task", name, in: "'\(description)'", known: tasks.map(\.name)))
      }
      guard term.name != "loss" else { continue }
      let known = ["loss"] + task.metrics.map(\.name)
      guard let metric = term.metric else {
        throw MTLFastError(.usage, unknownName("metric", term.name, in: "'\(term)'", known: known))
      }
      guard task.metrics.contains(metric) else {
        throw MTLFastError(
          .usage,
          "'\(term)' is not computed: the metrics of '\(name)' are \(task.metrics.map(\.name).joined(separator: ", ")). List it in heads.\(name).metrics."
        )
      }
    }
    _ = try direction()
  }

  public enum Direction: Sendable {
    case higherIsBetter, lowerIsBetter

    /// Whether a value is better than another by more than a margin.
    public func isBetter(_ value: Double, than other: Double, by margin: Double = 0) -> Bool {
      switch self {
      case .higherIsBetter: value > other + margin
      case .lowerIsBetter: value < other - margin
      }
    }
  }

  /// Which way is better, found by trying: each term is improved a little, at several points.
  ///
  /// - Throws: `MTLFastError` of kind `usage` where terms pull apart, or none of them counts.
  public func direction() throws -> Direction {
    var rising: [String] = []
    var falling: [String] = []
    for term in terms {
      var (rises, falls) = (false, false)
      for point in 0..<4 {
        // Values of no special relation to each other, so that differences of terms have both signs.
        func trial(_ other: Term) -> Double {
          let place = Double(terms.firstIndex(of: other) ?? 0) * 0.37 + Double(point) * 0.23
          return 0.15 + 0.7 * (place - place.rounded(.down))
        }
        let isErrorLike = term.metric.map { !$0.isBetter(1, than: 0) } ?? true
        guard let before = value(trial),
          let after = value({ $0 == term ? trial(term) + (isErrorLike ? -0.01 : 0.01) : trial($0) })
        else { continue }
        if after > before { rises = true }
        if after < before { falls = true }
      }
      if rises { rising.append("\(term)") }
      if falls { falling.append("\(term)") }
    }
    switch (rising.isEmpty, falling.isEmpty) {
    case (false, true): return .higherIsBetter
    case (true, false): return .lowerIsBetter
    case (true, true):
      throw MTLFastError(
        .usage, "'\(description)' depends on no score. Use loss, or a task's metric such as TASK.accuracy.")
    case (false, false):
      throw MTLFastError(
        .usage,
        "'\(description)' has no direction: it rises where \(rising.joined(separator: ", ")) gets better and falls where \(falling.joined(separator: ", ")) does. Let all terms pull one way: subtract losses and errors from what is better when higher."
      )
    }
  }
}
