// SPDX-License-Identifier: Apache-2.0
// Where the files of a CIFAR set are: a folder, or the official archive.

import MTLFast

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The files of a CIFAR set, unpacked or in the official archive.
enum CIFARSource: Equatable {
  case folder(String)
  case archive(String)

  /// What a path holds: the files themselves, the official folder or the official archive in that order; or it is the
  /// archive. nil where it is none of these.
  static func find(_ variant: CIFARVariant, at path: String) -> CIFARSource? {
    if fileType(of: path) == S_IFREG { return .archive(path) }
    let folder = path.hasSuffix("/") ? path : path + "/"
    for candidate in [folder, "\(folder)\(variant.folderName)/"] where missing(variant, in: candidate).isEmpty {
      return .folder(candidate)
    }
    let archives = [variant.archiveName, String(variant.archiveName.dropLast(".gz".count))].map { folder + $0 }
    return archives.first { fileType(of: $0) == S_IFREG }.map { .archive($0) }
  }

  /// The files that a folder lacks, of those directly in it or in the official folder below it, whichever has more.
  static func shortfall(_ variant: CIFARVariant, at path: String) -> [String] {
    let folder = path.hasSuffix("/") ? path : path + "/"
    let direct = missing(variant, in: folder)
    let below = missing(variant, in: "\(folder)\(variant.folderName)/")
    return below.count < direct.count ? below : direct
  }

  private static func missing(_ variant: CIFARVariant, in folder: String) -> [String] {
    variant.allFiles.filter { fileType(of: folder + $0) != S_IFREG }
  }

  private static func fileType(of path: String) -> mode_t? {
    var status = stat()
    return stat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
  }
}
