// SPDX-License-Identifier: Apache-2.0
// What becomes of gradients at the end of a step: norm and updates.

import Kernels
import MTLFast

/// A weight that is to be updated.
enum WeightUpdate {
  /// From a gradient that operations of the backward pass have made.
  case fromGradient(node: Int)
  /// By the pass that makes the gradient, or after it where gradients are kept.
  case dense(node: Int, DenseOperation.Pass, account: StepAccount, flops: Int)

  var node: Int {
    switch self {
    case .fromGradient(let node), .dense(let node, _, _, _): node
    }
  }
}

extension Lowering {
  /// A weight whose gradient the backward pass makes by group.
  mutating func declareGradient(of node: Int, _ keeping: GradientKeeping) { program.gradients[node] = keeping }

  mutating func declareForm(of node: Int, _ form: WeightForm) {
    program.forms[node, default: []].insert(form)
  }

  /// Updates stand last in the program, behind every reader of a weight. Where gradients are kept, all of them are whole
  /// before the first update.
  mutating func lowerUpdates() {
    for update in updates {
      switch update {
      case .dense(let node, let pass, let account, let flops):
        add(
          .dense(DenseOperation(pass: pass, isFused: !settings.keepsGradients)), node, account: account, flops: flops)
      case .fromGradient(let node):
        if !settings.keepsGradients { addUpdate(UpdateOperation(weight: node)) }
      }
    }
    guard settings.keepsGradients, let first = updates.first?.node else { return }
    let hasBoundary = settings.boundaries.contains(.gradientsReady)
    if hasBoundary {
      for update in updates {
        add(.sumGradient(SumGradientOperation(weight: update.node)), update.node, account: .optimizer)
      }
      program.addBoundary(.gradientsReady)
    }
    var clipped: Int?
    if settings.clips {
      let squares = updates.map { (node: $0.node, token: program.addToken("\(name($0.node)).squares")) }
      program.squaredWeights = squares.map(\.node)
      for (node, token) in squares {
        add(
          .sumGradient(SumGradientOperation(weight: node, isSummed: hasBoundary, squares: token)), node,
          account: .optimizer)
      }
      let done = program.addToken("clip")
      add(.clip(ClipOperation(squares: squares.map(\.token), done: done)), first, account: .optimizer)
      clipped = done
    }
    for update in updates { addUpdate(UpdateOperation(weight: update.node, isSummed: true, clipped: clipped)) }
  }

  private mutating func addUpdate(_ update: UpdateOperation) {
    add(.update(update), update.weight, account: .optimizer)
  }
}

/// Sums the groups' gradients of a weight into one, and the squares of it for the norm.
package struct SumGradientOperation: OperationKind {
  let weight: Int
  /// Whether the sum is there, and only the squares are wanted.
  var isSummed = false
  /// Stands for the squares.
  var squares: Int?

  package var operands: [Operand] { squares.map { [.writes($0)] } ?? [] }
  package var parameters: [ParameterUse] {
    // The sum is a gradient that later operations wait for.
    [.readsGradient(of: weight)] + (isSummed ? [] : [.makesGradient(of: weight)])
  }
  package var workspace: ConvolutionWorkspace? { nil }
  package var unit: UnitOfWork { .block }
  package var verb: String { squares == nil ? "gradient sum" : "squares" }
  package func payload(in memory: StepMemory) throws -> any KernelPayload {
    let clip = squares == nil ? nil : memory.clip
    return SumGradientPayload(
      weight: try memory.weight(of: weight), isSummed: isSummed,
      squares: clip.map { ($0, memory.firstSquare(of: weight)) })
  }
}

/// The norm of all gradients together, and the factor that keeps it to its limit.
package struct ClipOperation: OperationKind {
  let squares: [Int]
  let done: Int

  package var operands: [Operand] { squares.map { .reads($0) } + [.writes(done)] }
  package var parameters: [ParameterUse] { [] }
  package var workspace: ConvolutionWorkspace? { nil }
  package var unit: UnitOfWork { .whole }
  package var verb: String { "norm of all gradients" }
  package func payload(in memory: StepMemory) throws -> any KernelPayload {
    guard let clip = memory.clip else { throw MTLFastError(.system, "The step has no clip.") }
    return ClipPayload(clip)
  }
}

/// Updates a weight from its gradient, and writes its forms anew.
package struct UpdateOperation: OperationKind {
  let weight: Int
  /// Whether the groups' gradients have been summed.
  var isSummed = false
  /// Stands for the factor of all gradients.
  var clipped: Int?

  package var operands: [Operand] { clipped.map { [.reads($0)] } ?? [] }
  package var parameters: [ParameterUse] { [.readsGradient(of: weight), .updatesValues(of: weight)] }
  package var workspace: ConvolutionWorkspace? { nil }
  package var unit: UnitOfWork { .block }
  package var verb: String { "update" }
  package func payload(in memory: StepMemory) throws -> any KernelPayload {
    UpdatePayload(
      weight: try memory.weight(of: weight), isSummed: isSummed, clip: clipped == nil ? nil : memory.clip)
  }
}
