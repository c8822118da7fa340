// SPDX-License-Identifier: Apache-2.0
// A step as a list of operations over values: what lowering writes, and what schedule, arena and kernels are made from.

import Kernels
import MTLFast

/// Zeros around an image, which a padded convolution reads.
package struct Halo: Hashable {
  package var top = 0, bottom = 0, left = 0, right = 0

  package static let none = Halo()
  package var isNone: Bool { self == .none }

  func union(_ other: Halo) -> Halo {
    Halo(
      top: max(top, other.top), bottom: max(bottom, other.bottom), left: max(left, other.left),
      right: max(right, other.right))
  }
}

/// Operations and the values that they read and write, in an order in which they could run one after the other.
package struct Program {
  /// A buffer of a step.
  package struct Value {
    package enum Storage {
      /// Activations or gradients, one tensor a sample, in a halo.
      case samples
      /// One byte an element of the whole minibatch.
      case bytes
      /// One int32 an element of the whole minibatch.
      case indices
      /// Samples as columns of packed panels.
      case packedSamples
      /// No memory: stands for statistics that lie elsewhere, to keep operations in order.
      case token
    }
    package let name: String
    package let shape: Shape
    package let storage: Storage
    /// Of `samples`.
    package let element: ElementType
    package let halo: Halo
    /// A view of another value with the same elements: flatten.
    package let alias: Int?
    /// Whether it counts in the working set that the size of a shard follows from.
    package let isInWorkingSet: Bool

    /// Elements of one sample, halo included.
    var sampleElements: Int {
      (shape.height + halo.top + halo.bottom) * (shape.width + halo.left + halo.right) * shape.channels
    }
  }

  package private(set) var values: [Value] = []
  package var operations: [Operation] = []
  /// Values that somebody reads after the step, or between its programs.
  package var kept: Set<Int> = []
  /// Where the step can be left for a while: each stands before an operation.
  package private(set) var boundaries: [(boundary: StepBoundary, operation: Int)] = []

  /// How the gradient of each trained node's weight is kept, and the forms of weights that operations read.
  package var gradients: [Int: GradientKeeping] = [:]
  package var forms: [Int: Set<WeightForm>] = [:]
  /// The weights whose squares are summed up for the norm of all gradients, in the order of their sums.
  var squaredWeights: [Int] = []
  /// The working set that the size of a shard follows from, where it isn't the program's own: of the step without
  /// boundaries, so that a host that only looks changes no bit.
  var shardElements: Int?
  /// The gradients that tasks send to the nodes at which the step can be left, each by itself, by node.
  package var taskGradients: [Int: [TaskGradient]] = [:]

  package init() {}

  /// - Parameter isInWorkingSet: false for what a layer's passes gained later, so that older trainings keep their bits.
  package mutating func addValue(
    _ name: String, _ shape: Shape, storage: Value.Storage = .samples, element: ElementType = .float32,
    halo: Halo = .none, alias: Int? = nil, isInWorkingSet: Bool = true
  ) -> Int {
    values.append(
      Value(
        name: name, shape: shape, storage: storage, element: alias.map { values[$0].element } ?? element, halo: halo,
        alias: alias, isInWorkingSet: isInWorkingSet))
    return values.count - 1
  }

  package mutating func addToken(_ name: String) -> Int { addValue(name, .vector(1), storage: .token) }

  /// The step may be left here: whatever was added is done, whatever comes has not begun.
  package mutating func addBoundary(_ boundary: StepBoundary) { boundaries.append((boundary, operations.count)) }

  /// The value whose memory a value uses.
  package func storage(of value: Int) -> Int {
    var value = value
    while let alias = values[value].alias { value = alias }
    return value
  }
}
