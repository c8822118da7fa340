// SPDX-License-Identifier: Apache-2.0
// The data sets that are known by name.

import MTLFast

/// The data sets that are known by name.
public enum DatasetCatalog {
  /// Every known data set, in alphabetical order.
  public static let all: [KnownDataset] = [.cifar10, .cifar100, .fashionMNIST]

  /// The data set of that name.
  ///
  ///     try DatasetCatalog.dataset(named: "fashion-mnist").sampleCount(of: .test)  // 10000
  ///
  /// - Throws: `MTLFastError` of kind `usage` where there is none.
  public static func dataset(named name: String) throws -> KnownDataset {
    guard let dataset = all.first(where: { $0.name == name }) else {
      throw MTLFastError(
        .usage, "Data set '\(name)' is not known. Known: \(all.map(\.name).joined(separator: ", ")).")
    }
    return dataset
  }
}
