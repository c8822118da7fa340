// SPDX-License-Identifier: Apache-2.0
// Where the time of a training goes.

import Files

/// The time since training started, and that of its steps.
struct TrainingClock {
  private let start = monotonicSeconds()
  private(set) var stepSeconds = 0.0
  /// 0 before the first step.
  private(set) var secondsToFirstStep = 0.0

  var sinceStart: Double { monotonicSeconds() - start }

  /// Seconds of one step.
  mutating func step(_ body: () throws -> Void) rethrows -> Double {
    if secondsToFirstStep == 0 { secondsToFirstStep = sinceStart }
    let seconds = try timed(body)
    stepSeconds += seconds
    return seconds
  }
}

/// Seconds of a clock that only goes forward.
package func monotonicSeconds() -> Double {
  var now = timespec()
  clock_gettime(CLOCK_MONOTONIC, &now)
  return Double(now.tv_sec) + 1e-9 * Double(now.tv_nsec)
}

func timed(_ body: () throws -> Void) rethrows -> Double {
  let start = monotonicSeconds()
  try body()
  return monotonicSeconds() - start
}
