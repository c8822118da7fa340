// SPDX-License-Identifier: Apache-2.0
// Where the files of a CIFAR set are: a folder, or the official archive.

import Files
import MTLFast

/// The files of a CIFAR set, unpacked or in the official archive.
enum CIFARSource: Equatable {
  case folder(String)
  case archive(String)

  /// What a path holds: the files themselves, the official folder or the official archive in that order; or it is the
  /// archive. nil where it is none of these.
  static func find(_ variant: CIFARVariant, at path: String) -> CIFARSource? {
    if FilePath.kind(of: path) == .file { return .archive(path) }
    for candidate in [path, FilePath.join(path, variant.folderName)] where missing(variant, in: candidate).isEmpty {
      return .folder(candidate)
    }
    return [variant.archiveName, String(variant.archiveName.dropLast(".gz".count))]
      .map { FilePath.join(path, $0) }.first { FilePath.kind(of: $0) == .file }.map { .archive($0) }
  }

  /// The files that a folder lacks, of those directly in it or in the official folder below it, whichever has more.
  static func shortfall(_ variant: CIFARVariant, at path: String) -> [String] {
    let direct = missing(variant, in: path)
    let below = missing(variant, in: FilePath.join(path, variant.folderName))
    return below.count < direct.count ? below : direct
  }

  private static func missing(_ variant: CIFARVariant, in folder: String) -> [String] {
    variant.allFiles.filter { FilePath.kind(of: FilePath.join(folder, $0)) != .file }
  }
}
