// SPDX-License-Identifier: Apache-2.0
// A known data set whose files were found, and its samples.

import Dispatch
import Files
import MTLFast
import Synchronization

/// A known data set in a folder that holds all of its files.
public struct LocatedDataset: Sendable {
  public let dataset: KnownDataset
  public let folder: String

  /// nil where the folder lacks a file.
  public init?(dataset: KnownDataset, folder: String) {
    guard dataset.isComplete(in: folder) else { return nil }
    self.dataset = dataset
    self.folder = folder
  }

  /// Reads one split.
  ///
  ///     let test = try DatasetSearch().locate(.fashionMNIST).load(split: .test)
  ///     test.count                                  // 10000
  ///     test.labels["label"]?.classNames.last       // "Ankle boot"
  ///
  /// Files of another size than the published ones are read all the same, as long as they fit together and have the
  /// published sample shape and classes: `check()` tells whether they are the published ones.
  ///
  /// - Throws: `MTLFastError` of kind `badData` or `missingInput`, naming the file.
  public func load(split: DatasetSplit) throws -> Dataset {
    switch dataset.layout {
    case .idx(let training, let test):
      let files = split == .training ? training : test
      let images = try foundPath(of: files.images)
      let read = try IDX.dataset(
        name: "\(dataset.name) \(split.rawValue)", images: images, labels: try foundPath(of: files.labels),
        classNames: dataset.labels.first?.classNames)
      if let shape = read.inputs[dataset.inputColumn]?.shape, shape != dataset.inputShape {
        throw MTLFastError(
          .badData,
          "\(images): its images are \(shape) but those of \(dataset.name) are \(dataset.inputShape). "
            + "The file is of another data set: check the folder.")
      }
      return read
    case .cifar(let variant, _): return try CIFARBinary.datasets(of: variant, at: folder, splits: [split])[0]
    }
  }

  /// Reads both splits at the same time, on two threads: the larger one alone sets the time.
  public func loadSplits() throws -> (training: Dataset, test: Dataset) {
    if case .cifar(let variant, _) = dataset.layout {
      // An archive is inflated once for both.
      let read = try CIFARBinary.datasets(of: variant, at: folder, splits: [.training, .test])
      return (read[0], read[1])
    }
    let results = Mutex<[DatasetSplit: Result<Dataset, any Error>]>([:])
    DispatchQueue.concurrentPerform(iterations: DatasetSplit.allCases.count) { index in
      let split = DatasetSplit.allCases[index]
      let result = Result { try load(split: split) }
      results.withLock { $0[split] = result }
    }
    let read = results.withLock { $0 }
    guard let training = read[.training], let test = read[.test] else {
      throw MTLFastError(.system, "\(dataset.name): a thread that reads a split did not run.")
    }
    return (try training.get(), try test.get())
  }

  func foundPath(of file: KnownDataset.File) throws -> String {
    guard let path = Self.path(of: file, in: folder) else {
      throw MTLFastError(.missingInput, "\(folder)/\(file.name): is no longer there.")
    }
    return path
  }

  /// The path of a published file in a folder, compressed or not; nil where there is none.
  static func path(of file: KnownDataset.File, in folder: String) -> String? {
    file.acceptedNames.map { FilePath.join(folder, $0) }.first { FilePath.kind(of: $0) == .file }
  }
}
