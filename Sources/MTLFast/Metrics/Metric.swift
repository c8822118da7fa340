// SPDX-License-Identifier: Apache-2.0
// What a head is scored by.

/// A metric of one head, over the present labels of all scored samples.
public enum Metric: Hashable, Sendable {
  /// Correct / present.
  case accuracy
  /// The share of labels that are among the k most probable classes.
  case topK(Int)
  /// The mean of the classes' recalls, over the classes that occur.
  case balancedAccuracy
  /// The share of labelled samples whose predicted parent class is the parent of the predicted class.
  case consistency
  /// Correct / present pixels.
  case pixelAccuracy
  /// Intersection over union, the mean over the classes or masks that occur in labels or predictions.
  case intersectionOverUnion
  /// 2 intersection / (labelled + predicted), the mean over the same.
  case dice
  /// Mean absolute error, in the target's unit; of several targets their mean.
  case meanAbsoluteError
  /// Root of the mean squared error, in the target's unit; of several targets their mean.
  case rootMeanSquaredError
  /// 1 - squared error / squared deviation from the mean; of several targets their mean.
  case r2

  /// The name in recipes, tables and JSON.
  public var name: String {
    switch self {
    case .accuracy: "accuracy"
    case .topK(let k): "top_\(k)_accuracy"
    case .balancedAccuracy: "balanced_accuracy"
    case .consistency: "consistency"
    case .pixelAccuracy: "pixel_accuracy"
    case .intersectionOverUnion: "iou"
    case .dice: "dice"
    case .meanAbsoluteError: "mae"
    case .rootMeanSquaredError: "rmse"
    case .r2: "r2"
    }
  }

  /// The metric of that name; nil where there is none.
  public init?(name: String) {
    let plain: [Metric] = [
      .accuracy, .balancedAccuracy, .consistency, .pixelAccuracy, .intersectionOverUnion, .dice, .meanAbsoluteError,
      .rootMeanSquaredError, .r2,
    ]
    if let metric = plain.first(where: { $0.name == name }) {
      self = metric
    } else if name.hasPrefix("top_"), name.hasSuffix("_accuracy"),
      let k = Int(name.dropFirst("top_".count).dropLast("_accuracy".count)), k >= 1
    {
      self = .topK(k)
    } else {
      return nil
    }
  }

  /// Whether one value is better than another: errors are better where they are smaller.
  public func isBetter(_ value: Double, than other: Double) -> Bool {
    self == .meanAbsoluteError || self == .rootMeanSquaredError ? value < other : value > other
  }

  /// Whether it is a share of 1, shown in percent.
  public var isShare: Bool {
    switch self {
    case .meanAbsoluteError, .rootMeanSquaredError, .r2: false
    default: true
    }
  }
}
