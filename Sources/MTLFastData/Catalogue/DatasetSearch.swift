// SPDX-License-Identifier: Apache-2.0
// Where the files of a known data set are looked for, in which order.

import Files
import MTLFast

/// Finds the folder that holds a known data set.
///
/// The order: the folder that was asked for (`--data`; then nothing else is looked at), `$MTLF_DATA`, the user's cache,
/// the Debian package's folder. The first two may name the data set's own folder or the folder above it.
public struct DatasetSearch: Sendable {
  /// A folder that was asked for, as with `--data DIR`.
  public var folder: String?
  /// Environment variables by name.
  public var environment: @Sendable (String) -> String?
  /// Where system packages keep data sets.
  public var packagesFolder = "/usr/share/datasets"

  public init(
    folder: String? = nil,
    environment: @escaping @Sendable (String) -> String? = { name in getenv(name).map { String(cString: $0) } }
  ) {
    self.folder = folder
    self.environment = environment
  }

  /// The data set's folder in the user's cache, where `fetch` puts it: `~/.cache/mtl-fast/fashion-mnist`, or below
  /// `$XDG_CACHE_HOME`, or below `~/Library/Caches` on macOS.
  ///
  /// - Throws: `MTLFastError` of kind `usage` where the environment names neither a cache nor a home.
  public func cacheFolder(for dataset: KnownDataset) throws -> String {
    guard let caches = cachesFolder else {
      throw MTLFastError(
        .usage, "HOME and XDG_CACHE_HOME are not set, so there is no cache folder. Set one of them, or name a folder.")
    }
    return "\(caches)/mtl-fast/\(dataset.name)"
  }

  /// The first folder that holds every file of the data set.
  ///
  /// - Throws: `MTLFastError` of kind `missingInput` that lists where it looked and how to get the files.
  public func locate(_ dataset: KnownDataset) throws -> LocatedDataset {
    if let folder {
      let candidates = [folder, FilePath.join(folder, dataset.name)]
      if let found = Self.firstComplete(dataset, in: candidates) { return found }
      throw notInFolder(dataset, folder: folder, candidates: candidates)
    }
    var looked: [String] = []
    for place in places(for: dataset) {
      if let found = Self.firstComplete(dataset, in: place.candidates) { return found }
      looked += place.candidates.map { "\($0)\(place.note) (\(Self.shortfall(of: dataset, in: $0)))" }
    }
    throw MTLFastError(
      .missingInput, "Data set '\(dataset.name)' was not found. Looked in \(looked.joined(separator: ", ")).",
      remedy: .gettingDataset(dataset.name, package: dataset.debianPackage))
  }

  private func places(for dataset: KnownDataset) -> [(candidates: [String], note: String)] {
    var places: [(candidates: [String], note: String)] = []
    if let named = environment("MTLF_DATA"), !named.isEmpty {
      places.append(([named, FilePath.join(named, dataset.name)], " from MTLF_DATA"))
    }
    if let cache = try? cacheFolder(for: dataset) { places.append(([cache], "")) }
    if dataset.debianPackage != nil { places.append(([FilePath.join(packagesFolder, dataset.name)], "")) }
    return places
  }

  /// The folder above all caches of the user; nil where the environment names neither it nor a home.
  var cachesFolder: String? {
    // The XDG specification: a relative path is to be ignored.
    if let cache = environment("XDG_CACHE_HOME"), cache.hasPrefix("/") { return FilePath.withoutTrailingSlash(cache) }
    guard let home = environment("HOME"), !home.isEmpty else { return nil }
    #if os(macOS)
      return FilePath.join(home, "Library/Caches")
    #else
      return FilePath.join(home, ".cache")
    #endif
  }

  private func notInFolder(_ dataset: KnownDataset, folder: String, candidates: [String]) -> MTLFastError {
    let looked = candidates.map { "\($0) (\(Self.shortfall(of: dataset, in: $0)))" }
    return MTLFastError(
      .missingInput,
      "\(folder): the files of '\(dataset.name)' are not there. Looked in \(looked.joined(separator: ", ")). "
        + "Name the folder that holds \(dataset.folderContent).",
      remedy: .leavingOutDataFolder)
  }

  private static func firstComplete(_ dataset: KnownDataset, in candidates: [String]) -> LocatedDataset? {
    for candidate in candidates {
      if let found = LocatedDataset(dataset: dataset, folder: candidate) { return found }
    }
    return nil
  }

  /// What a folder lacks: `no such folder`, `lacks t10k-labels-idx1-ubyte.gz`.
  private static func shortfall(of dataset: KnownDataset, in folder: String) -> String {
    guard FilePath.exists(folder) else { return "no such folder" }
    return dataset.shortfall(in: folder)
  }
}
