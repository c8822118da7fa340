// SPDX-License-Identifier: Apache-2.0
// Where values lie: apart from each other, in cache where they can be, half as large where they are bf16.

import Kernels
import MTLFast
import Testing

@testable import MTLFastStep

@Suite struct ArenaTests {
  static let batch = 20

  struct Laid {
    let program: Program
    let arena: Arena
    let tensors: [KernelTensor]
    let base: UnsafeMutableRawPointer

    /// Offsets of the bytes that a value takes, halo and all.
    func bytes(_ index: Int, threads: Int) -> Range<Int> {
      let value = program.values[index]
      let tensor = tensors[index]
      let size = value.element.bytes
      let start = tensor.base - base - tensor.haloElements * size
      switch value.storage {
      case .samples where tensor.threadStride > 0: return start..<start + tensor.threadStride * size * threads
      case .samples: return start..<start + tensor.sampleStride * ArenaTests.batch * size
      case .bytes: return start..<start + value.shape.elementCount * ArenaTests.batch
      case .indices, .packedSamples: return start..<start + value.shape.elementCount * ArenaTests.batch * 4
      case .token: return start..<start
      }
    }
  }

  static func lay(_ program: Program, threads: Int = 2) throws -> Laid {
    let arena = Arena(
      program, Schedule(program), batchCapacity: batch, context: try KernelContext(threads: threads))
    // Only offsets are looked at.
    let base = UnsafeMutableRawPointer(bitPattern: 1 << 30)!
    return Laid(program: program, arena: arena, tensors: arena.tensors(in: base), base: base)
  }

  static func model() throws -> MultiTaskModel {
    try MultiTaskModel(
      input: .image(height: 12, width: 12, channels: 3),
      trunk: [
        Conv2D(filters: 8, kernelSize: 3, padding: .same, activation: .relu), MaxPool2D(poolSize: 2),
        Conv2D(filters: 8, kernelSize: 3, padding: .same, activation: .sigmoid), MaxPool2D(poolSize: 3, stride: 2),
        Flatten(), Dense(units: 1024, activation: .relu), Dropout(rate: 0.5), Dense(units: 64, activation: .relu),
      ],
      heads: [.classification("a", classes: 5), .classification("b", classes: 2, layers: [BatchNorm()])], seed: 1)
  }

  @Test func valuesLieApart() throws {
    let program = try Lowering(graph: try Self.model().graph, purpose: .training(seed: 0)).program
    let laid = try Self.lay(program)
    let places = program.values.indices.filter { program.values[$0].alias == nil }
      .map { laid.bytes($0, threads: 2) }.filter { !$0.isEmpty }.sorted { $0.lowerBound < $1.lowerBound }
    #expect(places.count > 20)
    for (place, next) in zip(places, places.dropFirst()) { #expect(place.upperBound <= next.lowerBound) }
    #expect(try #require(places.last).upperBound <= laid.arena.workspaceOffset)
    #expect(laid.arena.workspaceOffset + laid.arena.workspaceFloats * 4 * 2 < laid.arena.bytes)
  }

  @Test func viewsShareTheirMemory() throws {
    var program = Program()
    let image = program.addValue("image", .image(height: 2, width: 3, channels: 4))
    let vector = program.addValue("vector", .vector(24), alias: image)
    let laid = try Self.lay(program)
    #expect(laid.tensors[vector].base == laid.tensors[image].base)
    #expect(laid.tensors[vector].rowStride == 24 && laid.tensors[image].rowStride == 12)
  }

  @Test func aHaloLiesAroundEachSample() throws {
    var program = Program()
    let image = program.addValue(
      "image", .image(height: 2, width: 3, channels: 4), halo: Halo(top: 1, bottom: 2, left: 1, right: 0))
    let tensor = try Self.lay(program).tensors[image]
    #expect(tensor.rowStride == 16 && tensor.sampleStride == 5 * 16 && tensor.haloElements == 16 + 4)
  }

  /// A value of one stage's shards has room for a shard in each thread, unless it is kept.
  @Test func whatOnlyAShardSeesIsSmall() throws {
    var program = Program()
    let (a, b, c) = (
      program.addValue("a", .vector(100)), program.addValue("b", .vector(100)), program.addValue("c", .vector(100))
    )
    for (from, to) in [(a, b), (b, c)] {
      program.operations.append(Operation(.copy(CopyOperation(from: from, to: to)), node: 0, account: .other))
    }
    program.kept = [c]
    let laid = try Self.lay(program)
    #expect(laid.tensors[b].threadStride >= 100 * laid.arena.shardSize)
    #expect(laid.tensors[c].threadStride == 0)
  }

  @Test func samplesOfVectorsKeepOffEachOthersCacheSets() throws {
    var program = Program()
    let (input, output) = (program.addValue("input", .vector(2048)), program.addValue("output", .vector(1024)))
    let dense = DenseOperation(pass: .forward(input: input, output: output, weight: 0, appliesReLU: true))
    program.operations.append(Operation(.dense(dense), node: 0, account: .dense))
    var laid = try Self.lay(program)
    #expect(laid.tensors[input].sampleStride == 2048 + 16 && laid.tensors[output].sampleStride == 1024 + 16)
    // A copy takes them for one block of memory.
    program.operations.append(
      Operation(
        .copy(CopyOperation(from: output, to: program.addValue("copy", .vector(1024)))), node: 0, account: .other))
    laid = try Self.lay(program)
    #expect(laid.tensors[input].sampleStride == 2048 + 16 && laid.tensors[output].sampleStride == 1024)
  }

  @Test func bfloat16TakesHalfTheRoom() throws {
    func bytes(_ element: ElementType) throws -> Int {
      var program = Program()
      let (input, output) = (
        program.addValue("input", .vector(640), element: element),
        program.addValue("output", .vector(640), element: element)
      )
      let dense = DenseOperation(pass: .forward(input: input, output: output, weight: 0, appliesReLU: true))
      program.operations.append(Operation(.dense(dense), node: 0, account: .dense))
      let laid = try Self.lay(program)
      return laid.tensors[output].base - laid.tensors[input].base
    }
    #expect(try bytes(.float32) == 640 * 4 * Self.batch)
    #expect(try bytes(.bfloat16) == 640 * 2 * Self.batch)
  }
}
