// SPDX-License-Identifier: Apache-2.0
// The numbers that a setting may be, said once for whoever checks, reads or describes it.

/// An interval of numbers with its words.
package struct NumberRange: Sendable, Hashable, CustomStringConvertible {
  package let lower: Double
  package let upper: Double
  package let includesLower: Bool
  package let includesUpper: Bool
  /// `a number above 0`
  package let description: String

  package func contains(_ value: Double) -> Bool {
    value.isFinite && (includesLower ? value >= lower : value > lower)
      && (includesUpper ? value <= upper : value < upper)
  }

  package static let any = NumberRange(-.infinity, .infinity, "a number")
  package static let positive = NumberRange(0, .infinity, "a number above 0", includesLower: false)
  package static let nonNegative = NumberRange(0, .infinity, "a number of 0 or more")
  package static let belowOne = NumberRange(0, 1, "a number from 0 to less than 1", includesUpper: false)
  package static let share = NumberRange(0, 1, "a number from 0 to 1")
  package static let properShare = NumberRange(
    0, 1, "a number above 0 and below 1", includesLower: false, includesUpper: false)

  private init(
    _ lower: Double, _ upper: Double, _ description: String, includesLower: Bool = true, includesUpper: Bool = true
  ) {
    self.lower = lower
    self.upper = upper
    self.includesLower = includesLower
    self.includesUpper = includesUpper
    self.description = description
  }
}
