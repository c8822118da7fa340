// SPDX-License-Identifier: Apache-2.0
// The nets of a comparison: each is trained in a run folder of its own, scored once, and never trained again.

import MTLFast
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

  private let folder: ComparisonFolder
  private let count: Int
  private let threads: Int?
  private let stop: StopRequest?
  private let observer: (any ComparisonObserver)?
  private let notes: (String) -> Void
  private var number = 0
  /// Of the results so far.
  private(set) var failed: [FailedNet] = []
  /// Of this process, to tell how long the rest will take.
  private var trained = 0
  private var secondsTrained = 0.0

  /// - Parameter count: how many nets there will be.
  init(
    in folder: ComparisonFolder, count: Int, threads: Int?, stop: StopRequest?, observer: (any ComparisonObserver)?,
    notes: @escaping (String) -> Void
  ) {
    self.folder = folder
    self.count = count
    self.threads = threads
    self.stop = stop
    self.observer = observer
    self.notes = notes
  }

  /// The scores of a finished net; one that isn't is trained from where it is. One that diverges has none, now and whenever
  /// the comparison goes on: the same training would end the same way.
  ///
  /// - Parameter splits: what it is scored on.
  /// - Returns: nil where a stop was requested.
  /// - Throws: `MTLFastError`.
  func result(of net: Net, scoredOn splits: [String]) throws -> NetResult? {
    number += 1
    guard let result = try folder.result(of: net.path) ?? train(net, scoredOn: splits) else { return nil }
    if let reason = result.failure { failed.append(FailedNet(net: net.title, task: net.task, reason: reason)) }
    return result
  }

  private func train(_ net: Net, scoredOn splits: [String]) throws -> NetResult? {
    guard stop?.isRequested != true else { return nil }
    let start = monotonicSeconds()
    let recipe = net.data.resolved
    let graph = try recipe.modelGraph()
    let run = try folder.run(net.path, recipeText: recipe.yaml())
    let left = secondsTrained / Double(max(1, trained)) * Double(count - number + 1)
    let told = ComparedNet(
      path: net.path, title: net.title, task: net.task, number: number, count: count,
      secondsLeft: trained > 0 ? left : nil)
    var training = RecipeTraining(net.data, in: .net(run), threads: threads)
    training.stop = stop
    training.notes = notes
    var scored: [(split: String, scores: Scores)] = []
    var failure: String?
    do {
      let result = try training.run { try observer?.netWillTrain(told, $0) ?? [] }
      observer?.netDidTrain(told, result)
      if result.history.wasStopped { return nil }
      if let best = recipe.training.best, result.best == nil {
        throw MTLFastError(.nonFinite, "'\(best)' has no value after any epoch, so none of them is the best.")
      }
      scored = try splits.compactMap { split in
        try scores(of: run, graph, net.data, on: split).map { (split: split, scores: $0) }
      }
    } catch let error as MTLFastError where error.kind == .nonFinite {
      observer?.netDidFail(told, reason: error.message)
      failure = error.message
    }
    let parameters = graph.parameterSpecifications.reduce(0) { $0 + $1.specification.elementCount }
    try folder.write(
      NetResult.text(
        parameters: parameters, scores: scored, failure: failure, trainingSeconds: run.trainingSeconds()),
      to: "\(net.path)/\(NetResult.fileName)")
    trained += 1
    secondsTrained += monotonicSeconds() - start
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

/// A net of a comparison that has no result.
public struct FailedNet: Sendable, Hashable {
  /// `seed 0, item alone`
  public let net: String
  /// The task of a twin; nil where the net learns all.
  public let task: String?
  public let reason: String
}
