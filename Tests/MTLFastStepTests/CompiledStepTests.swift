// SPDX-License-Identifier: Apache-2.0
// What is encoded for the kernels: every operation once, in the order of the stages.

import Kernels
import MTLFast
import Testing

@testable import MTLFastStep

@Suite struct CompiledStepTests {
  static func compile(
    _ settings: StepSettings = StepSettings()
  ) throws -> (step: CompiledStep, lowering: Lowering, model: MultiTaskModel) {
    let model = try ArenaTests.model()
    let lowering = try Lowering(graph: model.graph, purpose: .training(seed: 0), settings: settings)
    let parameters = try Parameters(
      model: model, optimizer: .adam(), context: try KernelContext(threads: 2), gradients: lowering.program.gradients,
      forms: lowering.program.forms)
    return (
      try CompiledStep(lowering.program, parameters: parameters, batchCapacity: 20, clipNorm: 1), lowering, model
    )
  }

  @Test func everyOperationIsEncodedOnceInTheOrderOfStages() throws {
    let (step, lowering, _) = try Self.compile()
    let nodes = lowering.program.operations.indices.map { step.node(ofOperation: $0) }
    #expect(nodes.allSatisfy { $0 != nil })
    #expect(step.node(ofOperation: nodes.count) == nil)
    #expect(nodes.compactMap { $0 }.sorted() == lowering.program.operations.map(\.node).sorted())
    let stages = try (0..<nodes.count).map { step.schedule.stage[try #require(step.operation(at: $0))] }
    #expect(stages == stages.sorted())
    #expect(lowering.program.operations[try #require(step.operation(at: 0))].verb == "load")
    #expect(lowering.program.operations[try #require(step.operation(at: nodes.count - 1))].verb == "update")
    #expect(step.programs.map(\.stages) == [0..<step.schedule.stageCount])
  }

  @Test func gradientsAreKeptAsTheirPassesNeed() throws {
    let (_, plain, model) = try Self.compile()
    func node(_ name: String) throws -> Int { try #require(model.graph.index(of: name)) }
    let kept = try ["trunk.conv2d_1", "trunk.dense_1", "trunk.dense_2", "a.logits", "b.batch_norm_1"].map {
      plain.program.gradients[try node($0)]
    }
    #expect(kept == [.byGroup, .fused, .fused, .byGroup, .byGroup])
    #expect(plain.program.forms[try node("trunk.conv2d_2")] == [WeightForm(.transposed, .float32)])
    #expect(plain.program.forms[try node("trunk.conv2d_1")] == nil, "the first layer's input wants no gradient")
    var settings = StepSettings()
    settings.clips = true
    let (step, clipped, _) = try Self.compile(settings)
    #expect(clipped.program.gradients[try node("trunk.dense_1")] == .whole)
    #expect(step.gradientNorm != nil)
  }

  @Test func boundariesCutTheStep() throws {
    var settings = StepSettings()
    let shared = try #require(try ArenaTests.model().graph.index(of: "trunk.dense_2"))
    settings.boundaries = [.lossesComplete, .taskGradientsReady(node: shared), .gradientsReady]
    let (step, _, _) = try Self.compile(settings)
    #expect(
      step.programs.map(\.boundary)
        == [.lossesComplete, .taskGradientsReady(node: shared), .gradientsReady, nil])
    #expect(step.taskGradients[shared]?.map(\.heads) == [[0], [1]])
    for task in step.taskGradients[shared] ?? [] { #expect(step.tensor(of: task.value) != nil) }
  }

  @Test func whatTheStepReadsMustBeKept() throws {
    let model = try ArenaTests.model()
    let program = try Lowering(graph: model.graph, purpose: .training(seed: 0)).program
    let context = try KernelContext(threads: 1)
    for parameters in [
      try Parameters(model: model, optimizer: .adam(), context: context, gradients: program.gradients),
      try Parameters(model: model, optimizer: .adam(), context: context, forms: program.forms),
    ] {
      let error = #expect(throws: MTLFastError.self) {
        try CompiledStep(program, parameters: parameters, batchCapacity: 8)
      }
      #expect(error?.message.hasSuffix("Make parameters for the step.") == true)
    }
  }

  @Test func aBoundaryWhereNothingIsTrainedIsSaid() throws {
    let model = try ArenaTests.model()
    for boundary in [.taskGradientsReady(node: 0), .taskGradientsReady(node: 999)] as [StepBoundary] {
      var settings = StepSettings()
      settings.boundaries = [boundary]
      #expect(
        throws: MTLFastError(.usage, "The step has no boundary '\(boundary)': nothing is trained there.")
      ) { try Lowering(graph: model.graph, purpose: .training(seed: 0), settings: settings) }
    }
  }

  @Test func aNodeWithoutWeightsIsSaid() throws {
    let model = try ArenaTests.model()
    let parameters = try Parameters(model: model, optimizer: nil, context: try KernelContext(threads: 1))
    #expect(throws: MTLFastError(.system, "Node 0 has no weights. Its layer has none to train.")) {
      try parameters.entry(of: 0)
    }
  }

  @Test(arguments: [0, 1 << 21]) func batchesThatCanNotBe(size: Int) throws {
    let model = try ArenaTests.model()
    let parameters = try Parameters(model: model, optimizer: nil, context: try KernelContext(threads: 1))
    let program = try Lowering(graph: model.graph, purpose: .prediction).program
    #expect(throws: MTLFastError(.usage, "The batch size is \(size). Use 1...1048576.")) {
      try CompiledStep(program, parameters: parameters, batchCapacity: size)
    }
  }
}
