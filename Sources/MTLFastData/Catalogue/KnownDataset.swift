// SPDX-License-Identifier: Apache-2.0
// A data set that mtl-fast knows: its files, what they hold, and where they come from.

import MTLFast

/// The part of a data set that a sample belongs to.
public enum DatasetSplit: String, CaseIterable, Sendable {
  case training
  case test
}

/// A published data set: its files with their hashes, its classes, its source and its licence.
public struct KnownDataset: Sendable {
  /// One published file.
  public struct File: Sendable {
    /// As published: `train-labels-idx1-ubyte.gz`. A decompressed copy without `.gz` is accepted as well.
    public let name: String
    /// What it holds, for people: `60000 labels`.
    public let content: String
    /// The number of samples in it.
    public let sampleCount: Int
    /// The size of the download in bytes. Other copies may differ by the gzip header.
    public let downloadBytes: Int
    /// The size in bytes of what the hash is of.
    public let byteCount: Int
    /// SHA-256 of the decompressed content, 64 lower-case hexadecimal digits; nil where none is published.
    public let sha256: String?
    /// MD5 of the file as it is downloaded, 32 lower-case hexadecimal digits, where nothing better is published.
    public var md5: String? = nil

    /// The names under which a copy is accepted.
    var acceptedNames: [String] { name.hasSuffix(".gz") ? [name, String(name.dropLast(3))] : [name] }
  }

  /// How the files make up the splits.
  enum Layout: Sendable {
    /// An image file and a label file for each split.
    case idx(training: (images: File, labels: File), test: (images: File, labels: File))
    /// Records in the files of one archive, or unpacked from it.
    case cifar(CIFARVariant, archive: File)
  }

  /// A label column that every split has.
  public struct Labels: Sendable {
    public let column: String
    public let classNames: [String]
  }

  /// The name on the command line and in recipes, and of its folder: `fashion-mnist`.
  public let name: String
  /// The name that people use: `Fashion-MNIST`.
  public let title: String
  /// One sentence.
  public let summary: String
  /// SPDX identifier of the licence.
  public let licence: String
  /// Who made it, and the paper.
  public let source: String
  public let homepage: String
  /// The address that file names are appended to.
  public let downloadURL: String
  /// The Debian package that holds the files, where there is one.
  public let debianPackage: String?
  /// The input column and its sample shape, `[H, W, C]`.
  public let inputColumn: String
  public let inputShape: Shape
  public let labels: [Labels]
  let layout: Layout

  /// Every file as it is downloaded, training before test.
  public var files: [File] {
    switch layout {
    case .idx(let training, let test): [training.images, training.labels, test.images, test.labels]
    case .cifar(_, let archive): [archive]
    }
  }

  /// What a folder has to hold, for messages.
  var folderContent: String {
    switch layout {
    case .idx: files.map(\.name).joined(separator: ", ")
    case .cifar(let variant, let archive):
      "\(variant.allFiles.joined(separator: ", ")), or \(archive.name)"
    }
  }

  /// Whether a folder holds all files; unpacked or not, where they come in an archive.
  func isComplete(in folder: String) -> Bool {
    switch layout {
    case .idx: files.allSatisfy { LocatedDataset.path(of: $0, in: folder) != nil }
    case .cifar(let variant, _): CIFARSource.find(variant, at: folder) != nil
    }
  }

  /// What a folder lacks: `has none of its files`, `lacks t10k-labels-idx1-ubyte.gz`.
  func shortfall(in folder: String) -> String {
    let names: (missing: [String], all: Int)
    switch layout {
    case .idx: names = (files.filter { LocatedDataset.path(of: $0, in: folder) == nil }.map(\.name), files.count)
    case .cifar(let variant, _):
      names = (CIFARSource.shortfall(variant, at: folder), variant.allFiles.count)
    }
    return names.missing.count == names.all
      ? "has none of its files" : "lacks \(names.missing.joined(separator: " and "))"
  }

  /// The number of samples of a split.
  public func sampleCount(of split: DatasetSplit) -> Int {
    switch (layout, split) {
    case (.idx(let training, _), .training): training.images.sampleCount
    case (.idx(_, let test), .test): test.images.sampleCount
    case (.cifar, .training): 50000
    case (.cifar, .test): 10000
    }
  }
}
