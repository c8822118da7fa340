// SPDX-License-Identifier: Apache-2.0
// What may run together, and what waits.

import Kernels
import MTLFast
import Testing

@testable import MTLFastStep

@Suite struct ScheduleTests {
  /// A program of copies in shards (`copy`, `add`), a dense pass in blocks, and updates.
  struct Builder {
    var program = Program()

    mutating func value(_ name: String) -> Int { program.addValue(name, .vector(4)) }
    mutating func add(_ kind: Operation.Kind) {
      program.operations.append(Operation(kind, node: 0, account: .other))
    }
    mutating func copy(_ from: Int, _ to: Int, adds: Bool = false) {
      add(.copy(CopyOperation(from: from, to: to, adds: adds)))
    }
    mutating func clear(_ value: Int) { add(.zero(ZeroOperation(value: value))) }
    mutating func dense(_ from: Int, _ to: Int, weight: Int) {
      add(.dense(DenseOperation(pass: .forward(input: from, output: to, weight: weight, appliesReLU: false))))
    }
    var stages: [Int] { Schedule(program).stage }
  }

  @Test func shardsFollowEachOtherInAStage() {
    var builder = Builder()
    let (a, b, c) = (builder.value("a"), builder.value("b"), builder.value("c"))
    builder.copy(a, b)
    builder.copy(b, c)
    builder.copy(a, c, adds: true)
    #expect(builder.stages == [0, 0, 0])
    let schedule = Schedule(builder.program)
    #expect(schedule.stageCount == 1 && schedule.isTouchedByShardsOnly == [true, true, true])
  }

  @Test func blocksWaitForWhatTheyReadAndAreWaitedFor() {
    var builder = Builder()
    let (a, b, c, d) = (builder.value("a"), builder.value("b"), builder.value("c"), builder.value("d"))
    builder.copy(a, b)
    builder.dense(b, c, weight: 1)
    builder.copy(c, d)
    builder.dense(d, a, weight: 2)  // overwrites what the first copy reads
    #expect(builder.stages == [0, 1, 2, 3])
    #expect(Schedule(builder.program).isTouchedByShardsOnly == [false, false, false, false])
  }

  @Test func anOverwrittenValueWaitsForItsReaders() {
    var builder = Builder()
    let (a, b, c) = (builder.value("a"), builder.value("b"), builder.value("c"))
    builder.dense(a, b, weight: 1)
    builder.copy(c, a)
    #expect(builder.stages == [0, 1])
  }

  @Test func aValueIsClearedInTheStageThatFirstAddsToIt() {
    var builder = Builder()
    let (a, b, sum) = (builder.value("a"), builder.value("b"), builder.value("sum"))
    builder.clear(sum)
    builder.dense(a, b, weight: 1)
    builder.copy(b, sum, adds: true)
    #expect(builder.stages == [1, 0, 1])
    let schedule = Schedule(builder.program)
    #expect(schedule.firstStage[sum] == 1 && schedule.lastStage[sum] == 1)
  }

  @Test func aBlockWaitsForTheShardsThatClear() {
    var builder = Builder()
    let (a, sum) = (builder.value("a"), builder.value("sum"))
    builder.clear(sum)
    builder.dense(a, sum, weight: 1)
    #expect(builder.stages == [0, 1])
  }

  @Test func aWeightIsUpdatedAfterItsLastReaderAndItsGradient() {
    var builder = Builder()
    let (a, b, c) = (builder.value("a"), builder.value("b"), builder.value("c"))
    builder.dense(a, b, weight: 1)
    builder.dense(b, c, weight: 1)
    builder.add(.dense(DenseOperation(pass: .kernelGradient(input: a, dOutput: a, weight: 1), isFused: true)))
    #expect(builder.stages == [0, 1, 2])
    builder.add(.dense(DenseOperation(pass: .kernelGradient(input: a, dOutput: c, weight: 2), isFused: false)))
    builder.add(.update(UpdateOperation(weight: 2)))
    #expect(builder.stages == [0, 1, 2, 2, 3])
  }

  @Test func aSumOfGradientsIsWaitedForByTheUpdate() {
    var builder = Builder()
    let a = builder.value("a")
    builder.add(.dense(DenseOperation(pass: .kernelGradient(input: a, dOutput: a, weight: 1), isFused: false)))
    builder.add(.sumGradient(SumGradientOperation(weight: 1)))
    builder.add(.update(UpdateOperation(weight: 1, isSummed: true)))
    #expect(builder.stages == [0, 1, 2])
  }

  @Test func whatComesBehindABoundaryWaitsForAllBeforeIt() {
    var builder = Builder()
    let (a, b, c, d) = (builder.value("a"), builder.value("b"), builder.value("c"), builder.value("d"))
    builder.copy(a, b)
    builder.program.addBoundary(.lossesComplete)
    builder.clear(d)
    builder.copy(c, d, adds: true)
    builder.program.addBoundary(.gradientsReady)
    let schedule = Schedule(builder.program)
    #expect(schedule.stage == [0, 1, 1])
    #expect(schedule.programs.map(\.stages) == [0..<1, 1..<2, 2..<2])
    #expect(schedule.programs.map(\.boundary) == [.lossesComplete, .gradientsReady, nil])
  }

  /// A step without boundaries is one program, whatever the net.
  @Test func aPlainStepIsOneProgram() throws {
    let model = try ShardSizeTests.model()
    let schedule = Schedule(try Lowering(graph: model.graph, purpose: .training(seed: 0)).program)
    #expect(schedule.programs.map(\.stages) == [0..<schedule.stageCount])
  }
}
