// SPDX-License-Identifier: Apache-2.0
// Cuts a program into stages: what runs between two barriers.

/// The stage of each operation of a program.
///
/// An operation goes into the earliest stage that its data allow. Operations in shards may follow each other within a
/// stage, since a shard runs them in order; anything that reads or overwrites what a block wrote, and a block that
/// reads anything, waits for the next stage. A weight is updated after the stage of its last reader. What comes behind a
/// boundary waits for all that comes before it.
package struct Schedule {
  /// By operation.
  package let stage: [Int]
  package let stageCount: Int
  /// By value: the stages that touch it, and whether only shards do.
  package let firstStage: [Int]
  package let lastStage: [Int]
  package let isTouchedByShardsOnly: [Bool]
  /// The step's programs: stages that run one after the other, and the boundary behind them.
  package let programs: [(stages: Range<Int>, boundary: StepBoundary?)]

  package init(_ program: Program) {
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
    var programs: [(stages: Range<Int>, boundary: StepBoundary?)] = []
    var firstAllowed = 0
    var boundaries = program.boundaries[...]
    for (index, operation) in program.operations.enumerated() {
      while let next = boundaries.first, next.operation <= index {
        boundaries = boundaries.dropFirst()
        let end = max(firstAllowed, (last.max() ?? -1) + 1, (stage.max() ?? -1) + 1)
        programs.append((firstAllowed..<end, next.boundary))
        firstAllowed = end
      }
      let operands = operation.operands
      if operation.onlyClears {
        for operand in operands { clearing[program.storage(of: operand.value)] = index }
        stage.append(firstAllowed)
        continue
      }
      let isShards = operation.unit == .shard
      let reads = operands.filter(\.isRead).map { program.storage(of: $0.value) }
      let writes = operands.filter(\.isWritten).map { program.storage(of: $0.value) }
      var earliest = firstAllowed
      func after(_ use: Use) {
        guard use.stage >= 0 else { return }
        earliest = max(earliest, use.isShards && isShards ? use.stage : use.stage + 1)
      }
      for value in reads { after(written[value]) }
      for value in writes {
        after(written[value])
        after(read[value])
      }
      for use in operation.parameters {
        switch use.access {
        case .updatesValues: if let reader = weightRead[use.node] { earliest = max(earliest, reader + 1) }
        case .readsGradient: if let writer = gradientWritten[use.node] { earliest = max(earliest, writer + 1) }
        case .readsValues, .makesGradient: break
        }
      }
      if !isShards {
        // Clearing is done by shards, so a block waits for it.
        for value in reads + writes {
          guard let zero = clearing.removeValue(forKey: value) else { continue }
          stage[zero] = earliest
          first[value] = min(first[value], earliest)
          earliest += 1
        }
      }
      stage.append(earliest)
      func note(_ use: inout Use) {
        if earliest > use.stage { use = Use(stage: earliest, isShards: isShards) }
        if earliest == use.stage, !isShards { use.isShards = false }
      }
      for value in reads { note(&read[value]) }
      for value in writes { note(&written[value]) }
      for value in reads + writes {
        if let zero = clearing.removeValue(forKey: value) { stage[zero] = earliest }
        first[value] = min(first[value], earliest)
        last[value] = max(last[value], earliest)
        if !isShards { shardsOnly[value] = false }
      }
      for use in operation.parameters {
        switch use.access {
        case .readsValues: weightRead[use.node] = max(weightRead[use.node] ?? 0, earliest)
        case .makesGradient: gradientWritten[use.node] = max(gradientWritten[use.node] ?? 0, earliest)
        case .readsGradient, .updatesValues: break
        }
      }
    }
    self.stage = stage
    stageCount = (stage.max() ?? -1) + 1
    for next in boundaries {
      programs.append((firstAllowed..<stageCount, next.boundary))
      firstAllowed = stageCount
    }
    programs.append((firstAllowed..<stageCount, nil))
    self.programs = programs
    firstStage = first
    lastStage = last
    isTouchedByShardsOnly = shardsOnly
  }
}
