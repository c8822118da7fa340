// SPDX-License-Identifier: Apache-2.0
// The callback that decides which epoch's model is the best, and keeps that model.

import Files
import MTLFast

/// Remembers the best epoch on the validation data, for the whole model and for each task.
///
///     let best = try BestModel(in: run, on: MetricExpression("item.accuracy"))
///     let checkpoints = try CheckpointWriter(in: run, recipe: text, tasks: names, selection: best)
///     try trainer.fit(training, validation: held, epochs: 10, batchSize: 200, callbacks: [best, checkpoints])
///
/// `best.safetensors` is the best epoch's checkpoint under a second name, so nothing is written twice. It is put there
/// once the checkpoint is on the disk. As long as a checkpoint that training may go on from names an epoch as the best,
/// that epoch's own checkpoint stays: whatever a kill or damage undoes, the file is linked again from there. Of equal
/// epochs the earlier is the best.
public final class BestModel: Callback {
  /// The epoch that was best.
  public struct Best: Sendable, Hashable {
    public let value: Double
    public let epoch: Int
    public let step: Int
  }

  public let expression: MetricExpression
  /// nil before the first score.
  public private(set) var best: Best?
  /// The best epoch of each task by its first metric, in the order of the heads; without those that had no score yet.
  public var tasks: [(name: String, metric: Metric, best: Best)] {
    tracked.compactMap { task in task.best.map { (task.name, task.metric, $0) } }
  }

  /// What was chosen, without the way to it; nil before the first score.
  public var choice: ModelChoice? {
    best.map { ModelChoice(expression: expression, best: $0, tasks: tasks, path: path) }
  }

  /// Where the best model is kept.
  public var path: String { run.bestPath() }

  private let run: RunFolder
  private let perTask: Bool
  private let direction: MetricExpression.Direction
  private let note: (String) -> Void
  private var tracked: [(name: String, metric: Metric, best: Best?)] = []

  /// - Parameters:
  ///   - perTask: whether `best-TASK.safetensors` is kept for each task too.
  ///   - notes: is told what had to be given up.
  /// - Throws: `MTLFastError` of kind `usage` where the expression has no direction.
  public init(
    in run: RunFolder, on expression: MetricExpression = .validationLoss, perTask: Bool = false,
    notes: @escaping (String) -> Void = { _ in }
  ) throws {
    self.run = run
    self.expression = expression
    self.perTask = perTask
    note = notes
    direction = try expression.direction()
  }

  // MARK: Deciding

  public var saved: [String: String] {
    var texts: [String: String] = [:]
    func add(_ best: Best?, _ name: String) {
      guard let best else { return }
      // The shortest text that reads back to the same bits.
      texts["\(name).value"] = "\(best.value)"
      texts["\(name).epoch"] = "\(best.epoch)"
      texts["\(name).step"] = "\(best.step)"
    }
    add(best, "best")
    for task in tracked { add(task.best, "best.\(task.name)") }
    return texts
  }

  public func trainingDidStart(_ start: TrainingStart) throws {
    try expression.check(against: start.graph)
    func taken(_ name: String) -> Best? {
      guard let value = start.saved["\(name).value"].flatMap(Double.init),
        let epoch = start.saved["\(name).epoch"].flatMap(Int.init),
        let step = start.saved["\(name).step"].flatMap(Int.init)
      else { return nil }
      return Best(value: value, epoch: epoch, step: step)
    }
    best = try restored(taken("best"), at: run.bestPath())
    tracked = try start.graph.heads.compactMap { head in
      guard let metric = head.metrics.first else { return nil }
      let best = taken("best.\(head.name)")
      return (head.name, metric, perTask ? try restored(best, at: path(of: head.name)) : best)
    }
  }

  public func epochDidEnd(_ record: EpochRecord, state: () throws -> TrainingState) throws {
    guard let scores = record.validation else { return }
    if let value = expression.value(in: scores), best.map({ direction.isBetter(value, than: $0.value) }) ?? true {
      best = Best(value: value, epoch: record.epoch, step: record.step)
    }
    for index in tracked.indices {
      let metric = tracked[index].metric
      guard let value = scores[tracked[index].name]?[metric], value.isFinite,
        tracked[index].best.map({ metric.isBetter(value, than: $0.value) }) ?? true
      else { continue }
      tracked[index].best = Best(value: value, epoch: record.epoch, step: record.step)
    }
  }

  // MARK: Files

  private func path(of task: String) throws -> String {
    guard !task.contains("/") else {
      throw MTLFastError(.usage, "The best model of task '\(task)' can't be a file: its name has a '/'.")
    }
    return run.bestPath(of: task)
  }

  /// The best of each file.
  private var files: [(path: String, step: Int)] {
    var files: [(path: String, step: Int)] = best.map { [(run.bestPath(), $0.step)] } ?? []
    guard perTask else { return files }
    for task in tracked {
      if let best = task.best { files.append((run.bestPath(of: task.name), best.step)) }
    }
    return files
  }

  /// Makes a file what it was when the checkpoint was written that training goes on from.
  private func restored(_ best: Best?, at path: String) throws -> Best? {
    guard let best else {
      // Of a past that didn't happen, or of none.
      try FileLink.remove(path)
      return nil
    }
    let source = CheckpointWriter.path(of: best.step, in: run)
    if Self.isWhole(source, step: best.step) {
      try FileLink.replace(path, by: source)
    } else if !Self.isWhole(path, step: best.step) {
      try FileLink.remove(path)
      note(
        "Warning: \(path): the model of epoch \(best.epoch), the best so far, is lost. The best of what follows is kept."
      )
      return nil
    }
    return best
  }

  private static func isWhole(_ path: String, step: Int) -> Bool {
    (try? Checkpoint.read(from: path).state.step) == step
  }
}

/// The best epoch of a training, and that of each task.
public struct ModelChoice: Sendable {
  public let expression: MetricExpression
  public let best: BestModel.Best
  /// By each task's first metric, in the order of the heads; without those that had no score.
  public let tasks: [(name: String, metric: Metric, best: BestModel.Best)]
  /// Where the best model is kept.
  public let path: String
}

extension BestModel: CheckpointSelection {
  public var neededSteps: Set<Int> { Set(files.map(\.step)) }

  public func checkpointWasWritten(at path: String, step: Int) throws {
    for file in files where file.step == step { try FileLink.replace(file.path, by: path) }
  }
}
