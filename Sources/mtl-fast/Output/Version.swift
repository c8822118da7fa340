// SPDX-License-Identifier: Apache-2.0
// What `--version` prints.

import MTLFast
import MTLFastTraining

/// The program's version, and what it runs on.
enum Version {
  /// `mtl-fast 0.1.0 (avx512, 2 threads)`
  static var text: String {
    guard let platform = try? Platform() else { return "mtl-fast \(MTLFastVersion.number)" }
    return
      "mtl-fast \(MTLFastVersion.number) (\(platform.isaName), \(platform.threads) thread\(platform.threads == 1 ? "" : "s"))"
  }
}
