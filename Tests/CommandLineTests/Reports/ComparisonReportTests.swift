// SPDX-License-Identifier: Apache-2.0
// The tables of comparisons and sweeps.

import MTLFast
import MTLFastTraining
import Testing

@testable import MTLFastRecipes
@testable import mtl_fast

@Suite struct ComparisonReportTests {
  private func task(_ name: String, _ metric: Metric, _ together: [Double?], _ alone: [Double?])
    -> ComparisonResult.Task
  {
    .init(
      scores: TaskComparison(task: name, metric: metric, together: together, alone: alone), split: "test",
      parameters: 1000, seconds: 1.25)
  }

  @Test func oneSeedClaimsNothing() {
    let report = ComparisonResult(
      recipe: "small", seeds: [4],
      tasks: [task("item", .accuracy, [0.75], [0.5]), task("stars", .meanAbsoluteError, [nil], [2])],
      parameters: 1500, seconds: 2)
    #expect(
      report.text == """
        small, seed 4

        test   metric    together   alone  difference  95% interval  p
        item   accuracy    75.00%  50.00%      +25.00             -  -
        stars  MAE              -   2.000           -             -  -

        cost        together  alone, all twins
        parameters     1,500             2,000
        training       2.0 s             2.5 s

        item: one seed: no interval, nothing can be claimed.
        stars: no seed has both scores: nothing can be claimed.
        all tasks: delta m is not defined: a score is missing or 0.
        """)
    #expect(report.csv.split(separator: "\n")[1] == "item,test,accuracy,1,0.75,,0.5,,0.25,,,,,50.0")
    #expect(JSONValue.object(report.members).text.contains(#""interval":null"#))
  }

  @Test func ofANetThatDidNotFinishNothingIsClaimed() {
    let report = ComparisonResult(
      recipe: "small", seeds: [0, 1, 2],
      tasks: [
        task("item", .accuracy, [0.8, 0.81, 0.82], [0.5, 0.51, nil]),
        task("group", .accuracy, [0.8, 0.81, 0.82], [0.5, 0.52, 0.51]),
      ],
      parameters: 1500, seconds: nil,
      failed: [FailedNet(net: "seed 2, item alone", task: "item", reason: "Step 3: not a finite number.")])
    let words = report.words
    #expect(words[0] == "item: a net did not finish (seed 2, item alone): nothing can be claimed.")
    #expect(words[1].hasPrefix("group: better together: "))
    #expect(words[2].hasPrefix("all tasks: delta m is not defined"))
    #expect(report.costTable.text.contains("training           -             2.5 s"), "\(report.costTable.text)")
    #expect(
      JSONValue.object(report.members).text.contains(
        #""failed":[{"net":"seed 2, item alone","reason":"Step 3: not a finite number."}]"#))
  }

  @Test func wideTablesTakeMoreRows() {
    let report = ComparisonResult(
      recipe: "small", seeds: [0, 1, 2],
      tasks: [task("a-task-with-a-long-name", .balancedAccuracy, [0.5, 0.6, 0.61], [0.5, 0.5, 0.52])],
      parameters: 1500, seconds: 2)
    #expect(report.text.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(report.text)")
    #expect(report.text.contains("95% interval"))
  }

  @Test func theBestLambdaIsMarked() throws {
    let lambdas = try Lambda.range("0:1:0.5")
    var report = SweepResult(
      recipe: "small", seeds: [0, 1], tasks: [("item", .accuracy), ("group", .accuracy)], select: nil,
      rows: zip(lambdas, [[0.5, 0.6], [0.8, 0.9], [0.9, nil]]).map { lambda, values in
        .init(lambda: lambda, scores: [values, [0.5, 0.5]])
      }, seconds: 3)
    #expect(report.best == 1)
    report.test = [[0.75, 0.75], [0.5, 0.5]]
    #expect(
      report.text == """
        small, seeds 0, 1
        held-out scores: item accuracy, group accuracy

        lambda           item          group    mean
        0       55.00% ± 7.07  50.00% ± 0.00  52.50%
        0.5     85.00% ± 7.07  50.00% ± 0.00  67.50%  best
        1              90.00%  50.00% ± 0.00       -

        lambda 0.5 has the best mean of the held-out scores. It was chosen on these
          numbers, so only those of the test data are fair.

        test, lambda 0.5  metric            score
        item              accuracy  75.00% ± 0.00
        group             accuracy  50.00% ± 0.00
        """)
    #expect(report.csv.split(separator: "\n").count == 1 + 6 + 2)
    let one = SweepResult(
      recipe: "small", seeds: [0], tasks: [("size", .rootMeanSquaredError), ("group", .accuracy)], select: "size",
      rows: zip(lambdas, [3.0, 1, 2]).map { .init(lambda: $0, scores: [[$1], [nil]]) }, seconds: 3)
    #expect(one.best == 1)
    #expect(one.text.hasSuffix("There are no test data."))
  }
}
