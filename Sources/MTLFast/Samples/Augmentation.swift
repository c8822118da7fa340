// SPDX-License-Identifier: Apache-2.0
// Random changes of training images.

import Files

/// Random changes of an image each time that it is trained on, drawn from seed, epoch and sample alone.
///
/// Masks of the same stream move with their images; what comes from outside is ignored there.
public struct Augmentation: Hashable, Sendable {
  /// Left and right change places in half of the draws.
  public var flip: Bool
  /// Pixels of zeros on every side, of which a window of the image's size is cropped.
  public var pad: Int
  /// The side of a square that is set to zero, after normalisation, at a random place
  /// (DeVries and Taylor, Improved Regularization of Convolutional Neural Networks with Cutout, 2017); 0 for none.
  public var cutout: Int

  /// - Throws: `MTLFastError` of kind `usage` for a size outside 0...1024.
  public init(flip: Bool = false, pad: Int = 0, cutout: Int = 0) throws {
    for (name, size) in [("pad", pad), ("cutout", cutout)] where !(0...1024).contains(size) {
      throw MTLFastError(.usage, "augment: \(name) is \(size). Use 0...1024.")
    }
    self.flip = flip
    self.pad = pad
    self.cutout = cutout
  }
}
