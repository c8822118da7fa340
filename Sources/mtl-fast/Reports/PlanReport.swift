// SPDX-License-Identifier: Apache-2.0
// What `summary --plan` prints: a training step stage by stage.

import MTLFastTraining

extension PlanSummary {
  /// A row for each job, and what the step takes of memory.
  var text: String {
    var table = TextTable([("stage", .right), ("MFLOP/sample", .right), ("jobs", .left)])
    for (index, stage) in stages.enumerated() {
      for (row, job) in stage.jobs.enumerated() {
        table.add([row == 0 ? "\(index + 1)" : "", row == 0 ? fixed(Double(stage.flops) / 1e6, 2) : "", job])
      }
    }
    let total = stages.reduce(0) { $0 + $1.flops }
    return """
      \(table.text)

      a step: \(fixed(Double(total) / 1e6, 2)) MFLOP a sample, batches of \(batchSize) in shards of \(shardSize)
      memory: \(fixed(Double(parameterBytes) / 1e6, 1)) MB weights, slots and gradients, \
      \(fixed(Double(activationBytes) / 1e6, 1)) MB activations (\(isaName), \(threads) thread\(threads == 1 ? "" : "s"))
      """
  }

  var json: JSONValue {
    .object([
      "stages": .array(
        stages.map { .object(["jobs": .array($0.jobs.map { .string($0) }), "flops": .integer($0.flops)]) }),
      "batch_size": .integer(batchSize), "shard_size": .integer(shardSize), "threads": .integer(threads),
      "isa": .string(isaName), "parameter_bytes": .integer(parameterBytes),
      "activation_bytes": .integer(activationBytes),
    ])
  }
}
