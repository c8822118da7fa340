// SPDX-License-Identifier: Apache-2.0
// How many samples a shard of the minibatch has.

import Kernels
import MTLFast

/// The samples of a shard, which the bits of a training depend on: gradients of images are summed by strips of a shard's
/// pixels.
///
/// So the definition stands on its own, apart from the memory that a program happens to need: the minibatch is cut into
/// 16 groups, and a group into shards of equal size, as few as let a shard's working set stay in cache. The working set
/// of a sample is that of the fullest stage, counted over values that declare `isInWorkingSet`. A value that is added
/// to an existing layer's passes declares false, and trainings keep their bits.
enum ShardSize {
  /// Elements that a shard may touch in a stage: more than the second-level cache holds, since activations stream through
  /// it while filters and their gradients, which every shard reads again, stay.
  static let workingElements = 512 * 1024

  /// - Parameters:
  ///   - batchSize: samples of the largest minibatch.
  ///   - sampleElements: the working set of one sample in the fullest stage.
  static func samples(batchSize: Int, sampleElements: Int) -> Int {
    let group = (batchSize + KernelPlan.maximumGroups - 1) / KernelPlan.maximumGroups
    let fitting = max(1, min(group, workingElements / max(1, sampleElements)))
    let shards = (group + fitting - 1) / fitting
    return (group + shards - 1) / shards
  }

  /// The working set of one sample in the fullest stage of a program: a value counts in the first and in the last stage
  /// that touches it. Vectors that blocks read or write belong to no shard.
  static func sampleElements(_ program: Program, _ schedule: Schedule) -> Int {
    var perStage = [Int](repeating: 0, count: schedule.stageCount)
    for (index, value) in program.values.enumerated()
    where value.alias == nil && value.isInWorkingSet && schedule.lastStage[index] >= 0 {
      guard schedule.isTouchedByShardsOnly[index] || value.shape.isImage else { continue }
      for stage in Set([schedule.firstStage[index], schedule.lastStage[index]]) {
        perStage[stage] += value.sampleElements
      }
    }
    return perStage.max() ?? 0
  }
}
