// SPDX-License-Identifier: Apache-2.0
// Cuts a program into stages: what runs between two barriers.

import Kernels
import MTLFast

/// The stage of each operation of a program.
///
/// An operation goes into the earliest stage that its data allow. Operations in shards may follow each other within a
/// stage, since a shard runs them in order; anything that reads or overwrites what a block wrote, and a block that
/// reads anything, waits for the next stage. A weight is updated after the stage of its last reader.
struct PlanSchedule {
  /// By operation.
  let stage: [Int]
  let stageCount: Int
  /// By value: the stages that touch it, and whether only shards do.
  let firstStage: [Int]
  let lastStage: [Int]
  let isTouchedByShardsOnly: [Bool]

  init(_ program: PlanProgram) {
    var stage: [Int] = []
    struct Use {
      var stage = -1
      var isShards = true
    }
    var written = [Use](repeating: Use(), count: program.values.count)
    var read = [Use](repeating: Use(), count: program.values.count)
    var weightRead: [Int: Int] = [:]
    var gradientWritten: [Int: Int] = [:]
    var first = [Int](repeating: Int.max, count: program.values.count)
    var last = [Int](repeating: -1, count: program.values.count)
    var shardsOnly = [Bool](repeating: true, count: program.values.count)
    // A value is cleared in the stage that first adds to it, so that it is in cache then and may be of one shard.
    var clearing: [Int: Int] = [:]
    for (index, operation) in program.operations.enumerated() {
      if operation.kind == MTLF_OP_ZERO, let cleared = operation.dInput {
        clearing[program.storage(of: cleared)] = index
        stage.append(0)
        continue
      }
      let reads = operation.reads.map(program.storage(of:))
      let writes = operation.writes.map(program.storage(of:))
      var earliest = 0
      func after(_ use: Use) {
        guard use.stage >= 0 else { return }
        earliest = max(earliest, use.isShards && operation.isShards ? use.stage : use.stage + 1)
      }
      for value in reads { after(written[value]) }
      for value in writes {
        after(written[value])
        after(read[value])
      }
      if let weight = operation.weight, operation.updatesWeight, let reader = weightRead[weight] {
        earliest = max(earliest, reader + 1)
      }
      if let weight = operation.weight, operation.readsGradient {
        if let writer = gradientWritten[weight] { earliest = max(earliest, writer + 1) }
      }
      stage.append(earliest)
      func note(_ use: inout Use) {
        if earliest > use.stage { use = Use(stage: earliest, isShards: operation.isShards) }
        if earliest == use.stage, !operation.isShards { use.isShards = false }
      }
      for value in reads { note(&read[value]) }
      for value in writes { note(&written[value]) }
      for value in reads + writes {
        if let zero = clearing.removeValue(forKey: value) { stage[zero] = earliest }
        first[value] = min(first[value], earliest)
        last[value] = max(last[value], earliest)
        if !operation.isShards { shardsOnly[value] = false }
      }
      let readers = operation.terms.map(\.node) + (operation.readsWeight ? [operation.weight].compactMap { $0 } : [])
      for weight in readers { weightRead[weight] = max(weightRead[weight] ?? 0, earliest) }
      if operation.makesGradient, let weight = operation.weight { gradientWritten[weight] = earliest }
    }
    self.stage = stage
    stageCount = (stage.max() ?? -1) + 1
    firstStage = first
    lastStage = last
    isTouchedByShardsOnly = shardsOnly
  }
}
