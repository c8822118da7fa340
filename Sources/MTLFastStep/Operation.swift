// SPDX-License-Identifier: Apache-2.0
// One operation of a step: what it touches, where it runs, and how it is told to the kernels, each stated once.

import Kernels
import MTLFast

/// A value that an operation touches.
package struct Operand: Hashable {
  package enum Access {
    case reads, writes
    /// Reads what is there and writes the sum.
    case adds
    /// Clears it, in the stage that touches it first, so that it is in cache then.
    case clears
  }
  package let value: Int
  package let access: Access

  static func reads(_ value: Int) -> Operand { Operand(value: value, access: .reads) }
  static func writes(_ value: Int) -> Operand { Operand(value: value, access: .writes) }
  static func adds(_ value: Int) -> Operand { Operand(value: value, access: .adds) }
  static func clears(_ value: Int) -> Operand { Operand(value: value, access: .clears) }

  /// Whether the value must have been written before.
  var isRead: Bool { access == .reads || access == .adds }
  var isWritten: Bool { access != .reads }
}

/// A node's weight that an operation touches.
package struct ParameterUse: Hashable {
  package enum Access {
    case readsValues
    case makesGradient
    case readsGradient
    case updatesValues
  }
  package let node: Int
  package let access: Access

  static func readsValues(of node: Int) -> ParameterUse { ParameterUse(node: node, access: .readsValues) }
  static func makesGradient(of node: Int) -> ParameterUse { ParameterUse(node: node, access: .makesGradient) }
  static func readsGradient(of node: Int) -> ParameterUse { ParameterUse(node: node, access: .readsGradient) }
  static func updatesValues(of node: Int) -> ParameterUse { ParameterUse(node: node, access: .updatesValues) }
}

/// What threads share of an operation.
package enum UnitOfWork: Hashable {
  /// A shard of the minibatch, which runs all operations of a job one after the other.
  case shard
  /// A block of the output, over the whole minibatch.
  case block
  /// All of it: a function that one thread runs.
  case whole
}

/// What each thread needs room for in a convolution: its units, and the floats of its window.
package struct ConvolutionWorkspace {
  let units: Int
  let windowFloats: Int
}

/// What a kind of operation says of itself. Nothing else in the step knows kinds.
package protocol OperationKind {
  /// The values that it touches; a forgotten one is a race.
  var operands: [Operand] { get }
  var parameters: [ParameterUse] { get }
  var unit: UnitOfWork { get }
  /// What it does to its node, for `summary --plan`.
  var verb: String { get }
  /// Whether the samples of a vector may lie further apart than their elements need.
  var takesSamplesApart: Bool { get }
  /// nil for what needs none.
  var workspace: ConvolutionWorkspace? { get }
  /// What the kernels are to work on.
  func payload(in memory: StepMemory) throws -> any KernelPayload
}

extension OperationKind {
  package var takesSamplesApart: Bool { false }
}

/// An operation of a program.
package struct Operation {
  /// The node that it belongs to.
  package let node: Int
  package let account: StepAccount
  /// Multiply-accumulates x 2 of one sample.
  package let flops: Int
  package let kind: Kind

  init(_ kind: Kind, node: Int, account: StepAccount, flops: Int = 0) {
    self.kind = kind
    self.node = node
    self.account = account
    self.flops = flops
  }

  /// Every kind of operation, a struct for each.
  package enum Kind {
    case input(InputOperation)
    case moveMasks(MoveMasksOperation)
    case conv2D(Conv2DOperation)
    case depthwiseConv2D(DepthwiseConv2DOperation)
    case dense(DenseOperation)
    case packSamples(PackSamplesOperation)
    case pool2D(Pool2DOperation)
    case activation(ActivationOperation)
    case dropout(DropoutOperation)
    case batchNorm(BatchNormOperation)
    case layerNorm(LayerNormOperation)
    case upsample2D(Upsample2DOperation)
    case channels(ChannelsOperation)
    case copy(CopyOperation)
    case multiply(MultiplyOperation)
    case zero(ZeroOperation)
    case softmax(SoftmaxOperation)
    case loss(LossOperation)
    case sumGradient(SumGradientOperation)
    case clip(ClipOperation)
    case update(UpdateOperation)

    var statement: any OperationKind {
      switch self {
      case .input(let kind): kind
      case .moveMasks(let kind): kind
      case .conv2D(let kind): kind
      case .depthwiseConv2D(let kind): kind
      case .dense(let kind): kind
      case .packSamples(let kind): kind
      case .pool2D(let kind): kind
      case .activation(let kind): kind
      case .dropout(let kind): kind
      case .batchNorm(let kind): kind
      case .layerNorm(let kind): kind
      case .upsample2D(let kind): kind
      case .channels(let kind): kind
      case .copy(let kind): kind
      case .multiply(let kind): kind
      case .zero(let kind): kind
      case .softmax(let kind): kind
      case .loss(let kind): kind
      case .sumGradient(let kind): kind
      case .clip(let kind): kind
      case .update(let kind): kind
      }
    }
  }

  package var operands: [Operand] { kind.statement.operands }
  package var parameters: [ParameterUse] { kind.statement.parameters }
  package var unit: UnitOfWork { kind.statement.unit }
  package var verb: String { kind.statement.verb }
  /// Whether it only clears a value for others.
  package var onlyClears: Bool { operands.allSatisfy { $0.access == .clears } && !operands.isEmpty }
}

/// Where the values and parameters of a step lie.
package protocol StepMemory {
  func tensor(_ value: Int) -> KernelTensor
  /// - Throws: `MTLFastError` of kind `system` for a node without weights.
  func weight(of node: Int) throws -> KernelWeight
  func statistics(of node: Int) throws -> BatchNormStatistics
  var clip: GradientClip? { get }
  /// The first unit of a weight's squares.
  func firstSquare(of node: Int) -> Int
}
