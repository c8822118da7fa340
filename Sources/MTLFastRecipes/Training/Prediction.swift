// SPDX-License-Identifier: Apache-2.0
// What a trained model says about a sample, as values.

import MTLFast

/// The prediction for one sample.
public struct Prediction: Sendable {
  /// What a head says about a sample.
  public enum Value: Sendable {
    /// Classes with their probabilities, the most probable first, and the class that the data name.
    case classes([(name: String, probability: Float)], label: String?)
    /// Numbers by name in their units, and those of the data, nan where one is missing.
    case values([(name: String, value: Float)], label: [Float]?)
    /// The probability of each class or mask at each pixel, `[H, W, classes or masks]`.
    case mask(probabilities: [Float], shape: Shape)

    /// Classes in the order of their probabilities; of equal ones the lower class comes first.
    ///
    /// - Parameters:
    ///   - probabilities: of every class, in class order.
    ///   - label: -1 where it is missing.
    ///   - top: how many to keep; nil for all.
    static func classes(_ classNames: [String], probabilities: [Float], label: Int32?, top: Int?) -> Value {
      let order = probabilities.indices.sorted { (probabilities[$1], $0) < (probabilities[$0], $1) }
      let label = label.map(Int.init) ?? -1
      return .classes(
        order.prefix(top ?? order.count).map { (classNames[$0], probabilities[$0]) },
        label: classNames.indices.contains(label) ? classNames[label] : nil)
    }
  }

  /// Of the sample.
  public let index: Int
  /// In the order of the heads, without those whose inputs the sample lacks.
  public let heads: [(name: String, value: Value)]
}
