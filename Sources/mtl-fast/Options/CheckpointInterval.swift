// SPDX-License-Identifier: Apache-2.0
// How often a checkpoint is written, as an argument.

import ArgumentParser
import MTLFastTraining

/// `500` steps; `90s`, `10m` or `2h`.
struct CheckpointInterval: ExpressibleByArgument {
  let value: CheckpointWriter.Interval

  init?(argument: String) {
    if let steps = Int(argument) {
      guard steps > 0 else { return nil }
      value = .steps(steps)
    } else {
      guard let last = argument.last, last.isLetter, let time = WallTime(argument: argument) else { return nil }
      value = .seconds(time.seconds)
    }
  }
}
