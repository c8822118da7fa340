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
    /// The size of the decompressed content in bytes.
    public let byteCount: Int
    /// SHA-256 of the decompressed content, 64 lower-case hexadecimal digits.
    public let sha256: String

    /// The names under which a copy is accepted.
    var acceptedNames: [String] { name.hasSuffix(".gz") ? [name, String(name.dropLast(3))] : [name] }
  }

  /// How the files make up the splits.
  enum Layout: Sendable {
    /// An image file and a label file for each split.
    case idx(training: (images: File, labels: File), test: (images: File, labels: File))
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

  /// Every file, training before test.
  public var files: [File] {
    switch layout {
    case .idx(let training, let test): [training.images, training.labels, test.images, test.labels]
    }
  }

  /// The number of samples of a split.
  public func sampleCount(of split: DatasetSplit) -> Int {
    switch (layout, split) {
    case (.idx(let training, _), .training): training.images.sampleCount
    case (.idx(_, let test), .test): test.images.sampleCount
    }
  }
}
