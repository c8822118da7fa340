// SPDX-License-Identifier: Apache-2.0
// Tabs and wrong indentation are named as such.

import MTLFastRecipes
import Testing

@Suite struct IndentationTests {
  @Test(arguments: [
    ("recipe: 1\ntraining:\n\tepochs: 3\n", "3:1: is indented by a tab. YAML indents by spaces alone."),
    ("recipe: 1\ntraining:\n  \tepochs: 3\n", "3:3: is indented by a tab. YAML indents by spaces alone."),
    (
      "recipe: 1\nname: x\n   data: {source: cifar10}\n",
      "3:4: is indented by 3 spaces, deeper than the line above, which holds a value already."
    ),
    (
      "training:\n    epochs: 3\n  seed: 1\n",
      "3:3: is indented by 2 spaces, but the entries above it by 0, 4. Begin it in the column of the entries that it belongs to."
    ),
    (
      "model:\n  trunk:\n    from: image\n   layers: []\n",
      "4:4: is indented by 3 spaces, but the entries above it by 0, 2, 4. Begin it in the column of the entries that it belongs to."
    ),
  ])
  func aFaultOfIndentationIsNamed(text: String, message: String) {
    #expect(failure { try Recipe.parse(text, file: "my.yaml") } == "badData my.yaml:\(message)")
  }

  /// Inside brackets indentation means nothing, and a comment holds no value.
  @Test(arguments: [
    "inputs:\n  image: {shape: [28, 28, 1],\n     scale: 1/255]}\n",
    "model: # note: here\n  trunk: {from: image, # note: here\n     layers: [flatten}\n",
  ])
  func bracketsAreNoIndentation(text: String) {
    #expect(failure { try Recipe.parse(text, file: "my.yaml") }.contains("is not valid YAML: "))
  }

  @Test func linesMayEndAsOnWindows() {
    #expect(
      failure { try Recipe.parse("recipe: 1\r\ntraining:\r\n\tepochs: 3\r\n", file: "my.yaml") }
        == "badData my.yaml:3:1: is indented by a tab. YAML indents by spaces alone.")
  }

  @Test func otherFaultsKeepTheirWords() {
    #expect(
      failure { try Recipe.parse("recipe: 1\nname: {a: b\n", file: "my.yaml") }
        .contains("is not valid YAML: while parsing a flow mapping"))
  }
}
