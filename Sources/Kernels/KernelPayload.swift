// SPDX-License-Identifier: Apache-2.0
// An operation of a plan: a function of the kernels with what it works on.

internal import CKernels

/// What an operation of a plan works on; each kind of operation has a struct of its own.
package protocol KernelPayload {
  func encode() -> EncodedOperation
}

/// An operation as the kernels read it, with the memory that it points to.
package final class EncodedOperation {
  var operation = mtlf_op()
  /// Of the payload, and of what it points to besides.
  private var memory: [UnsafeMutableRawPointer] = []

  /// An operation in shards.
  init<Payload>(_ payload: Payload, shard: @escaping mtlf_shard_function) {
    operation.shard = shard
    operation.payload = UnsafeRawPointer(keep([payload]))
  }

  /// An operation in blocks: `units` of them, or one that one thread runs.
  init<Payload>(
    _ payload: Payload, block: @escaping mtlf_block_function, units: mtlf_units_function? = nil
  ) {
    operation.block = block
    operation.units = units
    operation.payload = UnsafeRawPointer(keep([payload]))
  }

  deinit { for place in memory { place.deallocate() } }

  /// Plain values in memory of their own.
  private func keep<Value>(_ values: [Value]) -> UnsafeMutablePointer<Value> {
    Self.copy(values, into: &memory)
  }

  /// Values that a payload points to.
  final class Values<Value> {
    let base: UnsafeMutablePointer<Value>
    fileprivate var memory: [UnsafeMutableRawPointer] = []
    init(_ values: [Value]) { base = EncodedOperation.copy(values, into: &memory) }
  }

  /// Frees the values with the operation.
  func owning<Value>(_ values: Values<Value>) -> EncodedOperation {
    memory += values.memory
    values.memory = []
    return self
  }

  private static func copy<Value>(
    _ values: [Value], into memory: inout [UnsafeMutableRawPointer]
  ) -> UnsafeMutablePointer<Value> {
    let place = UnsafeMutablePointer<Value>.allocate(capacity: max(1, values.count))
    place.initialize(from: values, count: values.count)
    memory.append(UnsafeMutableRawPointer(place))
    return place
  }
}

/// What a step's time is put down to.
package enum StepAccount: CaseIterable, Sendable {
  case conv, dense, heads, optimizer, loader, waiting, other

  package var name: String { "\(self)" }

  var kernel: mtlf_account {
    switch self {
    case .conv: MTLF_ACCOUNT_CONV
    case .dense: MTLF_ACCOUNT_DENSE
    case .heads: MTLF_ACCOUNT_HEADS
    case .optimizer: MTLF_ACCOUNT_OPTIMIZER
    case .loader: MTLF_ACCOUNT_LOADER
    case .waiting: MTLF_ACCOUNT_WAITING
    case .other: MTLF_ACCOUNT_OTHER
    }
  }
}
