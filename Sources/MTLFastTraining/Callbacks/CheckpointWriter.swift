// SPDX-License-Identifier: Apache-2.0
// The callback that writes checkpoints, and the way back to the newest of them.

import Files
import MTLFast

/// Decides which checkpoints stay beside the last ones, and makes something of those that were written.
public protocol CheckpointSelection: AnyObject {
  /// The steps whose checkpoints the one of this moment relies on.
  var neededSteps: Set<Int> { get }
  func checkpointWasWritten(at path: String, step: Int) throws
}

/// Writes `checkpoints/step-00000300.safetensors` after each epoch, when training is stopped, and in between as often as
/// is asked for.
///
/// The last ones are kept; an older one goes only when the new one is on the disk. So does one of a later step: training
/// has gone on from before it, since it was damaged, and it must not be what the next resume finds.
public final class CheckpointWriter: Callback {
  /// The checkpoint written last; nil before the first.
  public private(set) var newestPath: String?

  private let run: RunFolder
  private let recipe: String
  private let tasks: [String]
  private let kept: Int
  private let interval: Interval?
  /// Steps of checkpoints that were there beyond the one that training goes on from: damaged, or of a past that won't
  /// have been.
  private var stale: Set<Int> = []
  private var lastStep = 0
  private var lastTime = monotonicSeconds()

  private let selection: (any CheckpointSelection)?
  /// The steps that each checkpoint relies on.
  private var needed: [Int: Set<Int>] = [:]

  /// How often a checkpoint is written within an epoch. When doesn't change what training makes.
  public enum Interval: Sendable, Equatable {
    case steps(Int)
    case seconds(Double)
  }

  /// - Parameters:
  ///   - recipe: the resolved recipe.
  ///   - tasks: the names of the heads, in their order.
  ///   - kept: how many checkpoints stay; with two, one that is damaged later costs what was trained since the other.
  ///   - interval: nil for the ends of epochs alone.
  ///   - selection: a callback that stands before this one; what it needs stays too.
  /// - Throws: `MTLFastError` of kind `usage` where none would be kept.
  public init(
    in run: RunFolder, recipe: String, tasks: [String], keeping kept: Int = 2, every interval: Interval? = nil,
    selection: (any CheckpointSelection)? = nil
  ) throws {
    guard kept > 0 else { throw MTLFastError(.usage, "\(kept) checkpoints can't be kept. Keep 1 or more.") }
    self.run = run
    self.recipe = recipe
    self.tasks = tasks
    self.kept = kept
    self.interval = interval
    self.selection = selection
  }

  public func trainingDidStart(_ start: TrainingStart) throws {
    stale = Set(try Self.files(in: run).map(\.step).filter { $0 > start.step })
    lastStep = start.step
    lastTime = monotonicSeconds()
    needed[start.step] = selection?.neededSteps
    // What a killed training left half-written; a run is written by one training at a time.
    for name in try Self.names(in: run) where name.hasPrefix("step-") && name.hasSuffix(DurableFile.temporaryEnding) {
      FilePath.remove("\(run.checkpointsPath)/\(name)")
    }
  }

  public func stepDidEnd(_ record: StepRecord, state: () throws -> TrainingState) throws {
    let isDue =
      switch interval {
      case .steps(let steps)?: record.step - lastStep >= steps
      case .seconds(let seconds)?: monotonicSeconds() - lastTime >= seconds
      case nil: false
      }
    // The last step of an epoch has its checkpoint in a moment.
    if isDue, record.stepInEpoch < record.stepsPerEpoch { try write(state()) }
  }

  public func epochDidEnd(_ record: EpochRecord, state: () throws -> TrainingState) throws { try write(state()) }

  public func trainingDidStop(step: Int, state: () throws -> TrainingState) throws { try write(state()) }

  private func write(_ state: TrainingState) throws {
    let path = Self.path(of: state.step, in: run)
    try Checkpoint(state: state, recipe: recipe, tasks: tasks).write(to: path)
    if newestPath == nil { try run.becomeLatest() }
    newestPath = path
    lastStep = state.step
    lastTime = monotonicSeconds()
    try selection?.checkpointWasWritten(at: path, step: state.step)
    needed[state.step] = selection?.neededSteps
    let others = try Self.files(in: run)
    // One that can't be removed costs space, not the training.
    stale.remove(state.step)
    func isStale(_ step: Int) -> Bool { step > state.step || stale.contains(step) }
    for file in others where isStale(file.step) { FilePath.remove(file.path) }
    let earlier = others.filter { !isStale($0.step) }
    let stays = earlier.suffix(kept).reduce(into: Set<Int>()) { $0.formUnion(needed[$1.step] ?? []) }
    for file in earlier.dropLast(kept) where !stays.contains(file.step) { FilePath.remove(file.path) }
  }

  // MARK: The way back

  /// A checkpoint that can be used, and newer ones that can't.
  public struct Latest: Sendable {
    public let path: String
    public let checkpoint: Checkpoint
    /// Newer files that were refused, newest first, and why. Each message names its file.
    public let refused: [(path: String, error: MTLFastError)]
  }

  /// The newest checkpoint of a run that is whole.
  ///
  /// - Throws: `MTLFastError` of kind `missingInput` where the run has none, `badData` where all of them are damaged.
  public static func latest(in run: RunFolder) throws -> Latest {
    guard let latest = try latestIfAny(in: run) else {
      throw MTLFastError(
        .missingInput, "\(run.path): has no checkpoint yet. Begin it anew.", remedy: .resumingRun(run.path))
    }
    return latest
  }

  /// The same; nil where the run has none yet.
  public static func latestIfAny(in run: RunFolder) throws -> Latest? {
    let files = try files(in: run)
    var refused: [(path: String, error: MTLFastError)] = []
    for file in files.reversed() {
      do {
        return Latest(path: file.path, checkpoint: try Checkpoint.read(from: file.path), refused: refused)
      } catch let error as MTLFastError where error.kind == .badData {
        refused.append((file.path, error))
      }
    }
    guard let newest = refused.first else { return nil }
    throw MTLFastError(
      .badData,
      "\(run.path): no checkpoint is whole (\(refused.count) damaged). Train it from the start. The newest: \(newest.error.message)"
    )
  }

  /// Where the checkpoint of a step is: `runs/a-001/checkpoints/step-00000300.safetensors`.
  public static func path(of step: Int, in run: RunFolder) -> String {
    let digits = String(step)
    return "\(run.checkpointsPath)/step-\(String(repeating: "0", count: max(0, 8 - digits.count)))\(digits).safetensors"
  }

  /// The checkpoints of a run, oldest first.
  private static func files(in run: RunFolder) throws -> [(step: Int, path: String)] {
    try names(in: run).compactMap { name -> (step: Int, path: String)? in
      guard name.hasPrefix("step-"), name.hasSuffix(".safetensors") else { return nil }
      guard let step = Int(name.dropFirst("step-".count).dropLast(".safetensors".count)), step >= 0 else { return nil }
      let path = "\(run.checkpointsPath)/\(name)"
      return path == Self.path(of: step, in: run) ? (step, path) : nil
    }.sorted { $0.step < $1.step }
  }

  private static func names(in run: RunFolder) throws -> [String] { try Folder.names(in: run.checkpointsPath) ?? [] }
}
