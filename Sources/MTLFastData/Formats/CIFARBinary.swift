// SPDX-License-Identifier: Apache-2.0
// The binary format of CIFAR-10 and CIFAR-100: records of label bytes and three colour planes.

import Files
import MTLFast

/// Reads the binary versions of CIFAR-10 and CIFAR-100, unpacked or in their official archives.
///
/// A file is records without a header: one label byte (CIFAR-10) or a coarse and a fine one (CIFAR-100), then 1024 red,
/// 1024 green and 1024 blue bytes of a 32x32 image, row-major. The number of records follows from the file's size, so
/// subsets are read as well.
/// Source: A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
public enum CIFARBinary {
  /// CIFAR-10: input `image`, bytes `[32, 32, 3]`; target `label`, 10 classes.
  ///
  ///     let splits = try CIFARBinary.cifar10(at: "cifar-10-binary.tar.gz")
  ///     splits.training.count                          // 50000
  ///     splits.test?.labels["label"]?.classNames[0]    // "airplane"
  ///
  /// - Parameter path: a folder that holds the five training batches, the test batch and `batches.meta.txt`, or holds
  ///   the official folder `cifar-10-batches-bin` or archive `cifar-10-binary.tar.gz`; or such an archive itself,
  ///   which is read without unpacking it to disk.
  /// - Throws: `MTLFastError` of kind `missingInput` where files are missing, `badData` where one is wrong.
  public static func cifar10(at path: String) throws -> DatasetSplits { try splits(of: .cifar10, at: path) }

  /// CIFAR-100: input `image`, bytes `[32, 32, 3]`; targets `fine`, 100 classes, and `coarse`, 20 classes.
  ///
  /// - Parameter path: a folder that holds `train.bin`, `test.bin` and the two files of names, or holds the official
  ///   folder `cifar-100-binary` or archive `cifar-100-binary.tar.gz`; or such an archive itself.
  /// - Throws: `MTLFastError` of kind `missingInput` where files are missing, `badData` where one is wrong.
  public static func cifar100(at path: String) throws -> DatasetSplits { try splits(of: .cifar100, at: path) }

  private static func splits(of variant: CIFARVariant, at path: String) throws -> DatasetSplits {
    let read = try datasets(of: variant, at: path, splits: DatasetSplit.allCases)
    return DatasetSplits(training: read[0], test: read[1])
  }

  /// The splits that are asked for, in that order.
  static func datasets(of variant: CIFARVariant, at path: String, splits: [DatasetSplit]) throws -> [Dataset] {
    guard let source = CIFARSource.find(variant, at: path) else {
      let lacks = CIFARSource.shortfall(variant, at: path)
      throw MTLFastError(
        .missingInput,
        "\(path): lacks \(lacks.joined(separator: ", ")) of \(variant.name), and there is no \(variant.archiveName). "
          + "Name the folder that holds the files, or the archive.")
    }
    let wanted = splits.flatMap(variant.recordFiles(of:))
    var parts: [String: CIFARRecords] = [:]
    var names: [String: [String]] = [:]
    switch source {
    case .folder(let folder):
      for labels in variant.labels { names[labels.nameFile] = try classNames(labels, inFolder: folder) }
      for name in wanted { parts[name] = try CIFARRecords(variant, file: FilePath.join(folder, name)) }
    case .archive(let archive): try read(variant, archive: archive, wanted: wanted, parts: &parts, names: &names)
    }
    return try splits.map { split in
      var records = CIFARRecords(variant)
      // Taken out one by one, so that only one batch is in memory twice.
      for name in variant.recordFiles(of: split) {
        if let part = parts.removeValue(forKey: name) { records.append(part) }
      }
      var labels: [String: LabelColumn] = [:]
      for (index, label) in variant.labels.enumerated() {
        labels[label.column] = LabelColumn(values: records.labels[index], classNames: names[label.nameFile] ?? [])
      }
      return try Dataset(
        name: "\(variant.name) \(split.rawValue)",
        inputs: [
          "image": .bytes(
            shape: .image(height: CIFARVariant.side, width: CIFARVariant.side, channels: 3), values: records.images)
        ], labels: labels)
    }
  }

  private static func read(
    _ variant: CIFARVariant, archive path: String, wanted: [String], parts: inout [String: CIFARRecords],
    names: inout [String: [String]]
  ) throws {
    let archive = try ArchiveReader(path: path, format: .tar)
    while let member = try archive.next() {
      let place = "\(path): \(member.path)"
      if wanted.contains(member.name) {
        parts[member.name] = try CIFARRecords(variant, place: place, byteCount: member.byteCount, read: archive.read)
      } else if let labels = variant.labels.first(where: { $0.nameFile == member.name }) {
        guard member.byteCount <= nameFileLimit else { throw tooLarge(place, member.byteCount) }
        names[member.name] = try classNames(labels, in: archive.bytes(of: member), place: place)
      }
    }
    let missing = (wanted + variant.labels.map(\.nameFile)).filter { parts[$0] == nil && names[$0] == nil }
    guard missing.isEmpty else {
      throw MTLFastError(
        .badData,
        "\(path): lacks the members \(missing.joined(separator: ", ")), so it isn't \(variant.archiveName). "
          + "Check the path, or get the file again.")
    }
  }

  // MARK: Class names

  private static let nameFileLimit = 1 << 16

  private static func classNames(_ labels: CIFARVariant.Labels, inFolder folder: String) throws -> [String] {
    let path = FilePath.join(folder, labels.nameFile)
    let file = try InflatingFile(path: path)
    guard file.sizeOnDisk <= nameFileLimit else { throw tooLarge(path, file.sizeOnDisk) }
    let text = try [UInt8](unsafeUninitializedCapacity: nameFileLimit) { buffer, filled in
      filled = try file.read(into: UnsafeMutableRawBufferPointer(buffer))
    }
    return try classNames(labels, in: text, place: path)
  }

  /// One name a line; empty lines at the end don't count.
  private static func classNames(_ labels: CIFARVariant.Labels, in bytes: [UInt8], place: String) throws -> [String] {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw MTLFastError(.badData, "\(place): is not UTF-8 text, so it can't name the classes. Get the file again.")
    }
    var names = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map(String.init)
    while names.last?.isEmpty == true { names.removeLast() }
    guard names.count == labels.classCount, !names.contains("") else {
      throw MTLFastError(
        .badData,
        "\(place): has \(names.count { !$0.isEmpty }) class names on \(names.count) lines but '\(labels.column)' has "
          + "\(labels.classCount) classes. Name one a line.")
    }
    return names
  }

  private static func tooLarge(_ place: String, _ byteCount: Int) -> MTLFastError {
    MTLFastError(
      .badData,
      "\(place): has \(byteCount) bytes but a list of class names has at most \(nameFileLimit). Check the file.")
  }
}
