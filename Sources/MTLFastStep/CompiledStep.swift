// SPDX-License-Identifier: Apache-2.0
// A program laid out in memory and encoded for the kernels.

import Kernels
import MTLFast

/// A step that is ready to run: its values in one arena, its operations in stages.
package final class CompiledStep {
  package let program: Program
  package let schedule: Schedule
  package let batchCapacity: Int
  package let shardSize: Int
  /// Bytes of activations and gradients.
  package var arenaBytes: Int { memory.arena.bytes }
  /// The step's programs, one after the other, and the boundary behind each but the last.
  package var programs: [(stages: Range<Int>, boundary: StepBoundary?)] { schedule.programs }
  private let plan: KernelPlan

  /// The weights that it reads and trains.
  package var parameters: Parameters { memory.parameters }
  /// The gradients that tasks send to the nodes at which it can be left, by node.
  package let taskGradients: [Int: [TaskGradient]]

  private let memory: Memory
  /// The program's operation of each of the plan's.
  private let encoded: [Int]

  /// Where the operations find what they name.
  private final class Memory: StepMemory {
    let arena: AlignedBuffer
    let tensors: [KernelTensor]
    let parameters: Parameters
    let clip: GradientClip?
    private let firstSquares: [Int: Int]

    init(_ program: Program, _ layout: Arena, parameters: Parameters, clipNorm: Float?, batchCapacity: Int) throws {
      arena = try AlignedBuffer(bytes: layout.bytes, for: "activations of a batch of \(batchCapacity)")
      tensors = layout.tensors(in: arena.base)
      self.parameters = parameters
      var firstSquares: [Int: Int] = [:]
      var units = 0
      for node in program.squaredWeights {
        let weight = try parameters.entry(of: node).weight
        firstSquares[node] = units
        units += parameters.context.updateUnits(inputs: weight.inputs, units: weight.units)
      }
      self.firstSquares = firstSquares
      clip = units > 0 ? GradientClip(limit: clipNorm ?? .infinity, units: units) : nil
    }

    func tensor(_ value: Int) -> KernelTensor { tensors[value] }
    func weight(of node: Int) throws -> KernelWeight { try parameters.entry(of: node).weight }
    func statistics(of node: Int) throws -> BatchNormStatistics {
      guard let statistics = try parameters.entry(of: node).statistics else {
        throw MTLFastError(.system, "Node \(node) keeps no statistics: it is no batch normalisation.")
      }
      return statistics
    }
    func firstSquare(of node: Int) -> Int { firstSquares[node] ?? 0 }
  }

  /// - Parameters:
  ///   - batchCapacity: the largest minibatch.
  ///   - clipNorm: the limit of a program that clips gradients.
  package init(
    _ program: Program, parameters: Parameters, batchCapacity: Int, clipNorm: Float? = nil
  ) throws {
    guard (1...1 << 20).contains(batchCapacity) else {
      throw MTLFastError(.usage, "The batch size is \(batchCapacity). Use 1...\(1 << 20).")
    }
    self.program = program
    taskGradients = program.taskGradients
    self.batchCapacity = batchCapacity
    let schedule = Schedule(program)
    self.schedule = schedule
    let context = parameters.context
    guard schedule.stageCount <= KernelPlan.maximumStages else {
      throw MTLFastError(
        .usage, "The model needs \(schedule.stageCount) stages; a step has \(KernelPlan.maximumStages) at most.")
    }
    for (node, forms) in program.forms { try parameters.require(forms, of: node) }
    for (node, keeping) in program.gradients { try parameters.require(keeping, of: node) }
    let layout = Arena(program, schedule, batchCapacity: batchCapacity, context: context)
    shardSize = layout.shardSize
    let memory = try Memory(
      program, layout, parameters: parameters, clipNorm: clipNorm, batchCapacity: batchCapacity)
    self.memory = memory

    var encoded: [Int] = []
    var stages: [[KernelPlan.Job]] = []
    for stage in 0..<schedule.stageCount {
      var jobs: [KernelPlan.Job] = []
      let members = program.operations.indices.filter { schedule.stage[$0] == stage }
      func encode(_ index: Int) throws -> (EncodedOperation, StepAccount) {
        encoded.append(index)
        let operation = program.operations[index]
        return (try operation.kind.statement.payload(in: memory).encode(), operation.account)
      }
      // Groups of shards are the longest units of a stage, so they are claimed first.
      let shards = try members.filter { program.operations[$0].unit == .shard }.map(encode)
      if !shards.isEmpty { jobs.append(.shards(shards)) }
      for index in members where program.operations[index].unit != .shard {
        let (operation, account) = try encode(index)
        jobs.append(.blocks(operation, account: account))
      }
      stages.append(jobs)
    }
    self.encoded = encoded
    plan = KernelPlan(
      stages: stages, batchCapacity: batchCapacity, shardSize: shardSize,
      workspace: (memory.arena.base + layout.workspaceOffset).assumingMemoryBound(to: Float.self),
      workspaceFloats: layout.workspaceFloats, threads: context.threads)
  }

  /// Runs one of the step's programs and waits for it.
  package func run(program index: Int, _ arguments: StepArguments) throws {
    try arguments.run(plan, stages: programs[index].stages, memory.parameters.context)
  }

  // MARK: What lies where

  /// A value of the whole minibatch: element (0, 0, 0) of the first sample, and the strides. nil for one that only shards
  /// see.
  package func tensor(of value: Int) -> KernelTensor? {
    let tensor = memory.tensors[value]
    return tensor.threadStride == 0 ? tensor : nil
  }

  /// Whether a value of the whole minibatch has an element that is NaN or infinite.
  package func holdsNonFinite(_ value: Int, samples: Int) -> Bool {
    guard let tensor = tensor(of: value) else { return false }
    return (0..<samples).contains { sample in
      (0..<tensor.height).contains { line in
        let start = sample * tensor.sampleStride + line * tensor.rowStride
        return (start..<start + tensor.width * tensor.channels).contains { !tensor.value(at: $0).isFinite }
      }
    }
  }

  /// The norm of all gradients in the last step; nil where they aren't clipped.
  package var gradientNorm: Double? { memory.clip?.norm }

  /// The program's operation of one of the plan's.
  func operation(at index: Int) -> Int? { encoded.indices.contains(index) ? encoded[index] : nil }

  /// The node of one of the plan's operations.
  package func node(ofOperation index: Int) -> Int? { operation(at: index).map { program.operations[$0].node } }
}
