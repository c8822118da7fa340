// SPDX-License-Identifier: Apache-2.0
// The size of a shard, which the bits of every training depend on, is frozen.

import Kernels
import MTLFast
import Testing

@testable import MTLFastStep

@Suite struct ShardSizeTests {
  @Test(arguments: [
    (200, 1, 13), (200, 40_329, 13), (200, 40_330, 7), (200, 74_898, 7), (200, 74_899, 5), (200, 524_289, 1),
    (64, 131_072, 4), (64, 131_073, 2), (64, 262_145, 1), (32, 1, 2), (1, 1, 1), (7, 1 << 40, 1), (160, 0, 10),
    (1 << 20, 8, 65_536), (1 << 20, 9, 32_768),
  ])
  func samples(batchSize: Int, sampleElements: Int, expected: Int) {
    #expect(ShardSize.samples(batchSize: batchSize, sampleElements: sampleElements) == expected)
  }

  /// 34 x 34 x 8 inputs in their halo; output, its gradient and that before ReLU of 32 x 32 x 16; 2 x 16 and 3 x 2 beside.
  static func model() throws -> MultiTaskModel {
    try MultiTaskModel(
      input: .image(height: 32, width: 32, channels: 8),
      trunk: [
        Conv2D(filters: 16, kernelSize: 3, padding: .same, activation: .relu), GlobalAveragePool2D(),
      ],
      heads: [.classification("even", classes: 2)], seed: 0)
  }

  @Test(arguments: [(128, 8), (144, 5), (160, 5), (16, 1)]) func ofAModel(batchSize: Int, expected: Int) throws {
    let program = try Lowering(graph: try Self.model().graph, purpose: .training(seed: 0)).program
    let arena = Arena(
      program, Schedule(program), batchCapacity: batchSize, context: try KernelContext(threads: 1))
    #expect(arena.shardSize == expected)
  }

  /// Boundaries make more stages, of which each is less full.
  @Test func boundariesChangeNothing() throws {
    let model = try MultiTaskModel(
      input: .image(height: 32, width: 32, channels: 8),
      trunk: [
        Conv2D(filters: 16, kernelSize: 3, padding: .same, activation: .sigmoid), GlobalAveragePool2D(),
      ],
      heads: [.classification("even", classes: 2)], seed: 0)
    func size(_ boundaries: Set<StepBoundary>) throws -> Int {
      var settings = StepSettings()
      settings.boundaries = boundaries
      let program = try Lowering(graph: model.graph, purpose: .training(seed: 0), settings: settings).program
      return Arena(program, Schedule(program), batchCapacity: 128, context: try KernelContext(threads: 1)).shardSize
    }
    #expect(try size([]) == 4)
    for boundary in [.lossesComplete, .gradientsReady, .taskGradientsReady(node: 2)] as [StepBoundary] {
      #expect(try size([boundary]) == 4)
    }
  }

  @Test func aValueBesideTheWorkingSetChangesNothing() throws {
    var program = try Lowering(graph: try Self.model().graph, purpose: .training(seed: 0)).program
    let elements = ShardSize.sampleElements(program, Schedule(program))
    #expect(elements == 9248 + 3 * 16384 + 2 * 16 + 3 * 2)
    let shape = Shape.image(height: 64, width: 64, channels: 64)
    let input = try #require(program.operations[0].operands.first { $0.access == .writes }?.value)
    for isInWorkingSet in [false, true] {
      let more = program.addValue("more", shape, isInWorkingSet: isInWorkingSet)
      program.operations.append(Operation(.copy(CopyOperation(from: input, to: more)), node: 0, account: .other))
      let added = isInWorkingSet ? shape.elementCount : 0
      #expect(ShardSize.sampleElements(program, Schedule(program)) == elements + added)
    }
  }
}
