// SPDX-License-Identifier: Apache-2.0
// Times as options give them.

import ArgumentParser
import MTLFastTraining

/// Seconds of `90s`, `10m` or `1.5h`; nil for anything else.
func durationSeconds(ofOption text: String) -> Double? {
  let factors: [Character: Double] = ["s": 1, "m": 60, "h": 3600]
  guard let unit = text.last, let factor = factors[unit], let value = Double(text.dropLast()),
    value > 0, (value * factor).isFinite
  else { return nil }
  return value * factor
}

extension CheckpointWriter.Interval {
  /// - Throws: `ValidationError` for anything but a number of steps or a time.
  init(option text: String) throws {
    if let steps = Int(text), steps > 0 {
      self = .steps(steps)
    } else if let seconds = durationSeconds(ofOption: text) {
      self = .seconds(seconds)
    } else {
      throw ValidationError(
        "--checkpoint-every must be a number of steps or a time such as 500, 90s, 10m or 2h. Received: '\(text)'.")
    }
  }
}
