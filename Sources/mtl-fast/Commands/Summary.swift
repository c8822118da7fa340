// SPDX-License-Identifier: Apache-2.0
// `mtl-fast summary`: the model of a recipe or a run.

import ArgumentParser
import MTLFastRecipes

struct Summary: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show a recipe's model: layers, shapes, parameters, FLOPs, losses.",
    discussion: """
      Needs no data.

      Examples:
        mtl-fast summary fashion-mnist
        mtl-fast summary my.yaml --set heads.item.weight=0.8
        mtl-fast summary runs/latest --json
      """)

  @OptionGroup var recipe: RecipeOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let recipe = try recipe.load()
    let graph = try recipe.modelGraph(classNames: try recipe.publishedClassNames())
    let summary = GraphSummary(graph, of: recipe)
    try output.print(summary.text, json: summary.json)
  }
}
