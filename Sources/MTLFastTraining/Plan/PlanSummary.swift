// SPDX-License-Identifier: Apache-2.0
// How a model's training step is cut into stages, for people.

import Kernels
import MTLFast

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
    let plan = try CompiledPlan(trainer.program, store: trainer.store, batchCapacity: batchSize)
    self.batchSize = batchSize
    shardSize = plan.shardSize
    self.threads = trainer.threads
    isaName = trainer.context.isaName
    parameterBytes = trainer.store.arenaBytes
    activationBytes = plan.arenaBytes
    let operations = plan.program.operations
    stages = (0..<plan.schedule.stageCount).map { stage in
      let members = operations.indices.filter { plan.schedule.stage[$0] == stage }.map { operations[$0] }
      func describe(_ operation: PlanProgram.Operation) -> String {
        "\(model.graph.nodes[operation.node].name) \(operation.verb)"
      }
      let shards = members.filter { $0.isShards && $0.kind != MTLF_OP_ZERO }.map(describe)
      let blocks = members.filter { !$0.isShards }.map { "blocks: \(describe($0))" }
      return Stage(
        jobs: (shards.isEmpty ? [] : ["shards: \(shards.joined(separator: ", "))"]) + blocks,
        flops: members.reduce(0) { $0 + $1.flops })
    }
  }
}

extension PlanProgram.Operation {
  /// What it does to its node.
  fileprivate var verb: String {
    switch kind {
    case MTLF_OP_INPUT: "load"
    case MTLF_OP_CONV2D where gate != nil: "forward + pool"
    case MTLF_OP_CONV2D_D_INPUT, MTLF_OP_DENSE_D_INPUT: "d_input"
    case MTLF_OP_CONV2D_D_FILTER: "d_filter"
    case MTLF_OP_DENSE_D_KERNEL: isClipped ? "d_kernel" : "d_kernel + update"
    case MTLF_OP_SQUARE_SUMS: "squares"
    case MTLF_OP_CLIP: "norm of all gradients"
    case MTLF_OP_UPDATE: "update"
    case MTLF_OP_LOSS: "loss"
    case MTLF_OP_MASK: "move masks"
    case MTLF_OP_COPY: "copy"
    case MTLF_OP_ADD: "add"
    case MTLF_OP_SLICE: "slice"
    case MTLF_OP_BATCH_NORM_SUMS: "sums"
    case MTLF_OP_BATCH_NORM_FINISH: "statistics"
    case MTLF_OP_BATCH_NORM_D_SUMS: "gradient sums"
    case MTLF_OP_BATCH_NORM_D_FINISH: "gradient statistics"
    case MTLF_OP_PACK_SAMPLES: "pack"
    case MTLF_OP_RELU_BACKWARD, MTLF_OP_SIGMOID_BACKWARD, MTLF_OP_DROPOUT_BACKWARD, MTLF_OP_MAX_POOL2D_BACKWARD,
      MTLF_OP_AVG_POOL2D_BACKWARD, MTLF_OP_UPSAMPLE2D_BACKWARD, MTLF_OP_BATCH_NORM_D_INPUT:
      "backward"
    default: "forward"
    }
  }
}
