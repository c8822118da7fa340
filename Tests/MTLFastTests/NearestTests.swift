// SPDX-License-Identifier: Apache-2.0
// When "did you mean" has an answer.

import MTLFast
import Testing

@Suite struct NearestTests {
  @Test(arguments: [
    ("fliters", "filters"), ("kernal", "kernel"), ("Filters", "filters"), ("paddin", "padding"), ("zebra", nil),
    ("", nil), ("k", nil), (String(repeating: "filters", count: 20), nil),
  ])
  func theNearestNameIsFound(name: String, expected: String?) {
    #expect(nearest(to: name, among: ["padding", "kernel", "filters"]) == expected)
  }

  @Test func ofEqualsTheFirstByAlphabet() {
    #expect(nearest(to: "item", among: ["items", "item2"]) == "item2")
  }
}
