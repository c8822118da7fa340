// SPDX-License-Identifier: Apache-2.0
// A run, or a node of a run.

import MTLFastRecipes
import Testing

@Suite struct WeightSourceTests {
  @Test(
    arguments: [
      ("runs/a-001", "runs/a-001", nil), ("runs/a-001:trunk", "runs/a-001", "trunk"), ("a:b:c", "a:b", "c"),
      ("c:/runs/a", "c:/runs/a", nil), ("a/best.safetensors:item.dense_1", "a/best.safetensors", "item.dense_1"),
    ] as [(String, String, String?)])
  func isReadFromText(text: String, run: String, node: String?) {
    #expect(WeightSource(text) == WeightSource(run: run, node: node))
    #expect(WeightSource(text).description == text)
  }
}
