// SPDX-License-Identifier: Apache-2.0
// What can be told about a training while it runs.

import MTLFast
import Synchronization

/// Sees training's records. It never touches the plan; an error that it throws ends the training.
///
/// Callbacks are called in order, on the thread that called `fit`. One that decides something (when to stop, which model
/// is best) stands before the one that writes checkpoints, so that a checkpoint holds the decision.
public protocol Callback: AnyObject {
  func trainingDidStart(_ start: TrainingStart) throws
  /// `state` is a snapshot of everything that training made; taking it copies, so ask for it only to keep it.
  func stepDidEnd(_ record: StepRecord, state: () throws -> TrainingState) throws
  func epochDidEnd(_ record: EpochRecord, state: () throws -> TrainingState) throws
  /// After a stop request in mid-epoch.
  func trainingDidStop(step: Int, state: () throws -> TrainingState) throws
  /// Called before a snapshot of the state is taken: what the callback has written must be on the disk then, so that no
  /// checkpoint knows of more than the logs hold.
  func synchronize() throws
  /// What the callback must know again when training goes on from a checkpoint, by keys that begin with its own name:
  /// `early_stopping.waited`. `TrainingStart.saved` gives it back. Nothing of the machine or the time.
  var saved: [String: String] { get }
}

extension Callback {
  public func trainingDidStart(_ start: TrainingStart) throws {}
  public func stepDidEnd(_ record: StepRecord, state: () throws -> TrainingState) throws {}
  public func epochDidEnd(_ record: EpochRecord, state: () throws -> TrainingState) throws {}
  public func trainingDidStop(step: Int, state: () throws -> TrainingState) throws {}
  public func synchronize() throws {}
  public var saved: [String: String] { [:] }
}

/// What is known when training starts, and the way to end it.
public struct TrainingStart: Sendable {
  public let graph: ModelGraph
  public let epochs: Int
  public let stepsPerEpoch: Int
  public let sampleCount: Int
  public let batchSize: Int
  public let threads: Int
  /// Optimizer steps and epochs that the training it goes on from had completed; 0 for a new one.
  public let step: Int
  public let epoch: Int
  /// What all callbacks saved in the checkpoint that training goes on from; empty for a new training.
  public let saved: [String: String]
  /// Ends the training, for a reason in words: after the step where it is asked for in `stepDidEnd`, otherwise after the
  /// epoch.
  public let requestStop: @Sendable (_ reason: String) -> Void
}

/// Why a callback ended the training, the first one that asked for it.
final class StopReason: Sendable {
  private let reason = Mutex<String?>(nil)
  var text: String? { reason.withLock { $0 } }
  func set(_ text: String) { reason.withLock { $0 = $0 ?? text } }
}

/// The callbacks of a training, and the time that they took.
final class CallbackList {
  private let callbacks: [any Callback]
  private(set) var seconds = 0.0

  init(_ callbacks: [any Callback]) { self.callbacks = callbacks }

  var isEmpty: Bool { callbacks.isEmpty }

  /// What all of them saved.
  var saved: [String: String] {
    callbacks.reduce(into: [:]) { all, callback in all.merge(callback.saved) { _, new in new } }
  }

  /// The same, with what they have written on the disk.
  func synchronized() throws -> [String: String] {
    for callback in callbacks { try callback.synchronize() }
    return saved
  }

  func call(_ body: (any Callback) throws -> Void) throws {
    let start = monotonicSeconds()
    defer { seconds += monotonicSeconds() - start }
    for callback in callbacks { try body(callback) }
  }
}
