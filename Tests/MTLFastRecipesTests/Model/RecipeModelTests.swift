// SPDX-License-Identifier: Apache-2.0
// The graph that a recipe describes: names, order, heads that read heads.

import MTLFast
import MTLFastRecipes
import Testing

@Suite struct RecipeModelTests {
  @Test func nodesAreNamedByKindAndCount() throws {
    let recipe = try Recipe.parse(RecipeTexts.small, file: "my.yaml")
    let graph = try recipe.withPublishedClasses().modelGraph()
    #expect(
      graph.nodes.map(\.name) == [
        "image", "trunk.conv2d_1", "trunk.max_pool2d_1", "trunk.flatten_1", "item.dense_1", "item.logits",
        "group.logits",
      ])
    #expect(graph.heads.map(\.name) == ["item", "group"])
    #expect(graph.heads.map { graph.nodes[$0.logits].name } == ["item.logits", "group.logits"])
    #expect(graph.nodes[6].inputs == [5])
  }

  @Test func aHeadThatIsReadIsBuiltFirst() throws {
    let text = RecipeTexts.small([17: "  item: {from: group.logits}", 18: "  group: {from: trunk}"])
    let recipe = try Recipe.parse(text, file: "my.yaml")
    let graph = try recipe.withPublishedClasses().modelGraph()
    #expect(graph.nodes.suffix(2).map(\.name) == ["group.logits", "item.logits"])
    #expect(graph.heads.map(\.name) == ["item", "group"])
  }

  @Test func aSingleTaskKeepsWhatItsHeadReads() throws {
    let recipe = try RecipeSource.find("fashion-mnist").recipe()
    let single = try recipe.singleTask("group")
    #expect(single.name == "fashion-mnist-group")
    #expect(single.heads.map(\.weight) == [1])
    let graph = try single.modelGraph()
    #expect(graph.nodes.suffix(3).map(\.name) == ["trunk.dense_1", "group.dense_1", "group.logits"])
    #expect(try Recipe.parse(single.yaml(), file: "single.yaml") == single)
  }

  @Test func aSingleTaskKeepsTheHeadThatItReads() throws {
    let recipe = try Recipe.parse(RecipeTexts.small, file: "my.yaml")
    let single = try recipe.singleTask("group")
    #expect(single.heads.map(\.name) == ["item", "group"])
    #expect(single.heads.map(\.weight) == [0, 1])
    #expect(try Recipe.parse(single.yaml(), file: "single.yaml") == single)
    #expect(
      failure { try recipe.singleTask("itm") }
        == "usage unknown task 'itm' in recipe 'small'. Known tasks: group, item. Did you mean 'item'?")
  }
}
