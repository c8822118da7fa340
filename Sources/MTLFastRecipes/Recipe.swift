// SPDX-License-Identifier: Apache-2.0
// The recipe: everything that decides a training's result, as plain values.

import MTLFast

/// What to train, on which data, and how: the content of a recipe file of version 1.
///
/// Values only: no file positions and nothing of the machine, so that equal recipes train equal models.
/// Lists keep the order of the file. A recipe that `Recipe.parse` returned is valid as far as that can be told
/// without its data.
public struct Recipe: Hashable, Sendable {
  /// Letters, digits, `.`, `_` and `-`; names the run folder.
  public var name: String
  public var data: DataSource
  public var inputs: [Input]
  public var tasks: [Task]
  public var nodes: [ModelNode]
  /// In the order of the file, which is the order in which losses are added.
  public var heads: [Head]
  public var training: Training

  public init(
    name: String, data: DataSource, inputs: [Input], tasks: [Task], nodes: [ModelNode], heads: [Head],
    training: Training
  ) {
    self.name = name
    self.data = data
    self.inputs = inputs
    self.tasks = tasks
    self.nodes = nodes
    self.heads = heads
    self.training = training
  }

  /// Where the samples come from.
  public struct DataSource: Hashable, Sendable {
    /// A name of the data set catalogue: `fashion-mnist`.
    public var source: String
    public var validation: Validation

    public init(source: String, validation: Validation = .none) {
      self.source = source
      self.validation = validation
    }
  }

  /// The samples on which a model may be selected.
  public enum Validation: String, CaseIterable, Sendable {
    case none
  }

  /// One input of the model; it has the name of the data set's column.
  public struct Input: Hashable, Sendable {
    public var name: String
    public var shape: Shape
    public var scale: Scale

    public init(name: String, shape: Shape, scale: Scale = 1) {
      self.name = name
      self.shape = shape
      self.scale = scale
    }
  }

  /// One thing to be learnt.
  public struct Task: Hashable, Sendable {
    public var name: String
    /// The data set's label column.
    public var labels: String
    /// New classes made of the column's labels, in class order; nil takes the labels as they are.
    public var groups: [Group]?
    /// Names for the classes; nil takes those of the data.
    public var classes: [String]?

    public init(name: String, labels: String, groups: [Group]? = nil, classes: [String]? = nil) {
      self.name = name
      self.labels = labels
      self.groups = groups
      self.classes = classes
    }

    /// The class names as far as the recipe alone tells them.
    public var classNames: [String]? { groups?.map(\.name) ?? classes }
  }

  /// One class of a mapped task: the labels of the column that belong to it.
  public struct Group: Hashable, Sendable {
    public var name: String
    public var labels: [Int]

    public init(name: String, labels: [Int]) {
      self.name = name
      self.labels = labels
    }
  }

  /// Named layers, one after the other: the trunk, or any other node.
  public struct ModelNode: Hashable, Sendable {
    public var name: String
    /// An input, another node, one of its layers (`trunk.conv2d_2`) or a head's logits (`item.logits`).
    public var from: String
    public var layers: [RecipeLayer]

    public init(name: String, from: String, layers: [RecipeLayer]) {
      self.name = name
      self.from = from
      self.layers = layers
    }
  }

  /// One task's output. Its last layer and its loss follow from the task of the same name.
  public struct Head: Hashable, Sendable {
    public var name: String
    public var from: String
    public var layers: [RecipeLayer]
    /// The factor of the head's loss in the sum.
    public var weight: Float

    public init(name: String, from: String, layers: [RecipeLayer] = [], weight: Float = 1) {
      self.name = name
      self.from = from
      self.layers = layers
      self.weight = weight
    }
  }

  /// How to train.
  public struct Training: Hashable, Sendable {
    public var optimizer: Optimizer
    public var batchSize: Int
    public var epochs: Int
    public var seed: UInt64
    public var report: Report

    public init(
      optimizer: Optimizer = .adam(), batchSize: Int = 64, epochs: Int = 10, seed: UInt64 = 0, report: Report = .none
    ) {
      self.optimizer = optimizer
      self.batchSize = batchSize
      self.epochs = epochs
      self.seed = seed
      self.report = report
    }
  }

  /// What every epoch is scored on. Nothing is selected by it.
  public enum Report: String, CaseIterable, Sendable {
    case none, test
  }
}

extension Recipe {
  /// The same recipe with one task alone: its head at weight 1, and the nodes that this head reads.
  ///
  /// - Throws: `MTLFastError` of kind `usage` for an unknown task, or a head that reads another head.
  public func singleTask(_ task: String) throws -> Recipe {
    guard let head = heads.first(where: { $0.name == task }) else {
      throw MTLFastError(.usage, unknownName("task", task, in: "recipe '\(name)'", known: heads.map(\.name)))
    }
    var kept: Set<String> = []
    var unit = NodeReference(head.from).unit
    while let node = nodes.first(where: { $0.name == unit }), kept.insert(unit).inserted {
      unit = NodeReference(node.from).unit
    }
    guard inputs.contains(where: { $0.name == unit }) else {
      throw MTLFastError(
        .usage, "Recipe '\(name)': head '\(task)' reads head '\(unit)', so it can't be trained without that head.")
    }
    var single = self
    single.name = "\(name)-\(task)"
    single.tasks = tasks.filter { $0.name == task }
    single.inputs = inputs.filter { $0.name == unit }
    single.nodes = nodes.filter { kept.contains($0.name) }
    single.heads = [head]
    single.heads[0].weight = 1
    return single
  }
}
