// SPDX-License-Identifier: Apache-2.0
// Which exit code says what.

import MTLFast

/// The program's exit codes: those of sysexits.h where it has one.
enum ExitStatus {
  static let usage: Int32 = 64
  static let badData: Int32 = 65
  static let missingInput: Int32 = 66
  static let writeFailed: Int32 = 74
  static let other: Int32 = 1

  static func of(_ error: MTLFastError) -> Int32 {
    switch error.kind {
    case .usage: usage
    case .badData: badData
    case .missingInput: missingInput
    case .writeFailed: writeFailed
    case .nonFinite, .system: other
    }
  }

  /// What the help of the program says about exit codes.
  static let explanation =
    "Exit codes: 0 done, 64 wrong usage, 65 bad recipe or data, 66 missing input, 74 a file could not be written, "
    + "130/143/129 stopped by Ctrl-C/SIGTERM/a closed terminal, 1 anything else."
}
