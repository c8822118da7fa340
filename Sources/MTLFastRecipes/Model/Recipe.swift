// SPDX-License-Identifier: Apache-2.0
// The recipe: everything that decides a training's result, as plain values.

import MTLFast

/// What to train, on which data, and how: the content of a recipe file of version 1.
///
/// Values only: no file positions and nothing of the machine, so that equal recipes train equal models.
/// Lists keep the order of the file. A recipe that `Recipe.parse` returned is valid as far as that can be told
/// without its data. A *resolved* recipe (`RecipeData.resolved`) also holds what was found in the training data - class
/// names, parents, column lists, means - so that its model and its predictions need no data.
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

  /// Named layers, one after the other: the trunk, or any other node.
  public struct ModelNode: Hashable, Sendable {
    public var name: String
    /// Inputs, other nodes, their layers (`trunk.conv2d_2`) or heads' logits (`item.logits`). Several are joined by the
    /// first layer.
    public var from: [String]
    public var layers: [GraphLayer]

    public init(name: String, from: [String], layers: [GraphLayer]) {
      self.name = name
      self.from = from
      self.layers = layers
    }
  }

  /// One task's output. Its last layer follows from the task of the same name, its loss too unless given.
  public struct Head: Hashable, Sendable {
    public var name: String
    public var from: [String]
    public var layers: [GraphLayer]
    /// The factor of the head's loss in the sum.
    public var weight: Float
    /// nil for the one that follows from the task.
    public var loss: Loss?
    /// nil for those that follow from the task.
    public var metrics: [Metric]?
    public var classWeights: ClassWeights?
    public var labelSmoothing: Float

    public init(
      name: String, from: [String], layers: [GraphLayer] = [], weight: Float = 1, loss: Loss? = nil,
      metrics: [Metric]? = nil, classWeights: ClassWeights? = nil, labelSmoothing: Float = 0
    ) {
      self.name = name
      self.from = from
      self.layers = layers
      self.weight = weight
      self.loss = loss
      self.metrics = metrics
      self.classWeights = classWeights
      self.labelSmoothing = labelSmoothing
    }
  }

  /// Factors for the loss of each class.
  public enum ClassWeights: Hashable, Sendable {
    /// labels / (classes * labels of the class), counted in the training data.
    case automatic
    /// In class order; for masks of 0 and of 1.
    case list([Float])
    /// The classes that are named; the others have 1.
    case named([ClassWeight])
  }

  public struct ClassWeight: Hashable, Sendable {
    public var name: String
    public var weight: Float

    public init(name: String, weight: Float) {
      self.name = name
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
    public var schedule: LearningRateSchedule
    /// The most that the 2-norm of all gradients together may be; nil leaves them as they are.
    public var gradientClipping: Float?
    /// Nodes, heads or single layers (`item.dense_1`) whose weights stay as they are.
    public var freeze: [String]
    /// The metric expression by which the best model is kept; nil for the validation loss where there are validation data.
    public var best: String?
    /// Whether each task's best model is kept too.
    public var bestPerTask: Bool
    public var earlyStopping: EarlyStopping?

    public init(
      optimizer: Optimizer = .adam(), batchSize: Int = 64, epochs: Int = 10, seed: UInt64 = 0, report: Report = .none,
      schedule: LearningRateSchedule = .constant, gradientClipping: Float? = nil, freeze: [String] = [],
      best: String? = nil, bestPerTask: Bool = false, earlyStopping: EarlyStopping? = nil
    ) {
      self.optimizer = optimizer
      self.schedule = schedule
      self.gradientClipping = gradientClipping
      self.freeze = freeze
      self.best = best
      self.bestPerTask = bestPerTask
      self.earlyStopping = earlyStopping
      self.batchSize = batchSize
      self.epochs = epochs
      self.seed = seed
      self.report = report
    }
  }

  /// When a training ends before its last epoch.
  public struct EarlyStopping: Hashable, Sendable {
    /// After how many epochs in a row that aren't better.
    public var patience: Int
    /// A metric expression; nil for that of the best model, or the validation loss.
    public var on: String?
    /// By how much a value must be better to count.
    public var minDelta: Double

    public init(patience: Int, on: String? = nil, minDelta: Double = 0) {
      self.patience = patience
      self.on = on
      self.minDelta = minDelta
    }
  }

  /// What every epoch is scored on beside the validation data. Nothing is selected by it.
  public enum Report: String, CaseIterable, Sendable {
    case none, test
  }
}
