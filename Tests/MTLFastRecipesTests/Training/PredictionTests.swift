// SPDX-License-Identifier: Apache-2.0
// Classes in the order of their probabilities.

import Testing

@testable import MTLFastRecipes

@Suite struct PredictionTests {
  @Test func ofEqualClassesTheLowerComesFirst() {
    guard
      case .classes(let top, let label) = Prediction.Value.classes(
        ["a", "b", "c"], probabilities: [0.25, 0.5, 0.25], label: 2, top: 2),
      case .classes(let all, let missing) = Prediction.Value.classes(
        ["x", "y"], probabilities: [0, 1], label: -1, top: nil)
    else { return }
    #expect(top.map(\.name) == ["b", "a"] && top.map(\.probability) == [0.5, 0.25] && label == "c")
    #expect(all.map(\.name) == ["y", "x"] && missing == nil)
  }
}
