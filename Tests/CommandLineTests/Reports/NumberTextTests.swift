// SPDX-License-Identifier: Apache-2.0
// Numbers as text.

import Testing

@testable import mtl_fast

@Suite struct NumberTextTests {
  @Test(
    arguments: [
      (0, 2, "0.00"), (0.005, 2, "0.01"), (-0.001, 2, "0.00"), (1.999, 2, "2.00"), (12.5, 0, "13"), (-1.25, 1, "-1.3"),
      (1e20, 2, "1.0e20"), (.nan, 2, "nan"), (-.infinity, 1, "-inf"), (nil, 1, "-"),
    ] as [(Double?, Int, String)])
  func fixedDigits(value: Double?, digits: Int, text: String) { #expect(fixed(value, digits) == text) }

  @Test(arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567")])
  func groups(value: Int, text: String) { #expect(grouped(value) == text) }

  @Test(arguments: [
    (0, "0:00"), (59.6, "1:00"), (3599, "59:59"), (3600, "1:00:00"), (36_061, "10:01:01"), (.nan, "-:--"),
  ])
  func clockTimes(seconds: Double, text: String) { #expect(clockTime(seconds) == text) }

  @Test(arguments: [(999, "999 B"), (1500, "1.5 kB"), (26_421_880, "26.4 MB"), (2_000_000_000, "2.0 GB")])
  func byteCounts(bytes: Int, text: String) { #expect(byteCount(bytes) == text) }

  @Test func percents() {
    #expect(percent(0.90514) == "90.51%")
    #expect(percent(nil) == "-")
  }
}
