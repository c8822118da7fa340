// SPDX-License-Identifier: Apache-2.0
// What is no metric expression, and where.

import MTLFast
import MTLFastTraining
import Testing

@Suite struct MetricExpressionParserTests {
  @Test(arguments: [
    ("", "'' ends where a number, a score or '(' should be."),
    ("item.accuracy +", "'item.accuracy +' ends where a number, a score or '(' should be."),
    ("(loss", "'(loss' ends where ')' should be."),
    ("loss)", "'loss)', character 5: expected an operator (+ - * /). Received: ')'."),
    ("2 loss", "'2 loss', character 3: expected an operator (+ - * /). Received: 'l'."),
    ("item", "'item', character 1: 'item' is no score. Use loss, or a task's score: TASK.loss, TASK.accuracy."),
    ("1 + item.", "'1 + item.' ends where the name of a metric should be."),
    ("item.-1", "'item.-1', character 6: expected the name of a metric. Received: '-'."),
    ("loss * * 2", "'loss * * 2', character 8: expected a number, a score or '('. Received: '*'."),
    ("1.2.3", "'1.2.3', character 1: '1.2.3' is no number."),
    ("1e999", "'1e999', character 1: '1e999' is no number."),
    ("loss + é", "'loss + é', character 8: expected a number, a score or '('. Received: 'é'."),
  ])
  func mistakesAreNamedAtTheirPlace(text: String, message: String) {
    #expect(throws: MTLFastError(.usage, message)) { try MetricExpression(text) }
  }

  @Test func lengthAndDepthAreLimited() throws {
    let deep = String(repeating: "(", count: 31) + "loss" + String(repeating: ")", count: 31)
    #expect(try MetricExpression(deep).tasks.isEmpty)
    for sign in ["(", "-"] {
      let text = String(repeating: sign, count: 400)
      #expect(
        throws: MTLFastError(
          .usage,
          "'\(text)', character 33: more than 32 parentheses or minus signs in each other. Simplify it.")
      ) { try MetricExpression(text) }
    }
    let long = "loss" + String(repeating: "+loss", count: 99)
    #expect(try MetricExpression(long).value(in: Scores(loss: 0.5, tasks: [])) == 50)
    #expect(throws: MTLFastError(.usage, "The expression has 504 characters. Use 500 at most.")) {
      try MetricExpression(long + "+loss")
    }
  }
}
