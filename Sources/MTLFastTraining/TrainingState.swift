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
  /// What callbacks saved: best scores, epochs waited.
  public var saved: [String: String]
  /// The instruction set of the kernels, on which the last bits depend: `avx512`; empty where it isn't known.
  public var instructionSet: String

  public init(
    parameters: [Tensor], slots: [Tensor], step: Int, epoch: Int, stepInEpoch: Int = 0, sums: [TaskSum] = [],
    seed: UInt64, saved: [String: String] = [:], instructionSet: String = ""
  ) {
    self.parameters = parameters
    self.slots = slots
    self.step = step
    self.epoch = epoch
    self.stepInEpoch = stepInEpoch
    self.sums = sums
    self.seed = seed
    self.saved = saved
    self.instructionSet = instructionSet
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

extension Trainer {
  /// Everything that training made, as a checkpoint holds it.
  public func state() throws -> TrainingState { try state(saved: saved) }

  /// - Parameter saved: what callbacks want to know after a resume.
  func state(saved: [String: String]) throws -> TrainingState {
    let values = try store.values()
    let slots = try store.slots()
    return TrainingState(
      parameters: zip(model.parameters, values).map {
        .init(name: $0.name, dimensions: $0.specification.dimensions, values: $1)
      },
      slots: zip(model.parameters, slots).flatMap { parameter, slots in
        slots.map {
          .init(
            name: "\(parameter.name).\($0.ending)", dimensions: parameter.specification.dimensions, values: $0.values)
        }
      },
      step: step, epoch: epoch, stepInEpoch: stepInEpoch, sums: sums, seed: model.seed,
      saved: saved, instructionSet: context.isaName)
  }

  /// Goes on from a checkpoint of the same model, optimizer and seed.
  ///
  /// - Throws: `MTLFastError` of kind `badData` where a tensor is missing or of another shape, or the seed differs.
  public func restore(_ state: TrainingState) throws {
    guard state.seed == model.seed, state.sums.count == sums.count else {
      throw MTLFastError(
        .badData,
        "The checkpoint is of seed \(state.seed) and \(state.sums.count) heads, the model of seed \(model.seed) and \(sums.count)."
      )
    }
    let parameters = try model.parameters.map {
      try state.parameters.values(named: $0.name, dimensions: $0.specification.dimensions)
    }
    let slots = try model.parameters.map { parameter in
      try (parameter.specification.role.isTrained ? store.slotNames : []).map {
        try state.slots.values(named: "\(parameter.name).\($0)", dimensions: parameter.specification.dimensions)
      }
    }
    try store.load(parameters)
    try store.loadSlots(slots)
    resetSums()
    for (index, sum) in state.sums.enumerated() {
      // An empty list stands for zeros.
      guard [0, sums[index].counts.count].contains(sum.counts.count),
        [0, sums[index].sums.count].contains(sum.sums.count)
      else {
        throw MTLFastError(
          .badData, "The checkpoint's sums of head '\(model.graph.heads[index].name)' are of another number of classes."
        )
      }
      if sum.counts.isEmpty, sum.sums.isEmpty {
        (sums[index].loss, sums[index].weight, sums[index].present) = (sum.loss, sum.weight, sum.present)
      } else {
        sums[index] = sum
      }
    }
    (step, epoch, stepInEpoch) = (state.step, state.epoch, state.stepInEpoch)
    saved = state.saved
  }
}
