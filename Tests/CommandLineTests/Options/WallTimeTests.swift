// SPDX-License-Identifier: Apache-2.0
// Lengths of time as arguments.

import Testing

@testable import mtl_fast

@Suite struct WallTimeTests {
  @Test(
    arguments: [
      ("90", 90), ("90s", 90), ("30m", 1800), ("1.5h", 5400), (".5", 0.5), ("0", nil), ("0m", nil), ("", nil),
      ("m", nil),
      ("-1s", nil), ("1d", nil), ("1 m", nil), ("1e3", nil), ("inf", nil), ("nan", nil), ("1m30s", nil),
      ("999999999h", nil), ("1.2.3", nil),
    ] as [(String, Double?)])
  func seconds(text: String, seconds: Double?) { #expect(WallTime(argument: text)?.seconds == seconds) }
}
