// SPDX-License-Identifier: Apache-2.0
// The callback that ends a training when its time is up.

import MTLFast

/// Ends the training after the step in which a time since its start has passed.
///
/// When that is depends on the machine; what a resumed training ends with doesn't.
public final class TimeBudget: Callback {
  private let seconds: Double
  private var end = Double.infinity
  private var requestStop: (String) -> Void = { _ in }

  /// - Parameter seconds: of wall time, from the start of `fit`.
  /// - Throws: `MTLFastError` of kind `usage`.
  public init(seconds: Double) throws {
    guard seconds > 0, seconds.isFinite else {
      throw MTLFastError(.usage, "The time budget is \(seconds) s. Use a number above 0.")
    }
    self.seconds = seconds
  }

  public func trainingDidStart(_ start: TrainingStart) {
    end = monotonicSeconds() + seconds
    requestStop = start.requestStop
  }

  public func stepDidEnd(_ record: StepRecord, state: () throws -> TrainingState) {
    guard monotonicSeconds() >= end else { return }
    let whole = Int(exactly: seconds).map(String.init) ?? "\(seconds)"
    requestStop("the time budget of \(whole) s is used up")
  }
}
