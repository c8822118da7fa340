// SPDX-License-Identifier: Apache-2.0
// The nets of a comparison: each is trained in a run folder of its own, scored once, and never trained again.

import ArgumentParser
import MTLFast
import MTLFastRecipes
import MTLFastTraining

/// Trains and scores the nets of a comparison, one after the other.
final class ComparisonNets {
  /// One net.
  struct Net {
    /// `seed-0/item`
    let path: String
    /// `seed 0, item`
    let title: String
    /// The task of a twin; nil where the net learns all.
    var task: String?
    let data: RecipeData
  }

  let folder: ComparisonFolder
  private let count: Int
  private let threads: Int?
  private let showsProgress: Bool
  private let stop = SignalStop()
  private var number = 0
  /// Of the results so far.
  private(set) var failed: [FailedNet] = []
  /// Of this process, to tell how long the rest will take.
  private var trained = 0
  private var secondsTrained = 0.0

  /// - Parameter count: how many nets there will be.
  init(in folder: ComparisonFolder, count: Int, threads: Int?, showsProgress: Bool) {
    self.folder = folder
    self.count = count
    self.threads = threads
    self.showsProgress = showsProgress
  }

  private var continuation: String { "mtl-fast compare --resume \(folder.path)" }

  /// The scores of a finished net; one that isn't is trained from where it is. One that diverges has none, now and whenever
  /// the comparison goes on: the same training would end the same way.
  ///
  /// - Parameter splits: what it is scored on.
  /// - Throws: `MTLFastError`; `ExitCode` 130 or 143 after a signal.
  func result(of net: Net, scoredOn splits: [String]) throws -> NetResult {
    number += 1
    let result = try folder.result(of: net.path) ?? train(net, scoredOn: splits)
    if let reason = result.failure { failed.append(FailedNet(net: net.title, task: net.task, reason: reason)) }
    return result
  }

  private func train(_ net: Net, scoredOn splits: [String]) throws -> NetResult {
    if let status = stop.exitStatus {
      Console.note("Stopped between two nets. Go on with: \(continuation)")
      throw ExitCode(status)
    }
    let start = ContinuousClock.now
    let recipe = net.data.resolved
    let graph = try recipe.modelGraph()
    let run = try folder.run(net.path, recipeText: recipe.yaml())
    let left = secondsTrained / Double(max(1, trained)) * Double(count - number + 1)
    let member = ComparedNet(
      run: run,
      title: "net \(number) of \(count): \(net.title)" + (trained > 0 ? ", about \(clockTime(left)) left" : ""),
      isFirst: trained == 0, continuation: continuation, stop: stop)
    var scored: [(split: String, scores: Scores)] = []
    var failure: String?
    do {
      let report = try TrainingJob(
        recipe: recipe, graph: graph, data: net.data, threads: threads, folder: nil, resuming: nil, initFrom: [],
        showsProgress: showsProgress, measuresAccounts: false, net: member
      ).run()
      if let best = recipe.training.best, report.best?.best == nil {
        throw MTLFastError(.nonFinite, "'\(best)' has no value after any epoch, so none of them is the best.")
      }
      scored = try splits.compactMap { split in
        try scores(of: run, graph, net.data, on: split).map { (split: split, scores: $0) }
      }
    } catch let error as MTLFastError where error.kind == .nonFinite {
      Console.note("Warning: \(net.title) did not finish: \(error.message)")
      failure = error.message
    }
    try folder.write(
      NetResult.text(
        parameters: GraphSummary(graph, of: recipe).parameters, scores: scored, failure: failure,
        trainingSeconds: run.trainingSeconds()),
      to: "\(net.path)/\(NetResult.fileName)")
    trained += 1
    secondsTrained += (ContinuousClock.now - start).seconds
    guard let result = folder.result(of: net.path) else {
      throw MTLFastError(.writeFailed, "\(run.path): \(NetResult.fileName) can't be read again. It was changed.")
    }
    return result
  }

  /// The scores of a finished net's final weights; nil where its data have no such part.
  func scores(of net: Net, on split: String) throws -> Scores? {
    try scores(of: folder.trainedRun(net.path), net.data.resolved.modelGraph(), net.data, on: split)
  }

  private func scores(of run: RunFolder, _ graph: ModelGraph, _ data: RecipeData, on split: String) throws -> Scores? {
    guard let samples = split == "test" ? data.test : data.validation else { return nil }
    let model = try MultiTaskModel(graph: graph, seed: data.resolved.training.seed)
    try model.load(Self.finalWeights(of: run, data.resolved))
    return try Evaluator(model, batchSize: min(data.resolved.training.batchSize, samples.count), threads: threads)
      .evaluate(samples)
  }

  /// The weights that stand for a run: those of the best epoch where the recipe says which is best, otherwise those at the
  /// end of its training.
  private static func finalWeights(of run: RunFolder, _ recipe: Recipe) throws -> TrainingState {
    if recipe.training.best != nil { return try Checkpoint.read(from: run.bestPath()).state }
    return try CheckpointWriter.latest(in: run).checkpoint.state
  }
}
