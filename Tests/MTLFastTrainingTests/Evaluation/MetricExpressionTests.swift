// SPDX-License-Identifier: Apache-2.0
// Formulas over scores: their values, their direction, and the words of each mistake.

import MTLFast
import Testing

@testable import MTLFastTraining

@Suite struct MetricExpressionTests {
  let scores = Scores(
    loss: 0.75,
    tasks: [
      ("item", TaskScore(loss: 1.5, metrics: [(.accuracy, 0.5), (.topK(5), 0.875)], present: 4)),
      ("uni-sex", TaskScore(loss: 0.25, metrics: [(.accuracy, nil), (.meanAbsoluteError, 2)], present: 4)),
    ])
  static let tasks: [(name: String, metrics: [Metric])] = [
    ("item", [.accuracy, .topK(5)]), ("uni-sex", [.accuracy, .meanAbsoluteError]),
  ]

  @Test(
    arguments: [
      ("loss", 0.75), ("item.accuracy", 0.5), ("item.top_5_accuracy", 0.875), ("uni-sex.loss", 0.25), ("-loss", -0.75),
      ("0.5*item.accuracy+.25*uni-sex.loss", 0.3125), ("1 - 2 - 3 + loss", -3.25), ("8/4/2*loss", 0.75),
      ("2 + 3*(loss - 1)", 1.25), ("-(-(loss))", 0.75), ("--25e-2*loss", 0.1875), ("loss - item.loss", -0.75),
      ("loss-(1)", -0.25), ("loss-1", -0.25), (" ( loss ) ", 0.75), ("1E+1*loss", 7.5), ("uni-sex.accuracy", nil),
      ("other.loss", nil), ("item.r2", nil),
      ("loss / 0", nil), ("loss / (1 - 1)", nil),
    ] as [(String, Double?)])
  func values(text: String, value: Double?) throws {
    #expect(try MetricExpression(text).value(in: scores) == value)
    #expect(try "\(MetricExpression(text))" == text)
  }

  @Test(arguments: [
    ("item.accuracy", true), ("loss", false), ("item.loss", false), ("uni-sex.mae", false), ("-loss", true),
    ("0.7*item.accuracy + 0.3*uni-sex.accuracy", true), ("item.accuracy - 0.1*loss", true),
    ("loss - item.accuracy", false), ("1/item.accuracy", false), ("item.accuracy*uni-sex.accuracy", true),
    ("item.loss + uni-sex.mae/3", false), ("item.accuracy + 0*loss", true), ("item.accuracy/uni-sex.mae", true),
  ])
  func theDirectionIsFound(text: String, isHigher: Bool) throws {
    #expect(try (MetricExpression(text).direction() == .higherIsBetter) == isHigher)
  }

  @Test(arguments: [
    ("itm.accuracy", "unknown task 'itm' in 'itm.accuracy'. Known tasks: item, uni-sex. Did you mean 'item'?"),
    (
      "item.acuracy",
      "unknown metric 'acuracy' in 'item.acuracy'. Known metrics: accuracy, loss, top_5_accuracy. Did you mean 'accuracy'?"
    ),
    (
      "2*item.mae",
      "'item.mae' is not computed: the metrics of 'item' are accuracy, top_5_accuracy. List it in heads.item.metrics."
    ),
    (
      "item.accuracy + uni-sex.mae",
      "'item.accuracy + uni-sex.mae' has no direction: it rises where item.accuracy gets better and falls where uni-sex.mae does. Let all terms pull one way: subtract losses and errors from what is better when higher."
    ),
    (
      "item.accuracy*(item.accuracy - 0.5)",
      "'item.accuracy*(item.accuracy - 0.5)' has no direction: it rises where item.accuracy gets better and falls where item.accuracy does. Let all terms pull one way: subtract losses and errors from what is better when higher."
    ),
    ("1 + 2", "'1 + 2' depends on no score. Use loss, or a task's metric such as TASK.accuracy."),
    ("loss - loss", "'loss - loss' depends on no score. Use loss, or a task's metric such as TASK.accuracy."),
  ])
  func whatTheTasksContradict(text: String, message: String) throws {
    let expression = try MetricExpression(text)
    #expect(throws: MTLFastError(.usage, message)) { try expression.check(tasks: Self.tasks) }
  }

  @Test func theGraphKnowsItsMetrics() throws {
    let graph = try fashionModel().graph
    try MetricExpression("item.accuracy - group.loss").check(against: graph)
    #expect(throws: MTLFastError.self) { try MetricExpression("group.top_5_accuracy").check(against: graph) }
    #expect(MetricExpression.validationLoss == (try MetricExpression("loss")))
    #expect(try MetricExpression("loss + b.loss*a.r2 + b.loss").tasks == ["b", "a"])
  }
}
