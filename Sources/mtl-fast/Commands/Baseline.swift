// SPDX-License-Identifier: Apache-2.0
// `mtl-fast baseline`: how well a constant and a linear model do on a recipe's data.

import ArgumentParser
import MTLFast
import MTLFastRecipes
import MTLFastTraining

struct Baseline: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Score a constant and a linear model on a recipe's data.",
    discussion: """
      What a net must beat to have learnt something. The constant model always says how often each class occurs in the \
      training samples (at each pixel, for masks), or their mean. The linear model is one dense layer from the inputs to \
      each head, trained by the recipe's optimizer until no task gains any more (20 times the recipe's epochs at most); \
      of each metric its best epoch is shown, which flatters it.

      Example:
        mtl-fast baseline simultaneous
      """)

  @OptionGroup var recipe: RecipeOptions
  @OptionGroup var data: DataOptions
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let source = try recipe.source()
    let data = try RecipeData(
      try recipe.load(from: source), search: self.data.search, recipeFolder: source.folder,
      skipsBad: self.data.skipBad, threads: compute.threads, notes: Console.note)
    let scores = try BaselineScores(data, threads: compute.threads)
    var members: [String: JSONValue] = ["recipe": .string(scores.recipe)]
    for part in scores.parts { members[part.split] = json(of: part) }
    try output.print(scores.parts.map { table(of: $0).text }.joined(separator: "\n\n"), json: .object(members))
  }

  private func table(of part: BaselineScores.Part) -> TextTable {
    var table = TextTable([(part.split, .left), ("metric", .left), ("constant", .right), ("linear", .right)])
    for task in part.tasks {
      for (index, entry) in task.metrics.enumerated() {
        let metric = entry.metric
        table.add([
          index == 0 ? task.name : "", metric.title, metric.text(entry.constant), metric.text(entry.linear),
        ])
      }
    }
    return table
  }

  private func json(of part: BaselineScores.Part) -> JSONValue {
    func object(_ members: [(String, JSONValue)]) -> JSONValue {
      .object(Dictionary(members, uniquingKeysWith: { first, _ in first }))
    }
    return object(
      part.tasks.map { task in
        let metrics = task.metrics.map { metric, constant, linear -> (String, JSONValue) in
          (metric.name, .object(["constant": .number(constant), "linear": .number(linear)]))
        }
        return (task.name, object(metrics))
      })
  }
}
