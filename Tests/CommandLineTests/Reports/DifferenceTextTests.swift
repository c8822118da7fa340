// SPDX-License-Identifier: Apache-2.0
// What is said about differences.

import MTLFast
import MTLFastTraining
import Testing

@testable import mtl_fast

@Suite struct DifferenceTextTests {
  @Test func estimates() {
    #expect(Metric.accuracy.text(MeanEstimate([0.9, 0.91])) == "90.50% ± 0.71")
    #expect(Metric.accuracy.text(MeanEstimate([0.9])) == "90.00%")
    #expect(Metric.r2.text(MeanEstimate([0.5, 0.7])) == "0.600 ± 0.141")
    #expect(Metric.accuracy.text(MeanEstimate([])) == "-")
  }

  @Test func differences() {
    #expect(Metric.accuracy.signed(0.0031) == "+0.31" && Metric.accuracy.signed(-0.0031) == "-0.31")
    #expect(Metric.accuracy.signed(nil as Double?) == "-")
    #expect(Metric.accuracy.signed(-0.0031...0.0012) == "-0.31...+0.12")
    // An end that isn't 0 doesn't look so.
    #expect(Metric.accuracy.signed(0.00002...0.0012) == "+0.0020...+0.1200")
    #expect(Metric.rootMeanSquaredError.signed(-2.5...12) == "-2.500...+12.00")
    #expect([nil, 0.0004, 0.0213].map(probability) == ["-", "<0.001", "0.021"])
  }

  @Test(
    arguments: [
      (.oneSeed, "item: one seed: no interval, nothing can be claimed."),
      (.identical, "item: no difference shown: the same result with every seed."),
      (.noSpread, "item: the same difference with every seed: no interval, nothing can be claimed."),
      (.missing, "item: no seed has both scores: nothing can be claimed."),
      (.notShown(-0.0031...0.0012), "item: no difference shown: the interval -0.31...+0.12 points includes 0."),
      (.shown(0.001...0.0031, isBetter: true), "item: better together: the interval +0.10...+0.31 points excludes 0."),
      (.shown(0.001...0.0031, isBetter: false), "item: worse together: the interval +0.10...+0.31 points excludes 0."),
      (
        .uncertain(0.001...0.0031, isBetter: true, p: 0.08),
        "item: perhaps better together, but not shown: the interval +0.10...+0.31 points excludes 0, yet p is 0.080 when adjusted for 2 tasks."
      ),
    ] as [(Verdict, String)])
  func verdicts(verdict: Verdict, text: String) {
    #expect(verdict.text(of: "item", tests: 2) { Metric.accuracy.signed($0) + " points" } == text)
  }

  @Test func linesAreBroken() {
    #expect(wrapped("one two three", columns: 8) == "one two\n  three")
    #expect(wrapped("one", columns: 2) == "one")
  }
}
