// SPDX-License-Identifier: Apache-2.0
// Numbers and fractions.

import MTLFastRecipes
import Testing

@Suite struct ScaleTests {
  @Test(
    arguments: [
      ("1/255", 1 / 255), ("1 / 255", 1 / 255), ("1", 1), ("0.5", 0.5), ("2e-3", 2e-3), ("-1", -1),
    ] as [(String, Float)])
  func aScaleIsRead(text: String, value: Float) throws {
    let scale = try #require(Scale(text))
    #expect(scale.value == value)
    #expect(Scale(scale.description) == scale)
  }

  @Test(arguments: ["", "/", "1/", "1/0", "0", "nan", "inf", "0x10", "1/2/3", "1e99", "one"])
  func whatIsNoScale(text: String) { #expect(Scale(text) == nil) }
}
