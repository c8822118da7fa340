// SPDX-License-Identifier: Apache-2.0
// The order in which an epoch takes the rows of each stream.

import Kernels

/// The rows of each stream for one epoch, as many as the longest stream has.
///
/// Each stream is shuffled by (seed, stream, epoch). A shorter one is shuffled again each time that it is used up.
final class EpochOrder {
  /// Of the longest stream.
  let count: Int
  private let counts: [Int]
  private let seed: UInt64
  private let rows: UnsafeMutableBufferPointer<Int32>
  private let starts: UnsafeMutablePointer<UnsafePointer<Int32>>

  init(counts: [Int], seed: UInt64) {
    self.counts = counts
    self.seed = seed
    count = counts.max() ?? 0
    rows = .allocate(capacity: max(1, count * counts.count))
    rows.initialize(repeating: 0)
    starts = .allocate(capacity: max(1, counts.count))
    if let base = rows.baseAddress { starts.initialize(repeating: UnsafePointer(base), count: max(1, counts.count)) }
  }

  deinit {
    rows.deallocate()
    starts.deallocate()
  }

  func shuffle(epoch: Int) {
    guard let base = rows.baseAddress else { return }
    for (index, length) in counts.enumerated() where length > 0 {
      let purpose = index == 0 ? "shuffle" : "shuffle \(index)"
      var first = 0
      while first < count {
        let cycle = UInt64(first / length) << 32
        let part = UnsafeMutableBufferPointer(start: base + index * count + first, count: min(length, count - first))
        let stream = RandomStream(seed: seed, purpose: purpose, stream: UInt64(epoch) | cycle)
        if part.count == length {
          stream.permute(part)
        } else {
          // The epoch ends within this cycle.
          let whole = UnsafeMutableBufferPointer<Int32>.allocate(capacity: length)
          defer { whole.deallocate() }
          stream.permute(whole)
          _ = part.update(fromContentsOf: whole[..<part.count])
        }
        first += length
      }
    }
  }

  /// Where each stream's rows of a minibatch begin; valid until the next call.
  func rows(from first: Int) -> UnsafeBufferPointer<UnsafePointer<Int32>> {
    if let base = rows.baseAddress {
      for stream in counts.indices { starts[stream] = UnsafePointer(base + stream * count + first) }
    }
    return UnsafeBufferPointer(start: starts, count: counts.count)
  }
}
