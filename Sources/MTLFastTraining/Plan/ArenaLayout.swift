// SPDX-License-Identifier: Apache-2.0
// Where each value of a program lies in the plan's one block of memory.

import Kernels
import MTLFast

/// Offsets and strides of a program's values.
///
/// A value that only the shards of one stage touch gets room for one shard in each thread, so that it stays in cache;
/// any other holds the whole minibatch.
struct ArenaLayout {
  /// Samples of a shard.
  let shardSize: Int
  private(set) var floats = 0
  private(set) var workspace = 0
  private(set) var workspaceFloats = 0

  private struct Place {
    var offset = 0
    var sampleStride = 0
    var rowStride = 0
    var threadStride = 0
    var haloFloats = 0
  }
  private var places: [Place]
  private let program: PlanProgram

  init(_ program: PlanProgram, _ schedule: PlanSchedule, batchCapacity: Int, context: KernelContext) {
    self.program = program
    places = [Place](repeating: Place(), count: program.values.count)
    let isPadded = Self.strideCanGrow(program)
    var sampleFloats = [Int](repeating: 0, count: program.values.count)
    for index in program.values.indices where program.values[index].alias == nil {
      let value = program.values[index]
      let width = value.shape.width + value.halo.left + value.halo.right
      let height = value.shape.height + value.halo.top + value.halo.bottom
      places[index].rowStride = width * value.shape.channels
      places[index].haloFloats = (value.halo.top * width + value.halo.left) * value.shape.channels
      sampleFloats[index] = height * width * value.shape.channels
      // Rows that lie a multiple of 4 KiB apart fall into one set of the first-level cache.
      if isPadded[index], sampleFloats[index] % 1024 == 0 { sampleFloats[index] += 16 }
      places[index].sampleStride = sampleFloats[index]
    }
    shardSize = ShardSize.samples(
      batchSize: batchCapacity, sampleFloats: ShardSize.sampleFloats(program, schedule))

    func round(_ floats: Int) -> Int { (floats + 63) / 64 * 64 }
    for index in program.values.indices where program.values[index].alias == nil {
      let value = program.values[index]
      places[index].offset = floats
      switch value.storage {
      case .samples:
        let isLocal =
          schedule.isTouchedByShardsOnly[index] && schedule.firstStage[index] == schedule.lastStage[index]
          && !program.kept.contains(index)
        if isLocal {
          places[index].threadStride = round(sampleFloats[index] * shardSize)
          floats += places[index].threadStride * context.threads
        } else {
          floats += round(sampleFloats[index] * batchCapacity)
        }
      case .bytes: floats += round((value.shape.elementCount * batchCapacity + 3) / 4)
      case .token: break
      case .indices: floats += round(value.shape.elementCount * batchCapacity)
      case .packedSamples:
        let panel = context.panel
        floats += round((batchCapacity + panel - 1) / panel * panel * value.shape.elementCount)
      }
    }
    let copiesWindows = context.pointer.pointee.conv_path == MTLF_CONV_IM2COL
    let largest = program.operations.compactMap { operation -> Int? in
      guard let window = operation.window, let (inputs, units) = Self.channels(operation, program) else { return nil }
      return units + (copiesWindows ? window.kernelHeight * window.kernelWidth * inputs : 0)
    }.max()
    workspaceFloats = round(mtlf_plan_workspace_floats(Int64(largest ?? 0)))
    workspace = floats
    floats += workspaceFloats * context.threads
    // A tile's last vector may be read (never written) beyond the last value.
    floats += 64
  }

  func haloFloats(of value: Int) -> Int { places[program.storage(of: value)].haloFloats }

  /// The tensors of all values, in an arena that starts at `base`.
  func tensors(in base: UnsafeMutablePointer<Float>) -> [mtlf_tensor] {
    program.values.indices.map { index in
      let shape = program.values[index].shape
      let place = places[program.storage(of: index)]
      let isView = program.values[index].shape != program.values[program.storage(of: index)].shape
      return mtlf_tensor(
        data: base + place.offset + place.haloFloats, sample_stride: place.sampleStride,
        row_stride: isView ? shape.width * shape.channels : place.rowStride, thread_stride: place.threadStride,
        height: Int32(shape.height), width: Int32(shape.width), channels: Int32(shape.channels))
    }
  }

  /// C_in and C_out of a convolution; nil for anything else.
  private static func channels(_ operation: PlanProgram.Operation, _ program: PlanProgram) -> (Int, Int)? {
    let ends: (Int?, Int?)
    switch operation.kind {
    case MTLF_OP_CONV2D: ends = (operation.input, operation.output)
    case MTLF_OP_CONV2D_D_INPUT: ends = (operation.dInput, operation.dOutput)
    case MTLF_OP_CONV2D_D_FILTER: ends = (operation.input, operation.dOutput)
    default: return nil
    }
    guard let from = ends.0, let to = ends.1 else { return nil }
    return (program.values[from].shape.channels, program.values[to].shape.channels)
  }

  /// Vectors that no operation takes for one block of memory, so that their samples may lie further apart.
  private static func strideCanGrow(_ program: PlanProgram) -> [Bool] {
    var can = program.values.map { $0.shape.isVector && $0.storage == .samples }
    for index in program.values.indices where program.values[index].alias != nil {
      can[program.storage(of: index)] = false
    }
    for operation in program.operations {
      switch operation.kind {
      case MTLF_OP_DENSE, MTLF_OP_DENSE_D_INPUT, MTLF_OP_DENSE_D_KERNEL, MTLF_OP_PACK_SAMPLES, MTLF_OP_RELU_BACKWARD:
        break
      default:
        for value in operation.reads + operation.writes { can[program.storage(of: value)] = false }
      }
    }
    return can
  }
}
