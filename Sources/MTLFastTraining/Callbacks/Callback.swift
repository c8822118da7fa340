// SPDX-License-Identifier: Apache-2.0
// What can be told about a training while it runs.

import MTLFast

/// Sees training's records. It never touches the plan; an error that it throws ends the training.
///
/// Callbacks are called in order, on the thread that called `fit`.
public protocol Callback: AnyObject {
  func trainingDidStart(_ start: TrainingStart) throws
  func stepDidEnd(_ record: StepRecord) throws
  /// `state` is a snapshot of everything that training made; taking it copies, so ask for it only to keep it.
  func epochDidEnd(_ record: EpochRecord, state: () throws -> TrainingState) throws
  /// After a stop request in mid-epoch.
  func trainingDidStop(step: Int, state: () throws -> TrainingState) throws
}

extension Callback {
  public func trainingDidStart(_ start: TrainingStart) throws {}
  public func stepDidEnd(_ record: StepRecord) throws {}
  public func epochDidEnd(_ record: EpochRecord, state: () throws -> TrainingState) throws {}
  public func trainingDidStop(step: Int, state: () throws -> TrainingState) throws {}
}

/// What is known when training starts.
public struct TrainingStart: Sendable {
  public let epochs: Int
  public let stepsPerEpoch: Int
  public let sampleCount: Int
  public let batchSize: Int
  public let threads: Int
}
