// SPDX-License-Identifier: Apache-2.0
// What `--version` prints.

/// The program's version, and what it runs on.
enum Version {
  static let number = "0.1.0"

  /// `mtl-fast 0.1.0 (avx512, 2 threads)`
  static var text: String { "mtl-fast \(number)" }
}
