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
    let settings = data.resolved.training
    let graph = try data.resolved.modelGraph()
    let test = data.validatesOnTest ? nil : data.test
    let parts = [("validation", data.validation), ("test", test)].compactMap { split, samples in
      samples.map { (split: split, samples: $0) }
    }
    guard !parts.isEmpty else {
      throw MTLFastError(.usage, "Recipe '\(data.resolved.name)': has neither validation nor test data to score on.")
    }
    let constant = try MultiTaskModel.constant(for: graph, samples: data.training)
    let trainer = try Trainer(
      MultiTaskModel(graph: graph.linear(), seed: settings.seed), optimizer: settings.optimizer,
      threads: compute.threads)
    var records: [EpochRecord] = []
    for round in 1...20 {
      let before = bestScores(records)
      records += try trainer.fit(
        data.training, validation: data.validation, test: test, epochs: round * settings.epochs,
        batchSize: settings.batchSize
      ).epochs
      if !before.isEmpty, zip(before, bestScores(records)).allSatisfy({ $1 - $0 < 0.002 }) { break }
    }
    var tables: [String] = []
    var members: [String: JSONValue] = ["recipe": .string(data.resolved.name)]
    for (split, samples) in parts {
      let scores = try Evaluator(constant, batchSize: min(settings.batchSize, samples.count), threads: compute.threads)
        .evaluate(samples)
      let epochs = records.compactMap { split == "test" ? $0.test : $0.validation }
      var table = TextTable([(split, .left), ("metric", .left), ("constant", .right), ("linear", .right)])
      var tasks: [String: JSONValue] = [:]
      for (name, score) in scores.tasks where score.present > 0 {
        var metrics: [String: JSONValue] = [:]
        for (index, entry) in score.metrics.enumerated() {
          let linear = epochs.compactMap { $0[name]?[entry.metric] }.reduce(nil) { best, value in
            best.map { entry.metric.isBetter(value, than: $0) ? value : $0 } ?? value
          }
          table.add([
            index == 0 ? name : "", entry.metric.title, entry.metric.text(entry.value), entry.metric.text(linear),
          ])
          metrics[entry.metric.name] = .object(["constant": .number(entry.value), "linear": .number(linear)])
        }
        tasks[name] = .object(metrics)
      }
      tables.append(table.text)
      members[split] = .object(tasks)
    }
    try output.print(tables.joined(separator: "\n\n"), json: .object(members))
  }

  /// The best of each task's first metric on each part so far; an error counts as a loss of its sign.
  private func bestScores(_ records: [EpochRecord]) -> [Double] {
    var best: [String: Double] = [:]
    for record in records {
      for (part, scores) in [("validation", record.validation), ("test", record.test)] {
        for (name, score) in scores?.tasks ?? [] {
          guard let (metric, value) = score.metrics.first, let value else { continue }
          let gain = metric.isBetter(1, than: 0) ? value : -value
          best["\(part) \(name)"] = max(best["\(part) \(name)"] ?? gain, gain)
        }
      }
    }
    return best.keys.sorted().compactMap { best[$0] }
  }
}
