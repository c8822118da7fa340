// SPDX-License-Identifier: Apache-2.0
// Random numbers by counter, keyed by what they are for.

internal import CKernels

/// Draws that depend on (seed, purpose, index) alone: Philox 4x32-10.
package struct RandomStream: Sendable {
  package let key: UInt64
  package let stream: UInt64

  /// - Parameter purpose: what is drawn: `shuffle`, or a parameter's name.
  package init(seed: UInt64, purpose: String, stream: UInt64 = 0) {
    // FNV-1a over the purpose, mixed with the seed: a stable hash, unlike Swift's own.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in purpose.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
    var mixed = hash ^ (seed &* 0x9e37_79b9_7f4a_7c15)
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    key = mixed ^ (mixed >> 31)
    self.stream = stream
  }

  /// Other numbers for the same seed and purpose: those of an epoch or a sample.
  package init(_ other: RandomStream, stream: UInt64) {
    key = other.key
    self.stream = stream
  }

  /// Elements 0..<count, 32 random bits each.
  package func words(count: Int) -> [UInt32] {
    [UInt32](unsafeUninitializedCapacity: count) { buffer, filled in
      if let base = buffer.baseAddress { mtlf_random_u32(key, stream, 0, count, base) }
      filled = count
    }
  }

  /// Elements 0..<count, uniform in [-limit, limit).
  package func uniform(count: Int, limit: Float) -> [Float] {
    [Float](unsafeUninitializedCapacity: count) { buffer, filled in
      if let base = buffer.baseAddress { mtlf_random_uniform_f32(key, stream, 0, count, -limit, limit, base) }
      filled = count
    }
  }

  /// 0..<count in random order.
  package func permutation(count: Int) -> [Int32] {
    [Int32](unsafeUninitializedCapacity: count) { buffer, filled in
      permute(UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
      filled = count
    }
  }

  /// Puts 0..<count into the buffer in random order (Fisher and Yates).
  package func permute(_ buffer: UnsafeMutableBufferPointer<Int32>) {
    for index in buffer.indices { buffer[index] = Int32(truncatingIfNeeded: index) }
    var word: UInt32 = 0
    for index in stride(from: buffer.count - 1, to: 0, by: -1) {
      mtlf_random_u32(key, stream, UInt64(index), 1, &word)
      // The high half of a 32 x 32 bit product: uniform to 2^-32 of the range.
      buffer.swapAt(index, Int((UInt64(word) &* UInt64(index + 1)) >> 32))
    }
  }
}
