// SPDX-License-Identifier: Apache-2.0
// A step as a list of operations over values: what lowering writes and the compiler lays out.

import Kernels
import MTLFast

/// Zeros around an image, which a padded convolution reads.
struct Halo: Hashable {
  var top = 0, bottom = 0, left = 0, right = 0

  static let none = Halo()
  var isNone: Bool { self == .none }

  func union(_ other: Halo) -> Halo {
    Halo(
      top: max(top, other.top), bottom: max(bottom, other.bottom), left: max(left, other.left),
      right: max(right, other.right))
  }
}

/// Operations and the values that they read and write, in an order in which they could run one after the other.
struct PlanProgram {
  /// A buffer of a step.
  struct Value {
    enum Storage {
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
    let name: String
    let shape: Shape
    let storage: Storage
    let halo: Halo
    /// A view of another value with the same elements: flatten.
    let alias: Int?
    /// Whether it counts in the working set that the size of a shard follows from.
    let isInWorkingSet: Bool

    /// Elements of one sample, halo included.
    var sampleFloats: Int {
      (shape.height + halo.top + halo.bottom) * (shape.width + halo.left + halo.right) * shape.channels
    }
  }

  struct Operation {
    var kind: mtlf_op_kind
    var account: mtlf_account
    /// The node that it belongs to, for `summary --plan`.
    var node: Int
    var input: Int?
    var output: Int?
    var dOutput: Int?
    var dInput: Int?
    var gate: Int?
    var packed: Int?
    /// DENSE_D_INPUT: (node of the weight, its packed d_output).
    var terms: [(node: Int, packed: Int)] = []
    /// The node whose weight it reads, sums a gradient for, or updates.
    var weight: Int?
    /// Tokens that it waits for and that wait for it.
    var waitsFor: [Int] = []
    var signals: Int?
    /// Of the step's inputs or heads.
    var slot = 0
    /// The input whose rows its draws are keyed by.
    var source = 0
    /// The first channel, of concatenate and slice.
    var offset = 0
    /// Of upsampling.
    var scale: (height: Int, width: Int)?
    var usesRunningStatistics = false
    /// Whether gradients wait for the norm of all of them.
    var isClipped = false
    var relu = false
    var mask = false
    var window: WindowGeometry?
    var rate: Float = 0
    var key: UInt64 = 0
    var flops = 0

    /// Whether it runs in shards; otherwise in blocks.
    var isShards: Bool {
      switch kind {
      case MTLF_OP_DENSE, MTLF_OP_DENSE_D_INPUT, MTLF_OP_DENSE_D_KERNEL, MTLF_OP_UPDATE, MTLF_OP_BATCH_NORM_FINISH,
        MTLF_OP_BATCH_NORM_D_FINISH, MTLF_OP_SQUARE_SUMS, MTLF_OP_CLIP:
        false
      default: true
      }
    }
    var updatesWeight: Bool { (kind == MTLF_OP_DENSE_D_KERNEL && !isClipped) || kind == MTLF_OP_UPDATE }
    /// Whether it makes a gradient of its weight that another operation reads.
    var makesGradient: Bool {
      kind == MTLF_OP_CONV2D_D_FILTER || kind == MTLF_OP_BATCH_NORM_D_FINISH
        || (kind == MTLF_OP_DENSE_D_KERNEL && isClipped)
    }
    /// Whether it reads the weight's gradient.
    var readsGradient: Bool { kind == MTLF_OP_UPDATE || kind == MTLF_OP_SQUARE_SUMS }
    /// Whether it touches the weight's values.
    var readsWeight: Bool { !updatesWeight && !makesGradient && !readsGradient }

    init(_ kind: mtlf_op_kind, _ account: mtlf_account, node: Int) {
      self.kind = kind
      self.account = account
      self.node = node
    }

    /// Values that must be there before it runs.
    var reads: [Int] {
      var values = [input, dOutput].compactMap { $0 } + waitsFor + terms.map(\.packed)
      switch kind {
      case MTLF_OP_RELU_BACKWARD, MTLF_OP_SIGMOID_BACKWARD: values += [output].compactMap { $0 }
      case MTLF_OP_DENSE_D_INPUT where mask: values += [output].compactMap { $0 }
      case MTLF_OP_CONV2D_D_INPUT, MTLF_OP_CONV2D_D_FILTER, MTLF_OP_MAX_POOL2D_BACKWARD, MTLF_OP_LOSS:
        values += [gate].compactMap { $0 }
      default: break
      }
      if addsToDInput, let dInput { values.append(dInput) }
      return values
    }

    /// Values that it writes.
    var writes: [Int] {
      switch kind {
      case MTLF_OP_CONV2D_D_FILTER, MTLF_OP_DENSE_D_KERNEL, MTLF_OP_UPDATE: []
      case MTLF_OP_MASK: [gate].compactMap { $0 }
      case MTLF_OP_RELU_BACKWARD, MTLF_OP_SIGMOID_BACKWARD: [dInput].compactMap { $0 }
      case MTLF_OP_DENSE_D_INPUT: [dInput, packed].compactMap { $0 }
      case MTLF_OP_CONV2D, MTLF_OP_MAX_POOL2D: [output, gate].compactMap { $0 }
      default: [output, dInput, packed, signals].compactMap { $0 }
      }
    }

    private var addsToDInput: Bool {
      switch kind {
      case MTLF_OP_CONV2D_D_INPUT, MTLF_OP_MAX_POOL2D_BACKWARD, MTLF_OP_AVG_POOL2D_BACKWARD, MTLF_OP_ADD, MTLF_OP_LOSS,
        MTLF_OP_UPSAMPLE2D_BACKWARD:
        true
      default: false
      }
    }
  }

  var values: [Value] = []
  var operations: [Operation] = []
  /// Values that somebody reads after the step.
  var kept: Set<Int> = []

  mutating func addValue(
    _ name: String, _ shape: Shape, storage: Value.Storage = .samples, halo: Halo = .none, alias: Int? = nil,
    isInWorkingSet: Bool = true
  ) -> Int {
    values.append(
      Value(
        name: name, shape: shape, storage: storage, halo: halo, alias: alias, isInWorkingSet: isInWorkingSet))
    return values.count - 1
  }

  /// The value whose memory a value uses.
  func storage(of value: Int) -> Int {
    var value = value
    while let alias = values[value].alias { value = alias }
    return value
  }
}
