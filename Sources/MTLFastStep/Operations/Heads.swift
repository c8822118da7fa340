// SPDX-License-Identifier: Apache-2.0
// What follows the logits of a head: its loss and metrics, or its prediction.

import Kernels
import MTLFast

extension Lowering {
  mutating func lowerHeads() throws {
    var losses: [LossOperation] = []
    for (slot, head) in graph.heads.enumerated() {
      guard let found = value[head.logits] else {
        throw MTLFastError(.system, "Head '\(head.name)' is read before it is written.")
      }
      let logits = withoutHalo(found, node: head.logits)
      if case .prediction = purpose {
        lowerPrediction(of: head, logits)
      } else {
        losses.append(lowerLoss(of: head, slot: slot, logits))
      }
    }
    guard settings.boundaries.contains(.lossesComplete) else { return }
    // Losses first, and once more with gradients when the host has looked at them.
    program.addBoundary(.lossesComplete)
    for loss in losses { addLoss(loss, withGradient: true) }
  }

  private mutating func lowerLoss(of head: Head, slot: Int, _ logits: Int) -> LossOperation {
    var loss = LossOperation(head: slot, node: head.logits, logits: logits)
    if case .classification = head.task {
      loss.probabilities = program.addValue("\(head.name).probabilities", shape(head.logits))
    }
    if purpose.isTraining, head.isMask { loss.masks = lowerMasks(of: head, slot: slot) }
    addLoss(loss, withGradient: !settings.boundaries.contains(.lossesComplete))
    return loss
  }

  private mutating func addLoss(_ loss: LossOperation, withGradient: Bool) {
    var loss = loss
    if withGradient, purpose.isTraining, needsGradient[loss.node] {
      let gradient = addZeroed(
        "\(graph.heads[loss.head].name).d_logits", shape(loss.node), node: loss.node, account: .heads)
      loss.dLogits = gradient
      incoming[loss.node].values.append((gradient, .head(loss.head)))
    }
    add(.loss(loss), loss.node, account: .heads)
  }

  private mutating func lowerPrediction(of head: Head, _ logits: Int) {
    var result = logits
    if head.loss == .softmaxCrossEntropy || head.loss.isSigmoid {
      result = program.addValue("\(head.name).probabilities", shape(head.logits))
      let kind: Operation.Kind =
        head.loss == .softmaxCrossEntropy
        ? .softmax(SoftmaxOperation(input: logits, output: result))
        : .activation(ActivationOperation(function: .sigmoid, pass: .forward(input: logits, output: result)))
      add(kind, head.logits, account: .heads)
    }
    results.append(result)
    program.kept.insert(program.storage(of: result))
  }
}

/// A head's loss and metrics, and the gradient of its logits.
package struct LossOperation: OperationKind {
  let head: Int
  let node: Int
  let logits: Int
  /// Of class labels.
  var probabilities: Int?
  /// nil where nothing is learnt.
  var dLogits: Int?
  /// As their images were moved; nil for those of the samples.
  var masks: Int?

  package var operands: [Operand] {
    [.reads(logits)] + (masks.map { [.reads($0)] } ?? []) + (probabilities.map { [.writes($0)] } ?? [])
      + (dLogits.map { [.adds($0)] } ?? [])
  }
  package var parameters: [ParameterUse] { [] }
  package var workspace: ConvolutionWorkspace? { nil }
  package var unit: UnitOfWork { .shard }
  package var verb: String { "loss" }
  package func payload(in memory: StepMemory) -> any KernelPayload {
    LossPayload(
      head: head, logits: memory.tensor(logits), probabilities: probabilities.map(memory.tensor),
      dLogits: dLogits.map(memory.tensor), masks: masks.map(memory.tensor))
  }
}

/// The probabilities of classes, for predictions.
package struct SoftmaxOperation: OperationKind {
  let input: Int, output: Int

  package var operands: [Operand] { [.reads(input), .writes(output)] }
  package var parameters: [ParameterUse] { [] }
  package var workspace: ConvolutionWorkspace? { nil }
  package var unit: UnitOfWork { .shard }
  package var verb: String { "forward" }
  package func payload(in memory: StepMemory) -> any KernelPayload {
    SoftmaxPayload(input: memory.tensor(input), output: memory.tensor(output))
  }
}
