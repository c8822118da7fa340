// SPDX-License-Identifier: Apache-2.0
// Where the package is, for tests that read its files.

import Foundation

/// `Package.swift` is in it.
package let packageFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()
