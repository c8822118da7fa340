// SPDX-License-Identifier: Apache-2.0
// What differs between CIFAR-10 and CIFAR-100: files, label bytes, class counts.

/// The files and the record layout of one of the two CIFAR sets.
struct CIFARVariant: Sendable {
  /// A label byte of every record.
  struct Labels: Sendable {
    /// The column that it becomes.
    let column: String
    /// The file that names its classes, one a line.
    let nameFile: String
    let classCount: Int
  }

  /// `cifar10`
  let name: String
  /// The folder in the official archive.
  let folderName: String
  /// The official archive.
  let archiveName: String
  let trainingFiles: [String]
  let testFile: String
  /// In the order of a record's first bytes.
  let labels: [Labels]

  static let cifar10 = CIFARVariant(
    name: "cifar10", folderName: "cifar-10-batches-bin", archiveName: "cifar-10-binary.tar.gz",
    trainingFiles: (1...5).map { "data_batch_\($0).bin" }, testFile: "test_batch.bin",
    labels: [Labels(column: "label", nameFile: "batches.meta.txt", classCount: 10)])

  static let cifar100 = CIFARVariant(
    name: "cifar100", folderName: "cifar-100-binary", archiveName: "cifar-100-binary.tar.gz",
    trainingFiles: ["train.bin"], testFile: "test.bin",
    labels: [
      Labels(column: "coarse", nameFile: "coarse_label_names.txt", classCount: 20),
      Labels(column: "fine", nameFile: "fine_label_names.txt", classCount: 100),
    ])

  static let side = 32
  static let planeBytes = side * side
  static let imageBytes = 3 * planeBytes

  /// The size of a record: its labels and an image.
  var recordBytes: Int { labels.count + Self.imageBytes }

  func recordFiles(of split: DatasetSplit) -> [String] { split == .training ? trainingFiles : [testFile] }

  var recordFiles: [String] { trainingFiles + [testFile] }

  var allFiles: [String] { recordFiles + labels.map(\.nameFile) }

  /// The record files as published, for comparison with unpacked ones; their hashes are not published.
  var publishedFiles: [KnownDataset.File] {
    recordFiles.map { name in
      let count = name == testFile ? 10000 : 50000 / trainingFiles.count
      return KnownDataset.File(
        name: name, content: "\(count) images of 32x32x3 with their labels", sampleCount: count,
        downloadBytes: count * recordBytes, byteCount: count * recordBytes, sha256: nil)
    }
  }

  /// The number of records in a file, or in all the files of an archive.
  func sampleCount(at path: String, isArchive: Bool) throws -> Int {
    guard isArchive else { return try InflatingFile(path: path).sizeOnDisk / recordBytes }
    let archive = try ArchiveReader(path: path, format: .tar)
    var count = 0
    while let member = try archive.next() {
      if recordFiles.contains(member.name) { count += member.byteCount / recordBytes }
    }
    return count
  }
}
