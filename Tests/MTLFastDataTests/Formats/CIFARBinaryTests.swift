// SPDX-License-Identifier: Apache-2.0
// CIFAR files, unpacked and in their archive: read exactly, and whatever is wrong with one is one clear line.

import Files
import Foundation
import MTLFast
import TestSupport
import Testing

@testable import MTLFastData

struct CIFARBinaryTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  /// A record: red counts up from `start`, green from start + 1, blue is constant.
  private static func record(_ labels: [UInt8], start: Int) -> [UInt8] {
    let red = (0..<1024).map { UInt8(truncatingIfNeeded: start + $0) }
    let green = (0..<1024).map { UInt8(truncatingIfNeeded: start + 1 + $0) }
    return labels + red + green + [UInt8](repeating: UInt8(start), count: 1024)
  }

  private static var cifar10: [(name: String, bytes: [UInt8])] {
    let names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck", "", ""]
    var files: [(name: String, bytes: [UInt8])] = [("batches.meta.txt", Array(names.joined(separator: "\n").utf8))]
    for batch in 1...5 {
      files.append(("data_batch_\(batch).bin", record([UInt8(batch)], start: batch) + record([9], start: 10 * batch)))
    }
    files.append(("test_batch.bin", record([0], start: 99)))
    return files
  }

  private static var cifar100: [(name: String, bytes: [UInt8])] {
    let coarse = (0..<20).map { "c\($0)\r\n" }.joined()
    let fine = (0..<100).map { "f\($0)\n" }.joined()
    return [
      ("coarse_label_names.txt", Array(coarse.utf8)), ("fine_label_names.txt", Array(fine.utf8)),
      ("train.bin", record([19, 0], start: 1) + record([0, 99], start: 2)), ("test.bin", record([3, 4], start: 3)),
    ]
  }

  private func write(_ files: [(name: String, bytes: [UInt8])], to name: String = "") throws {
    for file in files { try folder.write(file.bytes, to: "\(name)\(file.name)") }
  }

  private func writeArchive(_ files: [(name: String, bytes: [UInt8])], to name: String) throws -> String {
    let members = [("cifar/", [])] + files.map { ("cifar/\($0.name)", $0.bytes) }
    return try folder.write(archive(members, .tarGzip), to: name)
  }

  private func expectCIFAR10(_ splits: DatasetSplits) {
    #expect(splits.training.name == "cifar10 training")
    #expect(splits.training.labels["label"]?.values == [1, 9, 2, 9, 3, 9, 4, 9, 5, 9])
    #expect(splits.training.labels["label"]?.classNames.count == 10)
    #expect(splits.training.labels["label"]?.classNames.last == "truck")
    #expect(splits.test?.labels["label"]?.values == [0])
    guard case .bytes(let shape, let values)? = splits.training.inputs["image"] else {
      Issue.record("images are not bytes")
      return
    }
    #expect(shape == [32, 32, 3])
    #expect(values.count == 10 * 3072)
    // The second record of batch 3, its pixels 0, 1 and the last.
    let image = Array(values[5 * 3072..<6 * 3072])
    #expect(Array(image[..<6]) == [30, 31, 30, 31, 32, 30])
    #expect(Array(image[3069...]) == [UInt8(truncatingIfNeeded: 1053), UInt8(truncatingIfNeeded: 1054), 30])
  }

  @Test func readsAFolder() throws {
    try write(Self.cifar10)
    expectCIFAR10(try CIFARBinary.cifar10(at: folder.path))
  }

  @Test func readsTheOfficialFolderBelow() throws {
    try write(Self.cifar10, to: "cifar-10-batches-bin/")
    expectCIFAR10(try CIFARBinary.cifar10(at: folder.path))
  }

  /// The members in another order than that of the batches.
  @Test func readsTheArchive() throws {
    let path = try writeArchive(Self.cifar10.reversed(), to: "cifar-10-binary.tar.gz")
    expectCIFAR10(try CIFARBinary.cifar10(at: path))
    expectCIFAR10(try CIFARBinary.cifar10(at: folder.path))
  }

  @Test func readsBothLabelsOfCIFAR100() throws {
    try write(Self.cifar100)
    let splits = try CIFARBinary.cifar100(at: folder.path)
    #expect(splits.training.labels["coarse"]?.values == [19, 0])
    #expect(splits.training.labels["fine"]?.values == [0, 99])
    #expect(splits.training.labels["coarse"]?.classNames == (0..<20).map { "c\($0)" })
    #expect(splits.training.labels["fine"]?.classNames == (0..<100).map { "f\($0)" })
    #expect(splits.test?.labels["fine"]?.values == [4])
  }

  // MARK: In the catalogue

  @Test func isFoundAndLoadedByName() throws {
    try write(Self.cifar10, to: "cifar10/")
    _ = try writeArchive(Self.cifar100, to: "cifar100/cifar-100-binary.tar.gz")
    let search = DatasetSearch { [path = folder.path] in $0 == "MTLF_DATA" ? path : nil }
    let located = try search.locate(.cifar10)
    #expect(located.folder == "\(folder.path)/cifar10")
    #expect(try located.load(split: .test).labels["label"]?.values == [0])
    let fine = try search.locate(.cifar100).loadSplits()
    #expect(fine.training.labels["fine"]?.values == [0, 99])
    #expect(fine.test.count == 1)
    #expect(try search.locate(.cifar100).load(split: .test).count == 1)
  }

  @Test func checkNamesTheSizesOfASubset() throws {
    try write(Self.cifar10)
    let check = try #require(LocatedDataset(dataset: .cifar10, folder: folder.path)).check()
    #expect(!check.isGood)
    #expect(check.files.map(\.sampleCount) == [2, 2, 2, 2, 2, 1])
    #expect(check.files[5].problem == "\(folder.path)/test_batch.bin: holds 1 samples, the published file 10000.")
    #expect(check.files.allSatisfy { $0.state == "differs" })
  }

  @Test func checkComparesTheArchivesMD5() throws {
    let path = try writeArchive(Self.cifar100, to: "cifar-100-binary.tar.gz")
    let check = try #require(LocatedDataset(dataset: .cifar100, folder: folder.path)).check()
    #expect(check.files.map(\.sampleCount) == [3])
    #expect(
      check.files.map(\.problem) == [
        "\(path): is not the published file: its MD5 is \(try Digest.of(.md5, fileAt: path)), "
          + "MD5 is 03b5dce01913d631647c71ecec9e9cb8 published."
      ])
  }

  @Test func searchNamesWhatIsMissing() throws {
    try write(Array(Self.cifar100.dropLast()), to: "cifar100/")
    expectError(
      .missingInput,
      "\(folder.path): the files of 'cifar100' are not there. Looked in \(folder.path) "
        + "(has none of its files), \(folder.path)/cifar100 (lacks test.bin). Name the folder that holds train.bin, "
        + "test.bin, coarse_label_names.txt, fine_label_names.txt, or cifar-100-binary.tar.gz.",
      remedy: .leavingOutDataFolder
    ) { try DatasetSearch(folder: folder.path).locate(.cifar100) }
  }

  @Test func theNamesOfTheCatalogueAreCounted() {
    #expect(KnownDataset.cifar10.labels.map(\.classNames.count) == [10])
    #expect(KnownDataset.cifar100.labels.map(\.column) == ["fine", "coarse"])
    #expect(KnownDataset.cifar100.labels.map(\.classNames.count) == [100, 20])
  }

  // MARK: Errors

  @Test func missingFile() throws {
    try write(Self.cifar10.filter { $0.name != "data_batch_3.bin" })
    expectError(
      .missingInput,
      "\(folder.path): lacks data_batch_3.bin of cifar10, and there is no cifar-10-binary.tar.gz. "
        + "Name the folder that holds the files, or the archive."
    ) { try CIFARBinary.cifar10(at: folder.path) }
  }

  @Test(arguments: [0, 1, 3074]) func partsOfRecords(byteCount: Int) throws {
    try write(Self.cifar10)
    let path = try folder.write([UInt8](repeating: 0, count: byteCount), to: "test_batch.bin")
    expectError(
      .badData,
      "\(path): has \(byteCount) bytes, not a whole number of records of 3073 bytes. "
        + "The file was cut short or is of another data set: get it again."
    ) { try CIFARBinary.cifar10(at: folder.path) }
  }

  @Test func labelOutOfRange() throws {
    try write(Self.cifar100)
    let path = try folder.write(
      Self.record([19, 99], start: 0) + Self.record([19, 100], start: 0), to: "test.bin")
    expectError(
      .badData,
      "\(path): 'fine' is 100 in record 1 but has 100 classes (0...99). The file is damaged or of another data set."
    ) { try CIFARBinary.cifar100(at: folder.path) }
  }

  @Test func wrongNumberOfNames() throws {
    try write(Self.cifar10)
    let path = try folder.write(Array("a\nb\n\n".utf8), to: "batches.meta.txt")
    expectError(
      .badData, "\(path): has 2 class names on 2 lines but 'label' has 10 classes. Name one a line."
    ) { try CIFARBinary.cifar10(at: folder.path) }
    try folder.write([0xff, 0x0a], to: "batches.meta.txt")
    expectError(.badData, "\(path): is not UTF-8 text, so it can't name the classes. Get the file again.") {
      try CIFARBinary.cifar10(at: folder.path)
    }
    try folder.write([UInt8](repeating: 0x61, count: 65537), to: "batches.meta.txt")
    expectError(
      .badData, "\(path): has 65537 bytes but a list of class names has at most 65536. Check the file."
    ) { try CIFARBinary.cifar10(at: folder.path) }
  }

  @Test func missingMember() throws {
    let path = try writeArchive(Self.cifar10.filter { $0.name != "data_batch_5.bin" }, to: "a.tar.gz")
    expectError(
      .badData,
      "\(path): lacks the members data_batch_5.bin, so it isn't cifar-10-binary.tar.gz. "
        + "Check the path, or get the file again."
    ) { try CIFARBinary.cifar10(at: path) }
  }

  @Test func partsOfRecordsInAMember() throws {
    var files = Self.cifar100
    files[2].bytes.removeLast()
    let path = try writeArchive(files, to: "a.tar.gz")
    expectError(
      .badData,
      "\(path): cifar/train.bin: has 6147 bytes, not a whole number of records of 3074 bytes. "
        + "The file was cut short or is of another data set: get it again."
    ) { try CIFARBinary.cifar100(at: path) }
  }
}
