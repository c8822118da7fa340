// SPDX-License-Identifier: Apache-2.0
// A head of the model: what it learns, by which loss, and what it is scored by.

import Files

/// One task's output: the node of its raw outputs, what is to be learnt, and the weight of its loss.
public struct Head: Sendable {
  public let name: String
  /// Index of the node that holds the raw outputs: logits, or the values of a regression.
  public let logits: Int
  public let task: Task
  public let loss: Loss
  /// The factor of this head's loss in the sum.
  public var weight: Float
  /// The target is 1 - smoothing on the label plus smoothing / classes on every class
  /// (Szegedy et al., Rethinking the Inception Architecture, 2016).
  public let labelSmoothing: Float
  /// A factor for the loss of each class (of 0 and of 1 for masks); nil weighs all alike.
  public let classWeights: [Float]?
  public let hierarchy: ClassHierarchy?
  /// The first is the one that tables show.
  public let metrics: [Metric]

  /// - Parameters:
  ///   - loss: nil for the one that follows from the task: softmax cross-entropy, with a single logit binary
  ///     cross-entropy, for masks binary cross-entropy, for values the mean squared error.
  ///   - metrics: nil for those that follow from the task.
  public init(
    name: String, logits: Int, task: Task, loss: Loss? = nil, weight: Float = 1, labelSmoothing: Float = 0,
    classWeights: [Float]? = nil, hierarchy: ClassHierarchy? = nil, metrics: [Metric]? = nil
  ) {
    self.name = name
    self.logits = logits
    self.task = task
    self.loss = loss ?? task.standardLoss
    self.weight = weight
    self.labelSmoothing = labelSmoothing
    self.classWeights = classWeights
    self.hierarchy = hierarchy
    self.metrics = metrics ?? task.standardMetrics + (hierarchy == nil ? [] : [.consistency])
  }

  /// Whether its targets are masks.
  public var isMask: Bool {
    switch task {
    case .segmentation, .masks: true
    case .classification, .regression: false
    }
  }

  public enum Task: Sendable, Hashable {
    /// One class of several for each sample; integer labels, 0-based, -1 is missing. Logits `[classes]`, or `[1]` of two
    /// classes with binary cross-entropy: the logit of the second.
    case classification(classNames: [String])
    /// Numbers for each sample, `[K]`; NaN is missing.
    case regression([RegressionTarget])
    /// One class of several for each pixel. Logits `[H, W, classes]`.
    case segmentation(classNames: [String])
    /// Independent masks, each pixel in or out. Logits `[H, W, masks]`.
    case masks(names: [String])

    /// Names of the classes, masks or values.
    public var names: [String] {
      switch self {
      case .classification(let names), .segmentation(let names), .masks(let names): names
      case .regression(let targets): targets.map(\.name)
      }
    }

    public var standardLoss: Loss {
      switch self {
      case .classification, .segmentation: .softmaxCrossEntropy
      case .masks: .binaryCrossEntropy
      case .regression: .meanSquaredError
      }
    }

    public var losses: [Loss] {
      switch self {
      case .classification(let names):
        names.count == 2 ? [.softmaxCrossEntropy, .binaryCrossEntropy] : [.softmaxCrossEntropy]
      case .segmentation: [.softmaxCrossEntropy]
      case .masks: [.binaryCrossEntropy, .dice, .binaryCrossEntropyDice]
      case .regression: [.meanSquaredError, .meanAbsoluteError, .huber(delta: 1)]
      }
    }

    public var standardMetrics: [Metric] {
      switch self {
      case .classification(let names):
        names.count > 5 ? [.accuracy, .balancedAccuracy, .topK(5)] : [.accuracy, .balancedAccuracy]
      case .segmentation: [.pixelAccuracy, .intersectionOverUnion, .dice]
      case .masks: [.intersectionOverUnion, .dice, .pixelAccuracy]
      case .regression: [.r2, .meanAbsoluteError, .rootMeanSquaredError]
      }
    }

    /// Whether the task can be scored by a metric.
    public func allows(_ metric: Metric) -> Bool {
      switch (self, metric) {
      case (.classification(let names), .topK(let k)): k < names.count
      case (.classification, .accuracy), (.classification, .balancedAccuracy), (.classification, .consistency): true
      default: standardMetrics.contains(metric)
      }
    }

    /// The output of a regression node, in its unit, for a value of the node.
    public func unscaled(_ value: Float, target: Int) -> Float {
      guard case .regression(let targets) = self else { return value }
      return value * targets[target].standardDeviation + targets[target].mean
    }
  }
}

/// A number that a regression predicts: the node's value is (number - mean) / standard deviation.
public struct RegressionTarget: Hashable, Sendable {
  public let name: String
  public let mean: Float
  public let standardDeviation: Float

  public init(_ name: String, mean: Float = 0, standardDeviation: Float = 1) {
    self.name = name
    self.mean = mean
    self.standardDeviation = standardDeviation
  }
}

/// The classes of a head as parts of the classes of another.
public struct ClassHierarchy: Hashable, Sendable {
  /// The head whose classes are the parents.
  public let parent: String
  /// For each class the index of its parent.
  public let parents: [Int]

  public init(parent: String, parents: [Int]) {
    self.parent = parent
    self.parents = parents
  }
}

extension ModelGraph {
  /// Declares a head whose raw outputs are `head.logits`.
  ///
  /// - Throws: `MTLFastError` of kind `usage` where task, loss, metrics and the node's shape don't fit together.
  public mutating func addHead(_ head: Head) throws {
    func refuse(_ message: String) -> MTLFastError { MTLFastError(.usage, "Head '\(head.name)': \(message)") }
    guard !heads.contains(where: { $0.name == head.name }) else {
      throw refuse("is declared twice. Give each head its own name.")
    }
    guard heads.count < 256 else { throw refuse("is one too many. A model has up to 256 heads.") }
    guard nodes.indices.contains(head.logits) else {
      throw refuse(
        "reads node \(head.logits) but the graph has \(nodes.count) nodes. Use what addInput or add returned.")
    }
    let names = head.task.names
    let shape = nodes[head.logits].shape
    func isNamed(_ loss: Loss) -> Bool { head.task.losses.contains { $0.name == loss.name } }
    guard isNamed(head.loss) else {
      throw refuse(
        "loss \(head.loss.name) doesn't fit its task. Use \(head.task.losses.map(\.name).joined(separator: " or ")).")
    }
    switch head.task {
    case .classification:
      guard names.count >= 2 else {
        throw refuse("has \(names.count) classes. A classification needs 2 or more.")
      }
      let logits = head.loss == .binaryCrossEntropy ? 1 : names.count
      guard shape == .vector(logits) else {
        throw refuse(
          "its logits are \(shape) but the task has \(names.count) classes. End the head in dense: \(logits).")
      }
    case .regression:
      guard !names.isEmpty, shape == .vector(names.count) else {
        throw refuse(
          "its outputs are \(shape) but the task has \(names.count) values. End the head in dense: \(names.count).")
      }
    case .segmentation, .masks:
      let least = if case .masks = head.task { 1 } else { 2 }
      guard (least...254).contains(names.count) else {
        throw refuse("has \(names.count) classes. Use \(least)...254.")
      }
      guard shape.isImage, shape.channels == names.count else {
        throw refuse(
          "its logits are \(shape) but the task needs [H, W, \(names.count)]. End the head in conv2d with \(names.count) filters."
        )
      }
    }
    if case .huber(let delta) = head.loss, !(delta > 0 && delta.isFinite) {
      throw refuse("huber's delta is \(delta). Use a number above 0.")
    }
    guard head.weight >= 0, head.weight.isFinite else {
      throw refuse("weight is \(head.weight). Use a finite number, 0 or more.")
    }
    guard head.labelSmoothing >= 0, head.labelSmoothing < 1 else {
      throw refuse("label smoothing is \(head.labelSmoothing). Use 0 or more and less than 1.")
    }
    guard head.loss.isCrossEntropy || (head.labelSmoothing == 0 && head.classWeights == nil) else {
      throw refuse("label smoothing and class weights need a cross-entropy loss but its loss is \(head.loss.name).")
    }
    if let weights = head.classWeights {
      let count = if case .masks = head.task { 2 } else { names.count }
      guard weights.count == count else {
        throw refuse("has \(weights.count) class weights for \(count) classes. Give one for each.")
      }
      guard weights.allSatisfy({ $0 >= 0 && $0.isFinite }), weights.contains(where: { $0 > 0 }) else {
        throw refuse("class weights must be finite numbers of 0 or more, not all 0. Received: \(weights).")
      }
    }
    if let metric = head.metrics.first(where: { !head.task.allows($0) }) {
      throw refuse(
        "metric \(metric.name) doesn't fit its task. Use \(head.task.standardMetrics.map(\.name).joined(separator: ", "))."
      )
    }
    if head.metrics.contains(.consistency), head.hierarchy == nil {
      throw refuse("metric consistency needs the parent of each class.")
    }
    append(head)
  }

  /// - Throws: `MTLFastError` of kind `usage` where a head's parents are no classes of a classification head.
  func checkHierarchies() throws {
    for head in heads {
      guard let hierarchy = head.hierarchy else { continue }
      guard let parent = heads.first(where: { $0.name == hierarchy.parent }),
        case .classification(let parents) = parent.task, case .classification(let names) = head.task
      else {
        throw MTLFastError(
          .usage, "Head '\(head.name)': its parent '\(hierarchy.parent)' is no classification head of the model.")
      }
      guard hierarchy.parents.count == names.count, hierarchy.parents.allSatisfy(parents.indices.contains) else {
        throw MTLFastError(
          .usage,
          "Head '\(head.name)': \(hierarchy.parents.count) parents for \(names.count) classes, each one of 0...\(parents.count - 1)."
        )
      }
    }
  }

  /// Adds the layer that ends a head, and returns the node of the head's raw outputs: `item.logits`.
  ///
  /// A dense layer with a unit for each class or value (one for two classes with binary cross-entropy); for labels of
  /// pixels a 1x1 convolution of an image, or a dense layer of a vector, reshaped.
  ///
  /// - Parameter maskSize: height and width of the masks, which a vector alone doesn't tell.
  public mutating func addOutput(
    _ task: Head.Task, loss: Loss?, named name: String, reading input: Int, maskSize: (height: Int, width: Int)? = nil
  ) throws -> Int {
    guard nodes.indices.contains(input) else {
      throw MTLFastError(.usage, "Head '\(name)': reads node \(input) but the graph has \(nodes.count) nodes.")
    }
    let units = task.names.count
    switch task {
    case .classification:
      return try add(Dense(units: loss == .binaryCrossEntropy ? 1 : units), named: "\(name).logits", reading: input)
    case .regression: return try add(Dense(units: units), named: "\(name).output", reading: input)
    case .segmentation, .masks:
      guard nodes[input].shape.isVector else {
        return try add(Conv2D(filters: units, kernelSize: 1), named: "\(name).logits", reading: input)
      }
      guard let maskSize else {
        throw MTLFastError(
          .usage,
          "Head '\(name)': reads a vector, which doesn't tell the size of its masks. Let it depend on one image, or end it in reshape."
        )
      }
      let shape = Shape.image(height: maskSize.height, width: maskSize.width, channels: units)
      guard let count = shape.checkedElementCount else {
        throw MTLFastError(.usage, "Head '\(name)': masks of \(shape) have a size that can't be held.")
      }
      let dense = try add(Dense(units: count), named: "\(name).logits", reading: input)
      return try add(Reshape(shape), named: "\(name).masks", reading: dense)
    }
  }
}
