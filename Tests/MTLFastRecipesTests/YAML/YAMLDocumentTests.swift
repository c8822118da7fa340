// SPDX-License-Identifier: Apache-2.0
// YAML that is no recipe: each ends in one clear line, soon.

import MTLFastRecipes
import Testing

@Suite struct YAMLDocumentTests {
  /// An alias bomb: each line doubles the one before.
  private static let bomb = (0..<40).map { "a\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1)]" }.joined(separator: "\n")

  @Test(arguments: [
    ("", "my.yaml:1:1: is empty."),
    ("- 1", "my.yaml:1:1: a recipe must be a mapping (key: value). Received: a list."),
    ("recipe: 1\nrecipe: 1", "my.yaml:1:1: key 'recipe' given twice in one mapping. Keep one."),
    ("recipe: &a 1", "my.yaml:1:9: anchors and aliases (&name, *name) are not supported. Write the value out."),
    (bomb, "my.yaml:1:1: anchors and aliases (&name, *name) are not supported. Write the value out."),
    ("recipe: !!int 1", "my.yaml:1:9: tags (!name) are not supported. Received: tag:yaml.org,2002:int."),
    (
      "recipe: [1, 2", "my.yaml:2:1: is not valid YAML: while parsing a flow sequence did not find expected ',' or ']'."
    ),
    (
      "recipe:\n\tname: x",
      "my.yaml:2:1: is indented by a tab. YAML indents by spaces alone."
    ),
    ("~: 1", "my.yaml:1:1: a key must be text but is nothing."),
    ("[a]: 1", "my.yaml:1:1: a key must be text but is a list."),
    (
      "recipe: 1\n---\nrecipe: 1",
      "my.yaml:2:1: is not valid YAML: expected a single document in the stream but found another document."
    ),
    ("a\u{1}b: c", "my.yaml:1:1: is not valid YAML: control characters are not allowed."),
  ])
  func badTextIsRefused(text: String, message: String) {
    #expect(failure { try Recipe.parse(text, file: "my.yaml") } == "badData \(message)")
  }

  @Test func errorsQuoteTheStartOfALongText() {
    let table = "alcohol,acid,kind\n" + (0..<1000).map { "\($0),1,red\n" }.joined()
    #expect(
      failure { try Recipe.parse(table, file: "my.yaml") }
        == "badData my.yaml:1:1: a recipe must be a mapping (key: value). Received: 'alcohol,acid,kind 0,1,red 1,1,red 2,1...'."
    )
    let key = String(repeating: "k", count: 400)
    let lines = failure { try Recipe.parse("\(key): 1", file: "my.yaml") }.split(separator: "\n")
    #expect(lines.allSatisfy { $0.count < 200 })
  }

  @Test(arguments: [40, 100_000])
  func deepNestingIsRefused(depth: Int) {
    let text = "recipe: " + String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    #expect(failure { try Recipe.parse(text, file: "my.yaml") }.hasSuffix("is nested deeper than 32 levels."))
  }

  @Test func aLargeFileIsRefused() {
    let text = String(repeating: "# no recipe\n", count: 100_000)
    #expect(
      failure { try Recipe.parse(text, file: "my.yaml") }
        == "badData my.yaml:1:1: is larger than 1 MiB. A recipe is a short file.")
  }
}
