// SPDX-License-Identifier: Apache-2.0
// The samples that a model trains on or is evaluated on: columns bound to the model's inputs and heads.

import MTLFast
import MTLFastData

/// Columns of one split, bound by name to the inputs and heads of a model.
public struct Samples: Sendable {
  /// One input of the model: its column and the factor that its values are multiplied by on the way in.
  public struct Input: Sendable {
    public let column: InputColumn
    public let scale: Float
    public init(column: InputColumn, scale: Float = 1) {
      self.column = column
      self.scale = scale
    }
  }

  /// What the samples are, for messages: `fashion-mnist test`.
  public let name: String
  public let count: Int
  /// By input node.
  public let inputs: [String: Input]
  /// By head. A head without a column here is not trained or scored.
  public let labels: [String: LabelColumn]

  public init(name: String, count: Int, inputs: [String: Input], labels: [String: LabelColumn]) {
    self.name = name
    self.count = count
    self.inputs = inputs
    self.labels = labels
  }
}
