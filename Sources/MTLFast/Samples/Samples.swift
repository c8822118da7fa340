// SPDX-License-Identifier: Apache-2.0
// The samples that a model trains on or is evaluated on: columns bound to the model's inputs and heads.

/// Columns of one split, bound by name to the inputs and heads of a model.
///
/// Usually one stream. Several are independent: an epoch is as long as the longest, a shorter one is shuffled again and
/// cycles, and each minibatch takes as many rows of each.
public struct Samples: Sendable {
  /// One input of the model: its column and what happens to its values on the way in.
  public struct Input: Sendable {
    public let column: InputColumn
    /// The factor of every value.
    public let scale: Float
    /// Of each channel of an image or element of a vector, after scaling: (scale * x - mean) / standard deviation.
    public let standardization: (mean: [Float], standardDeviation: [Float])?
    /// Of training; nil and vectors are never changed.
    public let augmentation: Augmentation?

    public init(
      column: InputColumn, scale: Float = 1, standardization: (mean: [Float], standardDeviation: [Float])? = nil,
      augmentation: Augmentation? = nil
    ) {
      self.column = column
      self.scale = scale
      self.standardization = standardization
      self.augmentation = augmentation
    }
  }

  /// Columns whose rows belong together.
  public struct Stream: Sendable {
    /// What the rows are, for messages: `fashion-mnist test`.
    public let name: String
    public let count: Int
    /// By input node.
    public let inputs: [String: Input]
    /// By head. A head without a column here is not trained or scored.
    public let targets: [String: TargetColumn]

    public init(name: String, count: Int, inputs: [String: Input], targets: [String: TargetColumn]) {
      self.name = name
      self.count = count
      self.inputs = inputs
      self.targets = targets
    }
  }

  /// What the samples are, for messages.
  public let name: String
  public let streams: [Stream]
  /// Of the longest stream.
  public let count: Int

  public init(name: String, streams: [Stream]) {
    self.name = name
    self.streams = streams
    count = streams.map(\.count).max() ?? 0
  }

  public init(name: String, count: Int, inputs: [String: Input], targets: [String: TargetColumn]) {
    self.init(name: name, streams: [Stream(name: name, count: count, inputs: inputs, targets: targets)])
  }

  /// - Parameter labels: class labels by head.
  public init(name: String, count: Int, inputs: [String: Input], labels: [String: LabelColumn]) {
    self.init(name: name, count: count, inputs: inputs, targets: labels.mapValues { .classes($0) })
  }

  /// The same rows of every stream with the columns of some inputs and heads alone.
  public func keeping(inputs: [String], heads: [String]) -> Samples {
    Samples(
      name: name,
      streams: streams.map { stream in
        Stream(
          name: stream.name, count: stream.count, inputs: stream.inputs.filter { inputs.contains($0.key) },
          targets: stream.targets.filter { heads.contains($0.key) })
      })
  }

  /// The column of a head, in whichever stream.
  public func target(of head: String) -> TargetColumn? { streams.lazy.compactMap { $0.targets[head] }.first }
  /// The column of an input, in whichever stream.
  public func input(named name: String) -> Input? { streams.lazy.compactMap { $0.inputs[name] }.first }
}
