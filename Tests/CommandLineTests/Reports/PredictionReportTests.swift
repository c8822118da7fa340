// SPDX-License-Identifier: Apache-2.0
// Predictions by class name, the most probable first.

import Testing

@testable import mtl_fast

@Suite struct PredictionReportTests {
  private let report = PredictionReport(
    sample: "test 17",
    heads: [
      ("item", .classes([("b", 0.5), ("a", 0.25)], label: "c")),
      ("group", .classes([("x", 1)], label: nil)),
    ])

  @Test func asATable() {
    #expect(
      PredictionReport.text([report]) == """
        sample   head   predicted           label
        test 17  item   b           50.00%  c
                        a           25.00%
                 group  x          100.00%  -
        """)
  }

  @Test func asJSON() {
    #expect(
      report.json.text
        == #"{"heads":{"group":{"label":null,"top":[{"class":"x","probability":1.0}]},"item":{"label":"c","top":[{"class":"b","probability":0.5},{"class":"a","probability":0.25}]}},"sample":"test 17"}"#
    )
  }
}
