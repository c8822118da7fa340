// SPDX-License-Identifier: Apache-2.0
// Where a recipe's samples come from.

import MTLFast

extension Recipe {
  /// One stream of samples, or several whose rows are independent.
  public struct DataSource: Hashable, Sendable {
    public var streams: [Stream]

    public init(streams: [Stream]) { self.streams = streams }

    /// One stream without a name.
    public init(_ source: Source, validation: Validation = .none) {
      streams = [Stream(source: source, validation: validation)]
    }

    /// The stream of that name; nil names the only one.
    public func stream(named name: String?) -> Stream? { streams.first { $0.name == name } }
  }

  /// Rows that belong together.
  public struct Stream: Hashable, Sendable {
    /// nil where the data are one stream that needs no name.
    public var name: String?
    public var source: Source
    public var validation: Validation

    public init(name: String? = nil, source: Source, validation: Validation = .none) {
      self.name = name
      self.source = source
      self.validation = validation
    }
  }

  /// The files or the generator of a stream. Paths are as written; `DataPaths` finds them.
  public enum Source: Hashable, Sendable {
    /// A name of the data set catalogue: `fashion-mnist`.
    case catalogue(String)
    /// Tables of numbers and labels.
    case csv(Table)
    /// Image files that a table names.
    case images(Table, ImageColumn)
    /// Folders of images and of masks with the same names.
    case masks(Parts<ImagesAndMasks>)
    /// NumPy arrays by name: a `.npz` file, or a folder of `.npy` files.
    case arrays(Parts<String>)
    /// IDX files, as of the MNIST family.
    case idx(Parts<ImagesAndLabels>)
    case synthetic(Synthetic)

    /// The words of `format:`; nil for the catalogue.
    public var format: String? {
      switch self {
      case .catalogue: nil
      case .csv: "csv"
      case .images: "images"
      case .masks: "masks"
      case .arrays: "npz"
      case .idx: "idx"
      case .synthetic: "synthetic"
      }
    }

    /// What messages call it: `fashion-mnist`, `labels.csv`.
    public var description: String {
      switch self {
      case .catalogue(let name): name
      case .csv(let table), .images(let table, _): table.parts.training
      case .masks(let parts): parts.training.images
      case .arrays(let parts): parts.training
      case .idx(let parts): parts.training.images
      case .synthetic(let settings): settings.generator.rawValue
      }
    }
  }

  /// One file or pair of folders for each part of the data.
  public struct Parts<File: Hashable & Sendable>: Hashable, Sendable {
    public var training: File
    public var validation: File?
    public var test: File?

    public init(training: File, validation: File? = nil, test: File? = nil) {
      self.training = training
      self.validation = validation
      self.test = test
    }
  }

  /// A CSV file for each part, or one of which a column tells the parts.
  public struct Table: Hashable, Sendable {
    /// With `split` all rows are in the training file.
    public var parts: Parts<String>
    public var split: SplitColumn?

    public init(parts: Parts<String>, split: SplitColumn? = nil) {
      self.parts = parts
      self.split = split
    }
  }

  /// The column that tells each row's part, and its values. A row with another value is an error.
  public struct SplitColumn: Hashable, Sendable {
    public var column: String
    public var parts: Parts<String>

    public init(column: String, parts: Parts<String>) {
      self.column = column
      self.parts = parts
    }
  }

  /// The table's column of file names, relative to the table's folder, and the columns of a crop in pixels.
  public struct ImageColumn: Hashable, Sendable {
    public var column: String
    /// Left, top, right (exclusive), bottom (exclusive); empty for the whole image.
    public var box: [String]

    public init(column: String, box: [String] = []) {
      self.column = column
      self.box = box
    }
  }

  public struct ImagesAndMasks: Hashable, Sendable {
    public var images: String
    public var masks: String

    public init(images: String, masks: String) {
      self.images = images
      self.masks = masks
    }
  }

  public struct ImagesAndLabels: Hashable, Sendable {
    public var images: String
    public var labels: String

    public init(images: String, labels: String) {
      self.images = images
      self.labels = labels
    }
  }

  /// Samples that are computed.
  public struct Synthetic: Hashable, Sendable {
    public enum Generator: String, CaseIterable, Sendable {
      case simultaneous
    }
    public var generator: Generator
    public var seed: UInt64
    /// The number of samples.
    public var training: Int
    public var test: Int

    public init(generator: Generator, seed: UInt64 = 0, training: Int = 1000, test: Int = 200) {
      self.generator = generator
      self.seed = seed
      self.training = training
      self.test = test
    }
  }

  /// The samples on which a model may be selected, where the source itself doesn't name them.
  public enum Validation: Hashable, Sendable {
    case none
    /// The test set: whoever selects on it has no test set left, and is told so.
    case test
    /// A random part of the training rows.
    case fraction(Fraction)
  }

  public struct Fraction: Hashable, Sendable {
    /// Above 0, below 1.
    public var share: Double
    /// The column of whose values each gives its share; nil draws from all rows alike.
    public var stratify: String?
    public var seed: UInt64

    public init(_ share: Double, stratify: String? = nil, seed: UInt64 = 0) {
      self.share = share
      self.stratify = stratify
      self.seed = seed
    }
  }
}

extension Recipe.Source {
  /// Whether the source itself names validation rows.
  var namesValidation: Bool {
    switch self {
    case .catalogue, .synthetic: false
    case .csv(let table), .images(let table, _): (table.split?.parts ?? table.parts).validation != nil
    case .masks(let parts): parts.validation != nil
    case .arrays(let parts): parts.validation != nil
    case .idx(let parts): parts.validation != nil
    }
  }

  var namesTest: Bool {
    switch self {
    case .catalogue: true
    case .synthetic(let settings): settings.test > 0
    case .csv(let table), .images(let table, _): (table.split?.parts ?? table.parts).test != nil
    case .masks(let parts): parts.test != nil
    case .arrays(let parts): parts.test != nil
    case .idx(let parts): parts.test != nil
    }
  }
}

extension Recipe {
  /// The same recipe with a share of the training rows as validation data, alike of each class of the first classification
  /// of a stream, and no report on test data while it trains. Validation rows of a stream's own stay, named by the source
  /// or drawn; the test set doesn't serve as such any more.
  public func holdingOut(_ share: Double) -> Recipe {
    var recipe = self
    for (index, stream) in data.streams.enumerated() where !stream.source.namesValidation {
      if case .fraction = stream.validation { continue }
      let column = tasks.lazy.compactMap { task -> String? in
        guard case .labels(let labels) = task.target, self.stream(ofTask: task.name)?.name == stream.name else {
          return nil
        }
        return labels.column
      }.first
      recipe.data.streams[index].validation = .fraction(Fraction(share, stratify: column))
    }
    recipe.training.report = .none
    return recipe
  }
}
