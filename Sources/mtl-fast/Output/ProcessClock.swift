// SPDX-License-Identifier: Apache-2.0
// When the program began.

/// Measures from the program's first statement.
enum ProcessClock {
  private static let start = ContinuousClock.now

  /// Starts the clock, where that hasn't been done.
  static func begin() { _ = start }

  static var seconds: Double { (ContinuousClock.now - start).seconds }
}
