// SPDX-License-Identifier: Apache-2.0
// What a head minimises.

/// A head's loss: the mean over a sample's elements, then over the present samples of the minibatch.
public enum Loss: Hashable, Sendable {
  /// -log softmax(logits)[label], of a sample or of each pixel.
  case softmaxCrossEntropy
  /// -t log sigmoid(z) - (1 - t) log(1 - sigmoid(z)), of a sample or of each pixel of each mask.
  case binaryCrossEntropy
  /// 1 - (2 sum pt + 1) / (sum p + sum t + 1) of each mask (Milletari et al., V-Net, 2016).
  case dice
  /// The sum of both.
  case binaryCrossEntropyDice
  /// (y - t)^2
  case meanSquaredError
  /// |y - t|
  case meanAbsoluteError
  /// (y - t)^2 / 2 up to |y - t| = delta, delta (|y - t| - delta / 2) beyond
  /// (Huber, Robust Estimation of a Location Parameter, 1964).
  case huber(delta: Float)

  /// The name in recipes and summaries.
  public var name: String {
    switch self {
    case .softmaxCrossEntropy: "softmax_cross_entropy"
    case .binaryCrossEntropy: "binary_cross_entropy"
    case .dice: "dice"
    case .binaryCrossEntropyDice: "binary_cross_entropy_dice"
    case .meanSquaredError: "mean_squared_error"
    case .meanAbsoluteError: "mean_absolute_error"
    case .huber: "huber"
    }
  }

  /// Every loss by its name; Huber with a delta of 1.
  public static let all: [Loss] = [
    .softmaxCrossEntropy, .binaryCrossEntropy, .dice, .binaryCrossEntropyDice, .meanSquaredError, .meanAbsoluteError,
    .huber(delta: 1),
  ]

  /// Whether predictions are sigmoids of the logits.
  public var isSigmoid: Bool { self == .binaryCrossEntropy || self == .dice || self == .binaryCrossEntropyDice }

  /// Whether class weights and label smoothing have a meaning.
  public var isCrossEntropy: Bool {
    self == .softmaxCrossEntropy || self == .binaryCrossEntropy || self == .binaryCrossEntropyDice
  }
}
