// SPDX-License-Identifier: Apache-2.0
// Everything that training made and a checkpoint holds.

import MTLFast

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

extension [TrainingState.Tensor] {
  /// The values of a tensor that a model expects.
  ///
  /// - Throws: `MTLFastError` of kind `badData` where it is missing or of another shape.
  func values(named name: String, dimensions: [Int]) throws -> [Float] {
    guard let tensor = first(where: { $0.name == name }) else {
      throw MTLFastError(.badData, "The checkpoint has no tensor '\(name)'. It is of another model or optimizer.")
    }
    guard tensor.dimensions == dimensions else {
      throw MTLFastError(
        .badData, "Tensor '\(name)': the checkpoint has shape \(tensor.dimensions) but the model has \(dimensions).")
    }
    return tensor.values
  }
}

extension MultiTaskModel {
  /// Takes the weights of a checkpoint.
  ///
  /// - Throws: `MTLFastError` of kind `badData` where one is missing or of another shape.
  public func load(_ state: TrainingState) throws {
    let values = try parameters.map {
      try state.parameters.values(named: $0.name, dimensions: $0.specification.dimensions)
    }
    for (name, values) in zip(parameters.map(\.name), values) { try setParameter(name, to: values) }
  }
}
