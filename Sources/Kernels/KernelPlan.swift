// SPDX-License-Identifier: Apache-2.0
// Operations in the stages in which the kernels run them.

internal import CKernels

/// Operations, jobs and stages as the kernels' plain structs, and the memory that they stand in.
package final class KernelPlan {
  /// Groups of a minibatch, each with its own sums.
  package static let maximumGroups = Int(MTLF_MAX_GROUPS)
  package static let maximumStages = Int(MTLF_MAX_STAGES)

  /// What threads share between two barriers: shards, which run operations one after the other, or blocks of one operation.
  package enum Job {
    case shards([(operation: EncodedOperation, account: StepAccount)])
    case blocks(EncodedOperation, account: StepAccount)
  }

  let pointer: UnsafeMutablePointer<mtlf_plan>
  private let encoded: [EncodedOperation]
  private let operations: UnsafeMutablePointer<mtlf_op>
  private let jobs: UnsafeMutablePointer<mtlf_job>
  private let stages: UnsafeMutablePointer<mtlf_stage>

  /// - Parameters:
  ///   - workspace: room for `workspaceFloats` floats of each thread.
  package init(
    stages list: [[Job]], batchCapacity: Int, shardSize: Int, workspace: UnsafeMutablePointer<Float>,
    workspaceFloats: Int, threads: Int
  ) {
    var encoded: [EncodedOperation] = []
    var flat: [mtlf_op] = []
    var flatJobs: [mtlf_job] = []
    var flatStages: [mtlf_stage] = []
    func add(_ operation: EncodedOperation, _ account: StepAccount) {
      encoded.append(operation)
      flat.append(operation.operation)
      flat[flat.count - 1].account = account.kernel
    }
    for stage in list {
      flatStages.append(mtlf_stage(first_job: Int32(flatJobs.count), job_count: Int32(stage.count)))
      for job in stage {
        let first = Int32(flat.count)
        switch job {
        case .shards(let members):
          for member in members { add(member.operation, member.account) }
          flatJobs.append(mtlf_job(is_shards: 1, first_op: first, op_count: Int32(members.count)))
        case .blocks(let operation, let account):
          add(operation, account)
          flatJobs.append(mtlf_job(is_shards: 0, first_op: first, op_count: 1))
        }
      }
    }
    func keep<Value>(_ values: [Value]) -> UnsafeMutablePointer<Value> {
      let memory = UnsafeMutablePointer<Value>.allocate(capacity: max(1, values.count))
      memory.initialize(from: values, count: values.count)
      return memory
    }
    self.encoded = encoded
    operations = keep(flat)
    jobs = keep(flatJobs)
    stages = keep(flatStages)
    pointer = .allocate(capacity: 1)
    pointer.initialize(
      to: mtlf_plan(
        ops: operations, jobs: jobs, stages: stages, stage_count: Int32(flatStages.count),
        batch_capacity: Int32(batchCapacity), shard_size: Int32(shardSize), workspace: workspace,
        workspace_floats: workspaceFloats, thread_capacity: Int32(threads)))
  }

  deinit {
    operations.deallocate()
    jobs.deallocate()
    stages.deallocate()
    pointer.deallocate()
  }
}
