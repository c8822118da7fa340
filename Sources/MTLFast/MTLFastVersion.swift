// SPDX-License-Identifier: Apache-2.0
// The version of the library.

/// The version of the library, which checkpoints and `mtl-fast --version` name.
public enum MTLFastVersion {
  /// Semantic versioning: `0.1.0`.
  public static let number = "0.1.0"
}
