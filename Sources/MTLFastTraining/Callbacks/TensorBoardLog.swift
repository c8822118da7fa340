// SPDX-License-Identifier: Apache-2.0
// The callback that shows a training in TensorBoard.

import Files
import MTLFast

/// Writes one event file into the run's folder, for `tensorboard --logdir runs`:
///
/// - for each step `loss/total`, `loss/item`, each task's first metric as `accuracy/item`, `learning_rate`,
///   `samples_per_second`, and `gradient_norm` where gradients are clipped;
/// - for each epoch, at its last step, `validation/loss/item`, `test/accuracy/item` with every metric, and a histogram of
///   each parameter, `weights/trunk.conv2d_1.kernel`;
/// - once the model graph.
///
/// A training that goes on from a checkpoint goes on with the file too: what the checkpoint doesn't know is cut off, and
/// no step is there twice. Only times and `samples_per_second` depend on the machine.
public final class TensorBoardLog: Callback {
  private let run: RunFolder
  private let secondsBetweenFlushes = 2.0
  /// nil before the training starts.
  private var file: EventFile?
  private var lastFlush = 0.0
  private var tags: [StepTags] = []

  /// The tags of one task's steps; making them for each step would take most of its time.
  private struct StepTags {
    let loss: String
    let metric: String
  }

  public init(in run: RunFolder) { self.run = run }

  /// The event file of a run; nil where it has none.
  ///
  /// - Throws: `MTLFastError` of kind `missingInput` where the folder can't be read.
  public static func path(in run: RunFolder) throws -> String? {
    let names = try Folder.names(in: run.path) ?? []
    return names.filter { $0.hasPrefix(prefix) && $0.hasSuffix(ending) }.max().map { "\(run.path)/\($0)" }
  }

  private static let prefix = "events.out.tfevents."
  private static let ending = ".mtl-fast"

  private func newPath() -> String {
    let seconds = String(Int(EventFile.secondsSince1970()))
    return
      "\(run.path)/\(Self.prefix)\(String(repeating: "0", count: max(0, 10 - seconds.count)))\(seconds)\(Self.ending)"
  }

  public func trainingDidStart(_ start: TrainingStart) throws {
    // Of a checkpoint in mid-epoch, at the last step too, the epoch's scores are still to come.
    let isAfterEpoch = start.step == start.epoch * start.stepsPerEpoch
    let file = try EventFile(path: Self.path(in: run) ?? newPath()) { event in
      guard start.step > 0, event.step <= start.step else { return false }
      return event.step < start.step || isAfterEpoch || event.isOfStep
    }
    if !file.goesOn {
      try file.append(step: 0, .graphDef(TensorBoardGraphDef(start.graph).bytes()))
    }
    tags = start.graph.heads.map { head in
      StepTags(loss: "loss/\(head.name)", metric: head.metrics.first.map { "\($0.name)/\(head.name)" } ?? "")
    }
    self.file = file
    try flush()
  }

  public func stepDidEnd(_ record: StepRecord, state: () throws -> TrainingState) throws {
    var summary = TensorBoardSummary()
    summary.value.reserveCapacity(2 * record.scores.tasks.count + 4)
    summary.add(TensorBoardEvent.tagOfStep, record.scores.loss)
    for ((_, score), tags) in zip(record.scores.tasks, tags) {
      summary.add(tags.loss, score.loss)
      if let (_, value) = score.metrics.first { summary.add(tags.metric, value) }
    }
    summary.add("learning_rate", Double(record.learningRate))
    summary.add("gradient_norm", record.gradientNorm)
    summary.add("samples_per_second", Double(record.sampleCount) / record.seconds)
    try file?.append(step: record.step, .summary(summary))
    if monotonicSeconds() - lastFlush >= secondsBetweenFlushes { try flush() }
  }

  public func epochDidEnd(_ record: EpochRecord, state: () throws -> TrainingState) throws {
    var summary = TensorBoardSummary()
    for (split, scores) in [("validation", record.validation), ("test", record.test)] {
      guard let scores else { continue }
      summary.add("\(split)/loss/total", scores.loss)
      for (task, score) in scores.tasks {
        summary.add("\(split)/loss/\(task)", score.loss)
        for (metric, value) in score.metrics { summary.add("\(split)/\(metric.name)/\(task)", value) }
      }
    }
    if !summary.value.isEmpty { try file?.append(step: record.step, .summary(summary)) }
    summary = TensorBoardSummary()
    for tensor in try state().parameters {
      var value = TensorBoardSummary.Value()
      value.tag = "weights/\(tensor.name)"
      value.histo = TensorBoardHistogramProto(WeightHistogram(tensor.values))
      summary.value.append(value)
    }
    if !summary.value.isEmpty { try file?.append(step: record.step, .summary(summary)) }
    try flush()
  }

  public func trainingDidStop(step: Int, state: () throws -> TrainingState) throws { try flush() }

  public func synchronize() throws { try file?.synchronize() }

  /// Shows TensorBoard what there is so far.
  private func flush() throws {
    try file?.flush()
    lastFlush = monotonicSeconds()
  }
}

extension TensorBoardEvent {
  /// Every step's summary begins with it, and no epoch's.
  fileprivate static let tagOfStep = "loss/total"
  fileprivate var isOfStep: Bool { summary.value.first?.tag == Self.tagOfStep }
}

extension TensorBoardSummary {
  /// Nothing where there is no value.
  fileprivate mutating func add(_ tag: String, _ number: Double?) {
    guard let number else { return }
    var entry = Value()
    entry.tag = tag
    entry.simpleValue = Float(number)
    value.append(entry)
  }
}
