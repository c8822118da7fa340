// SPDX-License-Identifier: Apache-2.0
// Everything that training made and a checkpoint holds.

import MTLFast

/// A task's sums over samples.
public struct TaskSum: Sendable, Equatable {
  /// Of the losses of present labels, unweighted.
  public var loss = 0.0
  public var present = 0
  public var correct = 0

  public init(loss: Double = 0, present: Int = 0, correct: Int = 0) {
    self.loss = loss
    self.present = present
    self.correct = correct
  }

  static func += (sum: inout TaskSum, other: TaskSum) {
    sum.loss += other.loss
    sum.present += other.present
    sum.correct += other.correct
  }
}

/// Weights, optimizer slots and position. Nothing here depends on the machine, the time or the number of threads.
public struct TrainingState: Sendable {
  /// One tensor in plain layout.
  public struct Tensor: Sendable, Equatable {
    /// `trunk.conv2d_1.kernel`; slots end in `.adam_m`, `.adam_v` or `.momentum`.
    public let name: String
    public let dimensions: [Int]
    public let values: [Float]
    public init(name: String, dimensions: [Int], values: [Float]) {
      self.name = name
      self.dimensions = dimensions
      self.values = values
    }
  }

  /// In the order of the graph.
  public var parameters: [Tensor]
  /// The optimizer's slots, in the order of the parameters.
  public var slots: [Tensor]
  /// Optimizer steps taken.
  public var step: Int
  /// Epochs completed.
  public var epoch: Int
  /// Steps taken in the epoch that is running.
  public var stepInEpoch: Int
  /// The running sums of that epoch, in the order of the heads.
  public var sums: [TaskSum]
  public var seed: UInt64

  public init(
    parameters: [Tensor], slots: [Tensor], step: Int, epoch: Int, stepInEpoch: Int = 0, sums: [TaskSum] = [],
    seed: UInt64
  ) {
    self.parameters = parameters
    self.slots = slots
    self.step = step
    self.epoch = epoch
    self.stepInEpoch = stepInEpoch
    self.sums = sums
    self.seed = seed
  }
}
