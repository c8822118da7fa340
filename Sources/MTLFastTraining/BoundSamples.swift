// SPDX-License-Identifier: Apache-2.0
// Samples as the plain pointers that a step reads.

import Kernels
import MTLFast

/// Columns of samples in a step's terms.
struct BoundSamples {
  let count: Int
  /// Rows of each stream.
  let streamCounts: [Int]
  /// By input node; the stream is -1 where a prediction lacks the input.
  private(set) var inputs: [InputRows] = []
  /// By head; nil for a head without targets.
  private(set) var targets: [UnsafeRawPointer?] = []
  /// By head.
  private(set) var targetStreams: [Int] = []
  private var columns: [TargetColumn?] = []

  /// Calls `body` while the columns stay where they are.
  ///
  /// - Parameter seed: of the draws of augmentation; nil leaves images as they are.
  static func bind<Result>(
    _ samples: Samples, graph: ModelGraph, seed: UInt64?, _ body: (BoundSamples) throws -> Result
  ) throws -> Result {
    var bound = BoundSamples(samples)
    var memory: [ColumnMemory] = []
    /// What is done once the columns have their places.
    var placements: [(inout BoundSamples, [UnsafeRawPointer?]) -> Void] = []
    func place(_ column: ColumnMemory, _ store: @escaping (inout BoundSamples, UnsafeRawPointer?) -> Void) {
      let index = memory.count
      memory.append(column)
      placements.append { store(&$0, $1[index]) }
    }
    for node in graph.nodes {
      guard case .input = node.operation else { continue }
      let slot = bound.inputs.count
      bound.inputs.append(InputRows())
      guard let stream = samples.streams.firstIndex(where: { $0.inputs[node.name] != nil }),
        let input = samples.streams[stream].inputs[node.name]
      else { continue }
      bound.inputs[slot].stream = stream
      bound.inputs[slot].scale = input.scale
      switch input.column {
      case .bytes(_, let values):
        bound.inputs[slot].isBytes = true
        place(.bytes(values)) { $0.inputs[slot].data = $1 }
      case .floats(_, let values): place(.floats(values)) { $0.inputs[slot].data = $1 }
      }
      if let (mean, deviation) = input.standardization {
        let channels = node.shape.channels
        let row = (0..<node.shape.width * channels).map { $0 % channels }
        place(.floats(row.map { input.scale / deviation[$0] })) {
          $0.inputs[slot].factors = $1?.assumingMemoryBound(to: Float.self)
        }
        place(.floats(row.map { -mean[$0] / deviation[$0] })) {
          $0.inputs[slot].offsets = $1?.assumingMemoryBound(to: Float.self)
        }
      }
      if let seed, let augmentation = input.augmentation, node.shape.isImage {
        bound.inputs[slot].augmentation = KernelAugmentation(
          flip: augmentation.flip, pad: augmentation.pad, cutout: augmentation.cutout,
          key: RandomStream(seed: seed, purpose: "augment \(stream)").key)
      }
    }
    for (slot, head) in graph.heads.enumerated() {
      let stream = samples.streams.firstIndex { $0.targets[head.name] != nil } ?? 0
      let column = samples.streams.isEmpty ? nil : samples.streams[stream].targets[head.name]
      bound.targetStreams.append(stream)
      bound.columns.append(column)
      bound.targets.append(nil)
      switch column {
      case .classes(let labels)?: place(.labels(labels.values)) { $0.targets[slot] = $1 }
      case .mask(let mask)?: place(.bytes(mask.values)) { $0.targets[slot] = $1 }
      case .values(let values)?: place(.floats(scaled(values, for: head))) { $0.targets[slot] = $1 }
      case nil: break
      }
    }
    bound.presence = bound.columns.map { column in
      switch column {
      case .mask(let mask)?: (0..<bound.count(of: column)).map(mask.isPresent)
      case .values(let values)?: (0..<bound.count(of: column)).map(values.isPresent)
      default: nil
      }
    }
    return try ColumnMemory.withPointers(to: memory[...]) { pointers in
      for placement in placements { placement(&bound, pointers) }
      return try body(bound)
    }
  }

  private init(_ samples: Samples) {
    count = samples.count
    streamCounts = samples.streams.map(\.count)
  }

  private func count(of column: TargetColumn?) -> Int { column?.count ?? 0 }

  /// Of masks and values: which samples have any. By head.
  private var presence: [[Bool]?] = []

  /// The class of a sample; nil where it is missing.
  func label(of head: Int, row: Int) -> Int? {
    guard case .classes(let labels)? = columns[head], row >= 0, labels.values[row] >= 0 else { return nil }
    return Int(labels.values[row])
  }

  /// The loss's denominator over rows of the head's stream: present samples, or their classes' weights.
  func weight(of head: Int, classWeights: [Float]?, rows: UnsafePointer<Int32>, count: Int) -> Double {
    if case .classes(let column)? = columns[head] {
      return column.values.withUnsafeBufferPointer { labels in
        var sum = 0.0
        for index in 0..<count where rows[index] >= 0 {
          let label = labels[Int(rows[index])]
          if label >= 0 { sum += classWeights.map { Double($0[Int(label)]) } ?? 1 }
        }
        return sum
      }
    }
    guard let present = presence[head] else { return 0 }
    return present.withUnsafeBufferPointer { present in
      Double((0..<count).count { rows[$0] >= 0 && present[Int(rows[$0])] })
    }
  }

  private static func scaled(_ column: ValueColumn, for head: Head) -> [Float] {
    guard case .regression(let targets) = head.task else { return column.values }
    return column.values.indices.map { index in
      let target = targets[index % targets.count]
      return (column.values[index] - target.mean) / target.standardDeviation
    }
  }
}

/// An array that a step reads.
private enum ColumnMemory {
  case bytes([UInt8])
  case floats([Float])
  case labels([Int32])

  private func withPointer<Result>(_ body: (UnsafeRawPointer?) throws -> Result) rethrows -> Result {
    switch self {
    case .bytes(let values): try values.withUnsafeBytes { try body($0.baseAddress) }
    case .floats(let values): try values.withUnsafeBytes { try body($0.baseAddress) }
    case .labels(let values): try values.withUnsafeBytes { try body($0.baseAddress) }
    }
  }

  /// Calls `body` with the places of all arrays, which stay there until it returns.
  static func withPointers<Result>(
    to columns: ArraySlice<ColumnMemory>, found: [UnsafeRawPointer?] = [],
    _ body: ([UnsafeRawPointer?]) throws -> Result
  ) rethrows -> Result {
    guard let first = columns.first else { return try body(found) }
    return try first.withPointer { try withPointers(to: columns.dropFirst(), found: found + [$0], body) }
  }
}
