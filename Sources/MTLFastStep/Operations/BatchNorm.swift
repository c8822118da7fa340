// SPDX-License-Identifier: Apache-2.0
// Batch normalisation: sums in shards, statistics of the minibatch, and the rest in shards again.

import Kernels
import MTLFast

extension BatchNorm: LoweredLayer {
  static var account: StepAccount { .conv }

  func lowerForward(_ node: Int, in lowering: inout Lowering) throws -> Int {
    let input = try lowering.inputValue(of: node)
    let name = lowering.name(node)
    func add(_ pass: BatchNormOperation.Pass) {
      lowering.add(.batchNorm(BatchNormOperation(pass: pass, weight: node)), node)
    }
    // The running statistics need no activations, so nothing waits for them.
    let isOfMinibatch = lowering.purpose.isTraining && !lowering.isFrozen(node)
    var sums: (input: Int, token: Int)?
    if isOfMinibatch {
      let token = lowering.program.addToken("\(name).sums")
      sums = (input, token)
      add(.sums(input: input, done: token))
    }
    let statistics = lowering.program.addToken("\(name).statistics")
    let shape = lowering.program.values[input].shape
    add(.statistics(of: sums, pixels: shape.height * shape.width, done: statistics))
    let output = lowering.addOutput(of: node)
    add(.forward(input: input, statistics: statistics, output: output))
    return output
  }

  func lowerBackward(_ node: Int, gradient: GatheredGradient, in lowering: inout Lowering) throws {
    let name = lowering.name(node)
    let input = try lowering.input(of: node)
    let source = try lowering.inputValue(of: node)
    func add(_ pass: BatchNormOperation.Pass) {
      lowering.add(.batchNorm(BatchNormOperation(pass: pass, weight: node)), node)
    }
    var statistics: Int?
    // Of a frozen one the statistics don't depend on the minibatch: their gradients stay zero.
    if !lowering.isFrozen(node) {
      lowering.declareGradient(of: node, .byGroup)
      let sums = lowering.program.addToken("d_\(name).sums")
      add(.gradientSums(input: source, dOutput: gradient.value, done: sums))
      let done = lowering.program.addToken("d_\(name).statistics")
      let shape = lowering.program.values[source].shape
      add(.gradientStatistics(input: source, sums: sums, pixels: shape.height * shape.width, done: done))
      statistics = done
    }
    if lowering.needsGradient[input] {
      let result = lowering.addGradientValue(of: input, by: node)
      add(.inputGradient(input: source, dOutput: gradient.value, statistics: statistics, dInput: result))
      lowering.send(result, to: input, from: node)
    }
    if !lowering.isFrozen(node) { lowering.updates.append(.fromGradient(node: node)) }
  }
}

/// A pass of a batch normalisation.
package struct BatchNormOperation: OperationKind {
  enum Pass {
    case sums(input: Int, done: Int)
    /// From the minibatch's sums, or the running statistics where there are none.
    case statistics(of: (input: Int, token: Int)?, pixels: Int, done: Int)
    case forward(input: Int, statistics: Int, output: Int)
    case gradientSums(input: Int, dOutput: Int, done: Int)
    case gradientStatistics(input: Int, sums: Int, pixels: Int, done: Int)
    case inputGradient(input: Int, dOutput: Int, statistics: Int?, dInput: Int)
  }
  let pass: Pass
  /// The node of gamma, beta and the statistics.
  let weight: Int

  package var operands: [Operand] {
    switch pass {
    case .sums(let input, let done): [.reads(input), .writes(done)]
    case .statistics(let sums, _, let done):
      (sums.map { [.reads($0.input), .reads($0.token)] } ?? []) + [.writes(done)]
    case .forward(let input, let statistics, let output): [.reads(input), .reads(statistics), .writes(output)]
    case .gradientSums(let input, let dOutput, let done): [.reads(input), .reads(dOutput), .writes(done)]
    case .gradientStatistics(let input, let sums, _, let done): [.reads(input), .reads(sums), .writes(done)]
    case .inputGradient(let input, let dOutput, let statistics, let dInput):
      [.reads(input), .reads(dOutput), .writes(dInput)] + (statistics.map { [.reads($0)] } ?? [])
    }
  }

  package var parameters: [ParameterUse] {
    switch pass {
    case .statistics: [.readsValues(of: weight)]
    case .gradientStatistics: [.makesGradient(of: weight)]
    case .sums, .forward, .gradientSums, .inputGradient: []
    }
  }

  package var workspace: ConvolutionWorkspace? { nil }
  package var unit: UnitOfWork {
    switch pass {
    case .statistics, .gradientStatistics: .whole
    case .sums, .forward, .gradientSums, .inputGradient: .shard
    }
  }

  package var verb: String {
    switch pass {
    case .sums: "sums"
    case .statistics: "statistics"
    case .forward: "forward"
    case .gradientSums: "gradient sums"
    case .gradientStatistics: "gradient statistics"
    case .inputGradient: "backward"
    }
  }

  package func payload(in memory: StepMemory) throws -> any KernelPayload {
    let statistics = try memory.statistics(of: weight)
    switch pass {
    case .sums(let input, _):
      return BatchNormSumsPayload(statistics: statistics, input: memory.tensor(input), dOutput: nil)
    case .statistics(let sums, let pixels, _):
      return BatchNormFinishPayload(
        sums == nil ? .running : .ofMinibatch, statistics: statistics, weight: try memory.weight(of: weight),
        pixels: pixels)
    case .forward(let input, _, let output):
      return BatchNormPayload(
        statistics: statistics, input: memory.tensor(input), dOutput: nil, output: memory.tensor(output))
    case .gradientSums(let input, let dOutput, _):
      return BatchNormSumsPayload(
        statistics: statistics, input: memory.tensor(input), dOutput: memory.tensor(dOutput))
    case .gradientStatistics(_, _, let pixels, _):
      return BatchNormFinishPayload(
        .gradients, statistics: statistics, weight: try memory.weight(of: weight), pixels: pixels)
    case .inputGradient(let input, let dOutput, _, let dInput):
      return BatchNormPayload(
        statistics: statistics, input: memory.tensor(input), dOutput: memory.tensor(dOutput),
        output: memory.tensor(dInput))
    }
  }
}
