// SPDX-License-Identifier: Apache-2.0
// Where a data set is looked for, in which order, and what is said when it isn't found.

import Files
import Foundation
import MTLFast
import TestSupport
import Testing

@testable import MTLFastData

struct DatasetSearchTests {
  let folder: TemporaryFolder
  let dataset: KnownDataset
  let contents: [String: [UInt8]]

  init() throws {
    folder = try TemporaryFolder()
    (dataset, contents) = try KnownDataset.tiny()
  }

  private func fill(_ name: String) throws {
    for (file, bytes) in contents { try folder.write(bytes, to: "\(name)/\(file)") }
  }

  private func search(data: String? = nil, _ environment: [String: String] = [:]) -> DatasetSearch {
    var search = DatasetSearch(folder: data) { environment[$0] }
    search.packagesFolder = "\(folder.path)/share"
    return search
  }

  private var everywhere: [String: String] {
    ["MTLF_DATA": "\(folder.path)/env", "XDG_CACHE_HOME": "\(folder.path)/cache", "HOME": "\(folder.path)/home"]
  }

  @Test func takesTheFirstPlaceThatHasTheFiles() throws {
    try fill("share/tiny")
    #expect(try search(everywhere).locate(dataset).folder == "\(folder.path)/share/tiny")
    try fill("cache/mtl-fast/tiny")
    #expect(try search(everywhere).locate(dataset).folder == "\(folder.path)/cache/mtl-fast/tiny")
    try fill("env/tiny")
    #expect(try search(everywhere).locate(dataset).folder == "\(folder.path)/env/tiny")
    try fill("env")
    #expect(try search(everywhere).locate(dataset).folder == "\(folder.path)/env")
    try fill("asked/tiny")
    #expect(
      try search(data: "\(folder.path)/asked/", everywhere).locate(dataset).folder == "\(folder.path)/asked/tiny")
    try fill("asked")
    #expect(try search(data: "\(folder.path)/asked", everywhere).locate(dataset).folder == "\(folder.path)/asked")
  }

  @Test func acceptsDecompressedCopies() throws {
    try fill("asked")
    try FileManager.default.removeItem(atPath: "\(folder.path)/asked/test-labels.gz")
    try folder.write(TinyIDX.labels([2, 2]), to: "asked/test-labels")
    let located = try search(data: "\(folder.path)/asked").locate(dataset)
    #expect(try located.load(split: .test).labels["label"]?.values == [2, 2])
    #expect(located.check().isGood)
  }

  #if !os(macOS)
    @Test func cacheFolder() throws {
      #expect(try search(["HOME": "/h"]).cacheFolder(for: dataset) == "/h/.cache/mtl-fast/tiny")
      #expect(try search(["HOME": "/h", "XDG_CACHE_HOME": "/c/"]).cacheFolder(for: dataset) == "/c/mtl-fast/tiny")
      #expect(try search(["HOME": "/h", "XDG_CACHE_HOME": "c"]).cacheFolder(for: dataset) == "/h/.cache/mtl-fast/tiny")
    }
  #endif

  @Test func noCacheFolderWithoutAHome() {
    expectError(
      .usage, "HOME and XDG_CACHE_HOME are not set, so there is no cache folder. Set one of them, or name a folder."
    ) { try search().cacheFolder(for: dataset) }
  }

  @Test func notFoundAnywhere() throws {
    try folder.write([], to: "env/other")
    try fill("cache/mtl-fast/tiny")
    try FileManager.default.removeItem(atPath: "\(folder.path)/cache/mtl-fast/tiny/test-labels.gz")
    expectError(
      .missingInput,
      "Data set 'tiny' was not found. Looked in \(folder.path)/env from MTLF_DATA (has none of its files), "
        + "\(folder.path)/env/tiny from MTLF_DATA (no such folder), "
        + "\(folder.path)/cache/mtl-fast/tiny (lacks test-labels.gz), \(folder.path)/share/tiny (no such folder).",
      remedy: .gettingDataset("tiny", package: "dataset-tiny")
    ) { try search(everywhere).locate(dataset) }
  }

  /// A folder that was asked for is the only one: another source would train on data that nobody named.
  @Test func askedFolderWithoutTheFiles() throws {
    try fill("env")
    try folder.write([], to: "asked/train-images.gz")
    expectError(
      .missingInput,
      "\(folder.path)/asked: the files of 'tiny' are not there. Looked in "
        + "\(folder.path)/asked (lacks train-labels.gz and test-images.gz and test-labels.gz), "
        + "\(folder.path)/asked/tiny (no such folder). Name the folder that holds train-images.gz, train-labels.gz, "
        + "test-images.gz, test-labels.gz.", remedy: .leavingOutDataFolder
    ) { try search(data: "\(folder.path)/asked", everywhere).locate(dataset) }
  }

  @Test func unknownDataset() {
    expectError(.usage, "Data set 'fashion' is not known. Known: cifar10, cifar100, fashion-mnist.") {
      try DatasetCatalog.dataset(named: "fashion")
    }
  }
}
