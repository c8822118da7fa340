// SPDX-License-Identifier: Apache-2.0
// `mtl-fast summary`: the model of a recipe or a run.

import ArgumentParser
import MTLFast
import MTLFastRecipes
import MTLFastTraining

struct Summary: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show a recipe's model: layers, shapes, parameters, FLOPs, losses.",
    discussion: """
      Needs no data, unless classes or columns are found in them.

      Examples:
        mtl-fast summary fashion-mnist
        mtl-fast summary my.yaml --set heads.item.weight=0.8
        mtl-fast summary runs/latest --json
        mtl-fast summary fashion-mnist --plan
      """)

  @OptionGroup var recipe: RecipeOptions
  @OptionGroup var data: DataOptions
  @OptionGroup var output: OutputOptions

  @Flag(help: "Show how a training step is cut into stages, with FLOPs and memory.")
  var plan = false

  func run() throws {
    let source = try recipe.source()
    let recipe = try recipe.load(from: source).withNames(search: data.search, recipeFolder: source.folder)
    let graph = try recipe.modelGraph()
    if plan {
      let settings = recipe.training
      let plan = try PlanSummary(
        MultiTaskModel(graph: graph, seed: settings.seed), optimizer: settings.optimizer,
        gradientClipping: settings.gradientClipping, freezing: settings.freeze, batchSize: settings.batchSize)
      return try output.print(plan.text, json: plan.json)
    }
    let summary = GraphSummary(graph, of: recipe)
    try output.print(summary.text, json: summary.json)
  }
}
