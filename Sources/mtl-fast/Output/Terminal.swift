// SPDX-License-Identifier: Apache-2.0
// What is known of the terminal behind standard error.

import Files

/// The terminal that progress is drawn on.
struct Terminal: Sendable {
  /// False where standard error is a file or a pipe.
  var isInteractive: Bool
  /// The width that a line may fill.
  var columns: Int

  /// Standard error as it is now; a terminal that doesn't tell its width has 80 columns.
  static func current() -> Terminal {
    guard isatty(STDERR_FILENO) == 1, environment("TERM") != "dumb" else {
      return Terminal(isInteractive: false, columns: 80)
    }
    var size = winsize()
    if ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
      return Terminal(isInteractive: true, columns: Int(size.ws_col))
    }
    return Terminal(isInteractive: true, columns: environment("COLUMNS").flatMap { Int($0) } ?? 80)
  }

  private static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
