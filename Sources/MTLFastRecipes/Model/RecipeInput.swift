// SPDX-License-Identifier: Apache-2.0
// One input of a recipe's model: which values, and what happens to them on the way in.

import MTLFast
import MTLFastData

extension Recipe {
  /// One input of the model.
  public struct Input: Hashable, Sendable {
    public var name: String
    /// nil where the data are one stream without a name.
    public var stream: String?
    public var values: Values
    public var scale: Scale
    /// How image files of another size become the input's.
    public var fit: ImageFit
    public var normalization: Normalization
    /// Of training images.
    public var augmentation: Augmentation?

    public init(
      name: String, stream: String? = nil, values: Values, scale: Scale = 1, fit: ImageFit = .crop,
      normalization: Normalization = .none, augmentation: Augmentation? = nil
    ) {
      self.name = name
      self.stream = stream
      self.values = values
      self.scale = scale
      self.fit = fit
      self.normalization = normalization
      self.augmentation = augmentation
    }

    /// The column of the input's own name.
    public init(name: String, shape: Shape, scale: Scale = 1) {
      self.init(name: name, values: .column(name, shape), scale: scale)
    }

    /// nil where only the data tell it.
    public var shape: Shape? {
      switch values {
      case .column(_, let shape): shape
      case .columns(let columns): .vector(columns.count)
      case .allColumns: nil
      }
    }
  }

  /// What an input holds.
  public enum Values: Hashable, Sendable {
    /// A column of images or arrays of this shape.
    case column(String, Shape)
    /// Columns of a table, one number each.
    case columns([String])
    /// Every column of the table that nothing else uses.
    case allColumns
  }

  /// (x - mean) / standard deviation, of each channel of an image, element of a vector, or target.
  public enum Normalization: Hashable, Sendable {
    case none
    /// By mean and deviation of the training rows: what a resolved recipe holds as numbers.
    case training
    case by(mean: [Float], standardDeviation: [Float])
  }
}
