// SPDX-License-Identifier: Apache-2.0
// A program laid out in memory as the plain structs that the kernels run.

import Kernels
import MTLFast

/// A plan that is ready to run: one arena, and flat arrays of operations, jobs and stages.
final class CompiledPlan {
  let pointer: UnsafeMutablePointer<mtlf_plan>
  let program: PlanProgram
  let schedule: PlanSchedule
  let batchCapacity: Int
  let shardSize: Int
  /// Bytes of activations and gradients.
  var arenaBytes: Int { arena.count * MemoryLayout<Float>.stride }

  private let arena: AlignedBuffer
  private let store: ParameterStore
  private let operations: UnsafeMutablePointer<mtlf_op>
  private let jobs: UnsafeMutablePointer<mtlf_job>
  private let stages: UnsafeMutablePointer<mtlf_stage>
  private var terms: [UnsafeMutablePointer<mtlf_dense_term>] = []
  private var tensors: [mtlf_tensor] = []
  /// The program's operation of each of the plan's.
  private var emitted: [Int] = []
  private let clip: UnsafeMutablePointer<mtlf_clip>
  /// Where the squares of each weight begin.
  private var squares: [Int: Int] = [:]

  /// - Parameters:
  ///   - store: the weights; it outlives the plan.
  ///   - batchCapacity: the largest minibatch.
  ///   - clipNorm: the limit of a program that clips gradients.
  init(_ program: PlanProgram, store: ParameterStore, batchCapacity: Int, clipNorm: Float? = nil) throws {
    guard (1...1 << 20).contains(batchCapacity) else {
      throw MTLFastError(.usage, "The batch size is \(batchCapacity). Use 1...\(1 << 20).")
    }
    self.program = program
    self.store = store
    self.batchCapacity = batchCapacity
    schedule = PlanSchedule(program)
    let context = store.context
    guard schedule.stageCount <= Int(MTLF_MAX_STAGES) else {
      throw MTLFastError(
        .usage, "The model needs \(schedule.stageCount) stages; a plan has \(MTLF_MAX_STAGES) at most.")
    }
    let layout = ArenaLayout(program, schedule, batchCapacity: batchCapacity, context: context)
    shardSize = layout.shardSize
    arena = try AlignedBuffer(count: layout.floats, for: "activations of a batch of \(batchCapacity)")
    tensors = layout.tensors(in: arena.base)

    clip = .allocate(capacity: 1)
    clip.initialize(to: mtlf_clip())
    var count = 0
    for operation in program.operations where operation.kind == MTLF_OP_SQUARE_SUMS {
      guard let weight = operation.weight, let entry = store.entries.first(where: { $0.node == weight }) else {
        continue
      }
      squares[weight] = count
      count += Int(mtlf_plan_update_units(Int64(entry.inputs), Int64(entry.units), context.pointer))
    }
    clip.pointee.limit = clipNorm ?? .infinity
    clip.pointee.count = Int64(count)
    clip.pointee.squares = .allocate(capacity: max(1, count))
    clip.pointee.squares.initialize(repeating: 0, count: max(1, count))
    operations = .allocate(capacity: max(1, program.operations.count))
    operations.initialize(repeating: mtlf_op(), count: max(1, program.operations.count))
    jobs = .allocate(capacity: max(1, program.operations.count))
    stages = .allocate(capacity: max(1, schedule.stageCount))
    pointer = .allocate(capacity: 1)
    pointer.initialize(
      to: mtlf_plan(
        ops: operations, jobs: jobs, stages: stages, stage_count: Int32(schedule.stageCount),
        batch_capacity: Int32(batchCapacity), shard_size: Int32(shardSize), workspace: arena.base + layout.workspace,
        workspace_floats: layout.workspaceFloats, thread_capacity: Int32(context.threads)))
    emit(layout)
  }

  deinit {
    operations.deallocate()
    jobs.deallocate()
    stages.deallocate()
    for term in terms { term.deallocate() }
    clip.pointee.squares.deallocate()
    clip.deallocate()
    pointer.deallocate()
  }

  /// Element (0, 0, 0) of the first sample of a value, and the floats between samples; for whole-minibatch values.
  func samples(of value: Int) -> (base: UnsafeMutablePointer<Float>, stride: Int)? {
    let tensor = tensors[value]
    guard tensor.thread_stride == 0, let data = tensor.data else { return nil }
    return (data, tensor.sample_stride)
  }

  /// Whether a value of the whole minibatch has an element that is NaN or infinite.
  func holdsNonFinite(_ value: Int, samples: Int) -> Bool {
    let tensor = tensors[value]
    guard tensor.thread_stride == 0, let data = tensor.data else { return false }
    let row = Int(tensor.width) * Int(tensor.channels)
    for sample in 0..<samples {
      for line in 0..<Int(tensor.height) {
        let start = data + sample * tensor.sample_stride + line * tensor.row_stride
        if (0..<row).contains(where: { !start[$0].isFinite }) { return true }
      }
    }
    return false
  }

  /// The norm of all gradients in the last step; nil where they aren't clipped.
  var gradientNorm: Double? { squares.isEmpty ? nil : clip.pointee.norm }

  /// The node of one of the plan's operations.
  func node(ofOperation index: Int) -> Int? {
    emitted.indices.contains(index) ? program.operations[emitted[index]].node : nil
  }

  private func emit(_ layout: ArenaLayout) {
    var operationCount = 0
    var jobCount = 0
    for stage in 0..<schedule.stageCount {
      let members = program.operations.indices.filter { schedule.stage[$0] == stage }
      let shards = members.filter { program.operations[$0].isShards }
      let firstJob = jobCount
      func addJob(_ indices: [Int], isShards: Bool) {
        jobs[jobCount] = mtlf_job(
          is_shards: isShards ? 1 : 0, first_op: Int32(operationCount), op_count: Int32(indices.count))
        jobCount += 1
        for index in indices {
          operations[operationCount] = encode(program.operations[index], layout)
          emitted.append(index)
          operationCount += 1
        }
      }
      // Groups of shards are the longest units of a stage, so they are claimed first.
      if !shards.isEmpty { addJob(shards, isShards: true) }
      for index in members where !program.operations[index].isShards { addJob([index], isShards: false) }
      stages[stage] = mtlf_stage(first_job: Int32(firstJob), job_count: Int32(jobCount - firstJob))
    }
  }

  private func encode(_ operation: PlanProgram.Operation, _ layout: ArenaLayout) -> mtlf_op {
    var op = mtlf_op()
    op.kind = operation.kind
    op.account = operation.account
    op.slot = Int32(operation.slot)
    op.relu = operation.relu ? 1 : 0
    op.mask = operation.mask ? 1 : 0
    op.rate = operation.rate
    op.key = operation.key
    op.source = Int32(operation.source)
    op.offset = Int32(operation.offset)
    op.running = operation.usesRunningStatistics ? 1 : 0
    if let scale = operation.scale { (op.kernel_h, op.kernel_w) = (Int32(scale.height), Int32(scale.width)) }
    if let window = operation.window {
      op.kernel_h = Int32(window.kernelHeight)
      op.kernel_w = Int32(window.kernelWidth)
      op.stride_h = Int32(window.strideHeight)
      op.stride_w = Int32(window.strideWidth)
      op.pad_top = Int32(window.padTop)
      op.pad_left = Int32(window.padLeft)
    }
    if let value = operation.input { op.input = tensors[value] }
    if let value = operation.output { op.output = tensors[value] }
    if let value = operation.dOutput { op.d_output = tensors[value] }
    if let value = operation.dInput {
      op.d_input = tensors[value]
      op.halo_floats = layout.haloFloats(of: value)
    }
    if let value = operation.gate {
      op.gate = UnsafeMutableRawPointer(tensors[value].data)
      // The shape of the masks.
      if operation.kind == MTLF_OP_MASK { op.input = tensors[value] }
    }
    op.norm = store.norm(of: operation.node).map { UnsafePointer($0) }
    if operation.isClipped { op.clip = clip }
    if operation.kind == MTLF_OP_SQUARE_SUMS, let weight = operation.weight, let first = squares[weight] {
      op.squares = clip.pointee.squares + first
    }
    if let value = operation.packed { op.packed = tensors[value].data }
    if let weight = operation.weight, let pointer = store.weight(of: weight) { op.weight = UnsafePointer(pointer) }
    if !operation.terms.isEmpty {
      let memory = UnsafeMutablePointer<mtlf_dense_term>.allocate(capacity: operation.terms.count)
      for (index, term) in operation.terms.enumerated() {
        let weight = store.weight(of: term.node)
        (memory + index).initialize(
          to: mtlf_dense_term(
            kernel: weight.flatMap { UnsafePointer($0.pointee.kernel) }, inputs: weight?.pointee.inputs ?? 0,
            units: weight?.pointee.units ?? 0, d_output_packed: UnsafePointer(tensors[term.packed].data)))
      }
      terms.append(memory)
      op.terms = UnsafePointer(memory)
      op.term_count = Int32(operation.terms.count)
    }
    return op
  }
}
