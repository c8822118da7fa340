// SPDX-License-Identifier: Apache-2.0
// A length of time as an argument.

import ArgumentParser
import MTLFast

/// `90`, `90s`, `30m`, `1.5h`: seconds unless a unit follows.
struct WallTime: ExpressibleByArgument {
  let seconds: Double

  init?(argument: String) {
    let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600]
    let unit = argument.last.flatMap { units[$0] }
    let number = unit == nil ? argument[...] : argument.dropLast()
    guard number.utf8.allSatisfy({ (48...57).contains($0) || $0 == UInt8(ascii: ".") }), let value = Double(number),
      value > 0, value * (unit ?? 1) < 1e9
    else { return nil }
    seconds = value * (unit ?? 1)
  }
}
