// SPDX-License-Identifier: Apache-2.0
// Where each value of a program lies in the step's one block of memory.

import Kernels
import MTLFast

/// Offsets and strides of a program's values.
///
/// A value that only the shards of one stage touch gets room for one shard in each thread, so that it stays in cache;
/// any other holds the whole minibatch.
package struct Arena {
  /// Samples of a shard.
  package let shardSize: Int
  package private(set) var bytes = 0
  /// Where the workspace of convolutions begins, and the floats of each thread.
  package private(set) var workspaceOffset = 0
  package private(set) var workspaceFloats = 0

  private struct Place {
    var offset = 0
    // In elements.
    var sampleStride = 0
    var rowStride = 0
    var threadStride = 0
    var halo = 0
  }
  private var places: [Place]
  private let program: Program

  package init(_ program: Program, _ schedule: Schedule, batchCapacity: Int, context: KernelContext) {
    self.program = program
    places = [Place](repeating: Place(), count: program.values.count)
    shardSize = ShardSize.samples(
      batchSize: batchCapacity,
      sampleElements: program.shardElements ?? ShardSize.sampleElements(program, schedule))
    let mayGrow = Self.strideCanGrow(program)
    func aligned(_ bytes: Int) -> Int { (bytes + 255) / 256 * 256 }
    for (index, value) in program.values.enumerated() where value.alias == nil {
      let width = value.shape.width + value.halo.left + value.halo.right
      var place = Place()
      place.rowStride = width * value.shape.channels
      place.halo = (value.halo.top * width + value.halo.left) * value.shape.channels
      place.sampleStride = value.sampleElements
      // Rows that lie a multiple of 4 KiB apart fall into one set of the first-level cache.
      if mayGrow[index], place.sampleStride * value.element.bytes % 4096 == 0 {
        place.sampleStride += 64 / value.element.bytes
      }
      place.offset = bytes
      switch value.storage {
      case .samples:
        let isLocal =
          schedule.isTouchedByShardsOnly[index] && schedule.firstStage[index] == schedule.lastStage[index]
          && !program.kept.contains(index)
        let size = value.element.bytes
        if isLocal {
          place.threadStride = aligned(place.sampleStride * shardSize * size) / size
          bytes += place.threadStride * size * context.threads
        } else {
          bytes += aligned(place.sampleStride * batchCapacity * size)
        }
      case .bytes: bytes += aligned(value.shape.elementCount * batchCapacity)
      case .token: break
      case .indices: bytes += aligned(value.shape.elementCount * batchCapacity * MemoryLayout<Int32>.stride)
      case .packedSamples:
        let panel = context.panel
        let samples = (batchCapacity + panel - 1) / panel * panel
        bytes += aligned(samples * value.shape.elementCount * MemoryLayout<Float>.stride)
      }
      places[index] = place
    }
    let float = MemoryLayout<Float>.stride
    let largest = program.operations.compactMap { operation in
      operation.kind.statement.workspace.map {
        context.convolutionWorkspace(units: $0.units, windowFloats: $0.windowFloats)
      }
    }.max()
    workspaceFloats = aligned((largest ?? 0) * float) / float
    workspaceOffset = bytes
    bytes += workspaceFloats * float * context.threads
    // A tile's last vector may be read (never written) beyond the last value.
    bytes += 256
  }

  /// The tensors of all values, in an arena that starts at `base`.
  package func tensors(in base: UnsafeMutableRawPointer) -> [KernelTensor] {
    program.values.indices.map { index in
      let value = program.values[index]
      let shape = value.shape
      let place = places[program.storage(of: index)]
      let isView = shape != program.values[program.storage(of: index)].shape
      return KernelTensor(
        base: base + place.offset + place.halo * value.element.bytes, element: value.element, height: shape.height,
        width: shape.width, channels: shape.channels, sampleStride: place.sampleStride,
        rowStride: isView ? shape.width * shape.channels : place.rowStride, threadStride: place.threadStride,
        haloElements: place.halo)
    }
  }

  /// Vectors that no operation takes for one block of memory, so that their samples may lie further apart.
  private static func strideCanGrow(_ program: Program) -> [Bool] {
    var can = program.values.map { $0.shape.isVector && $0.storage == .samples }
    for index in program.values.indices where program.values[index].alias != nil {
      can[program.storage(of: index)] = false
    }
    for operation in program.operations where !operation.kind.statement.takesSamplesApart {
      for operand in operation.operands { can[program.storage(of: operand.value)] = false }
    }
    return can
  }
}
