// SPDX-License-Identifier: Apache-2.0
// Fetches the files of a known data set into a folder.

import MTLFast

/// How far the fetch of a data set has come: one file of several.
public struct FetchProgress: Sendable {
  public let fileName: String
  /// 0-based.
  public let fileIndex: Int
  public let fileCount: Int
  /// Of this file, those of an earlier download included.
  public let receivedBytes: Int
  /// Of this file: as the server says, else as published.
  public let totalBytes: Int
}

/// How the fetch of a data set ended.
public enum FetchOutcome: Sendable {
  /// Every file is in place and is the published one; `fetched` names those that had to be downloaded.
  case finished(LocatedDataset, fetched: [String])
  /// `progress` asked for it. Whole files stay, and the next fetch goes on after `receivedBytes` of `fileName`.
  case stopped(fileName: String, receivedBytes: Int)
}

extension KnownDataset {
  /// Fetches every file that the folder lacks or holds damaged, and verifies it; blocks until that is done.
  ///
  ///     let folder = try DatasetSearch().cacheFolder(for: .fashionMNIST)
  ///     let outcome = try KnownDataset.fashionMNIST.fetch(into: folder) { progress in
  ///       print(progress.fileName, progress.receivedBytes, progress.totalBytes)
  ///       return true
  ///     }
  ///
  /// - Parameters:
  ///   - folder: created where it doesn't exist.
  ///   - mirror: the address that file names are appended to, instead of `downloadURL`.
  ///   - stallSeconds: how long the connection may take, and how long nothing may arrive.
  ///   - progress: called often; false stops.
  /// - Throws: `MTLFastError`, as `Download.run`.
  public func fetch(
    into folder: String, mirror: String? = nil, stallSeconds: Int = 30,
    progress: (FetchProgress) -> Bool = { _ in true }
  ) throws -> FetchOutcome {
    guard !folder.isEmpty else { throw MTLFastError(.usage, "\(name): the folder to fetch into has no name.") }
    var fetched: [String] = []
    let base = mirror ?? downloadURL
    for (index, file) in files.enumerated() where !Self.isPublished(file, in: folder) {
      var download = Download(
        url: base.hasSuffix("/") ? base + file.name : "\(base)/\(file.name)", destination: "\(folder)/\(file.name)",
        file: file)
      download.stallSeconds = stallSeconds
      let outcome = try download.run { received, total in
        progress(
          FetchProgress(
            fileName: file.name, fileIndex: index, fileCount: files.count, receivedBytes: received,
            totalBytes: total ?? file.downloadBytes))
      }
      if case .stopped(let bytes) = outcome { return .stopped(fileName: file.name, receivedBytes: bytes) }
      fetched.append(file.name)
    }
    guard let located = LocatedDataset(dataset: self, folder: folder) else {
      throw MTLFastError(.missingInput, "\(folder): files of '\(name)' disappeared while it was fetched.")
    }
    return .finished(located, fetched: fetched)
  }

  private static func isPublished(_ file: File, in folder: String) -> Bool {
    guard let path = LocatedDataset.path(of: file, in: folder) else { return false }
    return (try? file.difference(ofFileAt: path, limit: file.byteCount)) == .some(nil)
  }
}
