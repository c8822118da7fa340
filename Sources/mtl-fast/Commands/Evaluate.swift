// SPDX-License-Identifier: Apache-2.0
// `mtl-fast evaluate`: a run's scores on data that it wasn't trained on.

import ArgumentParser
import MTLFast
import MTLFastRecipes
import MTLFastTraining

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Score a run on its test and validation data.",
    discussion: """
      Prints every metric of every task; --confusion also how often each class was predicted as which.

      Examples:
        mtl-fast evaluate runs/latest
        mtl-fast evaluate runs/latest --best
        mtl-fast evaluate runs/cifar10-001 --confusion
        mtl-fast evaluate runs/fashion-mnist-001/checkpoints/step-00003000.safetensors --json
      """)

  @Argument(help: ArgumentHelp("A run folder (its newest checkpoint counts) or a .safetensors file.", valueName: "run"))
  var trained: String

  @Flag(help: "Take the model that was best on the validation data (best.safetensors), not the newest.")
  var best = false

  @Flag(help: "Show each task's confusion matrix: rows are the true classes, columns the predicted ones.")
  var confusion = false

  @OptionGroup var data: DataOptions
  @OptionGroup var compute: ComputeOptions
  @OptionGroup var output: OutputOptions

  func run() throws {
    let model = try TrainedModel.load(trained, best: best, threads: compute.threads, notes: Console.note)
    let parts = try model.evaluate(search: data.search, skipsBad: data.skipBad, notes: Console.note)
    var text = parts.map { scoreTable($0.scores, of: $0.split) }
    if confusion { text += parts.flatMap { part in matrices(of: part.scores, model, of: part.split) } }
    var members: [String: JSONValue] = [
      "recipe": .string(model.recipe.name), "checkpoint": .string(model.checkpoint),
    ]
    for (split, scores) in parts {
      members[split] = .object(
        Dictionary(
          scores.tasks.map { ($0.name, json(of: $0.score, model, $0.name)) }, uniquingKeysWith: { first, _ in first }))
    }
    try output.print(text.joined(separator: "\n\n"), json: .object(members))
  }

  private func names(of task: String, _ model: TrainedModel) -> [String] {
    model.model.graph.heads.first { $0.name == task }?.task.names ?? []
  }

  private func json(of score: TaskScore, _ model: TrainedModel, _ task: String) -> JSONValue {
    guard confusion, let matrix = score.confusion, case .object(var members) = score.json else { return score.json }
    members["classes"] = .array(names(of: task, model).map { .string($0) })
    members["confusion"] = .array(matrix.map { .array($0.map { .integer($0) }) })
    return .object(members)
  }

  private func matrices(of scores: Scores, _ model: TrainedModel, of split: String) -> [String] {
    scores.tasks.compactMap { task in
      guard let matrix = task.score.confusion else { return nil }
      let names = names(of: task.name, model)
      var table = TextTable([("\(task.name), \(split)", .left)] + names.map { ($0, .right) })
      for (name, row) in zip(names, matrix) { table.add([name] + row.map(String.init)) }
      return table.text
    }
  }
}
