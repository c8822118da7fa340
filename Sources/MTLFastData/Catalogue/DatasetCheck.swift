// SPDX-License-Identifier: Apache-2.0
// Whether the files in a folder are the published ones.

import MTLFast

/// Whether the files of a known data set in a folder are the published ones.
public struct DatasetCheck: Sendable {
  /// One file: what is published and what was found.
  public struct File: Sendable {
    public let published: KnownDataset.File
    /// nil where the file is missing.
    public let path: String?
    /// The samples that it holds, as its header or size says; nil where it can't be read.
    public let sampleCount: Int?
    /// SHA-256 of the decompressed content; nil where it can't be read to its end, or an MD5 is compared.
    public let sha256: String?
    /// One line; nil where nothing differs from the published file.
    public let problem: String?
    /// What helps against it; nil where that is nothing or not known.
    public var remedy: MTLFastError.Remedy?

    /// What the comparison came to: `as published`, `differs` or `no published hash to compare with`.
    public var state: String {
      if problem != nil { return "differs" }
      return published.publishedHash == nil ? "no published hash to compare with" : "as published"
    }
  }

  public let dataset: KnownDataset
  public let folder: String
  public let files: [File]

  /// No file differs from the published one.
  public var isGood: Bool { files.allSatisfy { $0.problem == nil } }

  /// Reads every file to its end: counts samples and bytes and compares the SHA-256.
  ///
  ///     let check = DatasetCheck(.fashionMNIST, in: folder)
  ///     for file in check.files { print(file.published.name, file.problem ?? "good") }
  public init(_ dataset: KnownDataset, in folder: String) {
    self.dataset = dataset
    self.folder = folder
    if case .cifar(let variant, _) = dataset.layout, case .folder(let unpacked)? = CIFARSource.find(variant, at: folder)
    {
      files = variant.publishedFiles.map { Self.check($0, of: dataset, in: unpacked) }
    } else {
      files = dataset.files.map { Self.check($0, of: dataset, in: folder) }
    }
  }

  private static func check(_ file: KnownDataset.File, of dataset: KnownDataset, in folder: String) -> File {
    guard let path = LocatedDataset.path(of: file, in: folder) else {
      return File(
        published: file, path: nil, sampleCount: nil, sha256: nil,
        problem: "\(folder)/\(file.name): is missing.", remedy: .fetchingDataset(dataset.name))
    }
    let samples = sampleCount(of: file, at: path, in: dataset)
    do {
      if file.sha256 == nil, file.md5 != nil {
        let difference = try file.difference(ofFileAt: path, limit: file.byteCount)
        return File(
          published: file, path: path, sampleCount: samples, sha256: nil,
          problem: difference.map {
            "\(path): is not the published file: \($0), \(file.publishedHash ?? "") published."
          })
      }
      // The limit only bounds the work on a file of another set: twice the size can't be the published one.
      let digest = try ContentDigest(ofFileAt: path, limit: 2 * file.byteCount)
      return File(
        published: file, path: path, sampleCount: samples, sha256: digest.sha256,
        problem: problem(file, path: path, samples: samples, digest: digest))
    } catch {
      return File(published: file, path: path, sampleCount: samples, sha256: nil, problem: "\(error)")
    }
  }

  private static func problem(
    _ file: KnownDataset.File, path: String, samples: Int?, digest: ContentDigest
  ) -> String? {
    if let sha256 = file.sha256, digest.sha256 == sha256 { return nil }
    if let samples, samples != file.sampleCount {
      return "\(path): holds \(samples) samples, the published file \(file.sampleCount)."
    }
    if digest.byteCount != file.byteCount {
      return "\(path): holds \(digest.byteCount) bytes, the published file \(file.byteCount)."
    }
    return file.sha256.map {
      "\(path): its content is not the published one (SHA-256 \(digest.sha256), published \($0))."
    }
  }

  private static func sampleCount(of file: KnownDataset.File, at path: String, in dataset: KnownDataset) -> Int? {
    switch dataset.layout {
    case .idx(let training, let test):
      let isImages = [training.images.name, test.images.name].contains(file.name)
      return try? IDXFile(path: path, content: isImages ? .images : .labels).count
    case .cifar(let variant, let archive):
      return try? variant.sampleCount(at: path, isArchive: file.name == archive.name)
    }
  }
}

extension LocatedDataset {
  /// Reads every file to its end and compares it with the published one.
  public func check() -> DatasetCheck { DatasetCheck(dataset, in: folder) }

  /// One line where the labels of a split are not the published ones, or nil.
  ///
  /// MNIST and its kin publish files of the same names and sizes, so that digits would train under the names of clothes
  /// without an error. Hashing the labels alone tells them apart at no noticeable cost.
  public func notice(for split: DatasetSplit) -> String? {
    let file: KnownDataset.File
    switch dataset.layout {
    case .idx(let training, let test): file = split == .training ? training.labels : test.labels
    case .cifar: return nil
    }
    guard file.sha256 != nil else { return nil }
    guard let path = Self.path(of: file, in: folder),
      let digest = try? ContentDigest(ofFileAt: path, limit: 2 * file.byteCount), digest.sha256 == file.sha256
    else {
      return "\(folder)/\(file.name): not the published labels of \(dataset.name); other sets use the same file names. "
        + "A check of all its files tells more."
    }
    return nil
  }
}
