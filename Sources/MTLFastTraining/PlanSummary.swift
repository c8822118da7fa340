// SPDX-License-Identifier: Apache-2.0
// How a model's training step is cut into stages, for people.

import MTLFast
import MTLFastStep

/// The stages of a training step and what they take.
public struct PlanSummary: Sendable {
  /// What runs between two barriers.
  public struct Stage: Sendable {
    /// Each job's operations in order: `shards: trunk.conv2d_1 forward, ...` or `blocks: trunk.dense_1 forward`.
    public let jobs: [String]
    /// Multiply-accumulates x 2 of one sample, over valid taps.
    public let flops: Int
  }

  public let stages: [Stage]
  public let batchSize: Int
  /// Samples of a shard.
  public let shardSize: Int
  public let threads: Int
  public let isaName: String
  /// Weights, optimizer slots, gradients and their stored forms.
  public let parameterBytes: Int
  /// Activations and gradients.
  public let activationBytes: Int

  /// - Throws: as `Trainer.init` and `Trainer.fit`.
  public init(
    _ model: MultiTaskModel, optimizer: Optimizer, gradientClipping: Float? = nil, freezing: [String] = [],
    batchSize: Int, threads: Int? = nil
  ) throws {
    let trainer = try Trainer(
      model, optimizer: optimizer, gradientClipping: gradientClipping, freezing: freezing, threads: threads)
    let step = try CompiledStep(trainer.program, parameters: trainer.store, batchCapacity: batchSize)
    self.batchSize = batchSize
    shardSize = step.shardSize
    self.threads = trainer.threads
    isaName = trainer.context.isaName
    parameterBytes = trainer.store.arenaBytes
    activationBytes = step.arenaBytes
    let operations = step.program.operations
    stages = (0..<step.schedule.stageCount).map { stage in
      let members = operations.indices.filter { step.schedule.stage[$0] == stage }.map { operations[$0] }
      func describe(_ operation: Operation) -> String {
        "\(model.graph.nodes[operation.node].name) \(operation.verb)"
      }
      let shards = members.filter { $0.unit == .shard && !$0.onlyClears }.map(describe)
      let blocks = members.filter { $0.unit != .shard }.map { "blocks: \(describe($0))" }
      return Stage(
        jobs: (shards.isEmpty ? [] : ["shards: \(shards.joined(separator: ", "))"]) + blocks,
        flops: members.reduce(0) { $0 + $1.flops })
    }
  }
}
