// SPDX-License-Identifier: Apache-2.0
// Loading and checking a known data set, a tiny one and Fashion-MNIST itself.

import Files
import Foundation
import MTLFast
import TestSupport
import Testing

@testable import MTLFastData

struct LocatedDatasetTests {
  let folder: TemporaryFolder
  let dataset: KnownDataset
  let located: LocatedDataset

  init() throws {
    folder = try TemporaryFolder()
    let tiny = try KnownDataset.tiny()
    dataset = tiny.dataset
    for (file, bytes) in tiny.contents { try folder.write(bytes, to: file) }
    located = try #require(LocatedDataset(dataset: dataset, folder: folder.path))
  }

  @Test func loadsBothSplits() throws {
    let splits = try located.loadSplits()
    #expect(splits.training.name == "tiny training")
    #expect(splits.training.count == 3)
    #expect(splits.training.labels["label"]?.values == [3, 0, 1])
    #expect(splits.training.labels["label"]?.classNames == ["a", "b", "c", "d"])
    #expect(splits.test.name == "tiny test")
    #expect(splits.test.count == 2)
    #expect(splits.test.inputs["image"]?.shape == [2, 3, 1])
  }

  @Test func refusesImagesOfAnotherShape() throws {
    let path = try folder.write(TinyIDX.images(2, height: 3, width: 2), to: "test-images.gz")
    expectError(
      .badData,
      "\(path): its images are 3x2x1 but those of tiny are 2x3x1. The file is of another data set: check the folder."
    ) { try located.loadSplits() }
  }

  @Test func checkFindsNothingWrong() {
    let check = located.check()
    #expect(check.isGood)
    #expect(check.files.map(\.sampleCount) == [3, 3, 2, 2])
    #expect(check.files.allSatisfy { $0.sha256 == $0.published.sha256 })
    #expect(located.notice(for: .training) == nil)
  }

  @Test func checkSaysWhereNoHashIsPublished() throws {
    let unhashed = try KnownDataset.tiny(hasHashes: false).dataset
    let check = DatasetCheck(unhashed, in: folder.path)
    #expect(check.isGood)
    #expect(check.files.allSatisfy { $0.state == "no published hash to compare with" })
    #expect(located.check().files.allSatisfy { $0.state == "as published" })
    let path = try folder.write(TinyIDX.images(1), to: "test-images.gz")
    let problems = DatasetCheck(unhashed, in: folder.path).files.compactMap(\.problem)
    #expect(problems == ["\(path): holds 1 samples, the published file 2."])
  }

  @Test func checkNamesEveryProblem() throws {
    let changed = TinyIDX.labels([3, 0, 2])
    try folder.write(changed, to: "train-labels.gz")
    try FileManager.default.removeItem(atPath: "\(folder.path)/train-images.gz")
    try folder.write(gzip(TinyIDX.images(1)), to: "test-images.gz")
    try folder.write(Array(gzip(TinyIDX.labels([2, 2]))[..<20]), to: "test-labels.gz")
    let check = DatasetCheck(dataset, in: folder.path)
    #expect(!check.isGood)
    let published = try #require(check.files[1].published.sha256)
    #expect(
      check.files.map(\.problem) == [
        "\(folder.path)/train-images.gz: is missing.",
        "\(folder.path)/train-labels.gz: its content is not the published one "
          + "(SHA-256 \(try sha256(changed)), published \(published)).",
        "\(folder.path)/test-images.gz: holds 1 samples, the published file 2.",
        "\(folder.path)/test-labels.gz: the gzip data break off at the end of the file, 20 bytes. Get the file again.",
      ])
    #expect(check.files.map(\.remedy) == [.fetchingDataset("tiny"), nil, nil, nil])
    #expect(
      located.notice(for: .training)
        == "\(folder.path)/train-labels.gz: not the published labels of tiny; other sets use the same file names. "
        + "A check of all its files tells more.")
  }
}

struct FashionMNISTTests {
  static let located = try? DatasetSearch().locate(.fashionMNIST)

  @Test(
    .enabled(
      if: located != nil,
      "Fashion-MNIST is not here: install the Debian package dataset-fashion-mnist or set MTLF_DATA to its folder"))
  func theRealFilesAreThePublishedOnes() throws {
    let located = try #require(Self.located)
    let check = located.check()
    #expect(check.files.compactMap(\.problem) == [])
    #expect(check.files.map(\.sampleCount) == [60000, 60000, 10000, 10000])
    let (training, test) = try located.loadSplits()
    #expect(training.count == 60000)
    #expect(test.count == 10000)
    #expect(training.inputs["image"]?.shape == [28, 28, 1])
    #expect(training.labels["label"]?.values.prefix(6) == [9, 0, 0, 3, 0, 2])
    #expect(training.labels["label"]?.classNames.count == 10)
    // The set is balanced: 6000 and 1000 of each class.
    for (split, count) in [(training, 6000), (test, 1000)] {
      var counts = [Int](repeating: 0, count: 10)
      for label in split.labels["label"]?.values ?? [] { counts[Int(label)] += 1 }
      #expect(counts == [Int](repeating: count, count: 10))
    }
  }
}
