// SPDX-License-Identifier: Apache-2.0
// Philox against its published vectors, and the kernels' streams against Philox.

import CKernels
import CReference
import Testing

extension KernelTests {
  struct RandomTests {
    /// The known answers of the authors' library Random123 (kat_vectors, philox4x32 with 10 rounds).
    @Test func referenceGivesThePublishedAnswers() {
      let ones = UInt32.max
      let table: [(counter: [UInt32], key: [UInt32], answer: [UInt32])] = [
        ([0, 0, 0, 0], [0, 0], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
        ([ones, ones, ones, ones], [ones, ones], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
        (
          [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0],
          [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        ),
      ]
      for (counter, key, answer) in table {
        var output = [UInt32](repeating: 0, count: 4)
        reference_philox4x32(counter, key, &output)
        #expect(output == answer)
      }
    }

    @Test func firstBlockIsThePublishedOne() {
      var words = [UInt32](repeating: 0, count: 4)
      mtlf_random_u32(0, 0, 0, 4, &words)
      #expect(words == [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8])
    }

    /// Keys and streams of both words, and firsts that begin within a block or reach the counter's second word.
    @Test(
      arguments: [0, 1, 0x0123_4567_89ab_cdef, .max] as [UInt64],
      [0, 1, 2, 3, 5, 1 << 34 - 3, 1 << 60 + 1, .max - 40] as [UInt64])
    func everyElementIsThatOfTheReference(key: UInt64, first: UInt64) throws {
      for stream in [0, 7, 1 << 32, UInt64.max] {
        for n in [1, 2, 4, 7, 37] {
          let words = try GuardedBuffer<UInt32>(n)
          mtlf_random_u32(key, stream, first, n, words.pointer)
          let expected = (0..<UInt64(n)).map { reference_random_u32(key, stream, first + $0) }
          #expect(words.array == expected, "key \(key), stream \(stream), first \(first), n \(n)")
        }
      }
    }

    @Test func uniformIsMadeOfTheHighest24Bits() throws {
      let n = 1001
      var words = [UInt32](repeating: 0, count: n)
      mtlf_random_u32(3, 4, 5, n, &words)
      for (low, high) in [(Float(0), Float(1)), (-1, 1), (-0.125, 0.5), (2, 3)] {
        let values = try GuardedBuffer<Float>(n)
        mtlf_random_uniform_f32(3, 4, 5, n, low, high, values.pointer)
        for (value, word) in zip(values.array, words) {
          #expect(value == low + (high - low) * (Float(word >> 8) * 0x1p-24))
          #expect(value >= low && value < high)
        }
      }
    }

    @Test func uniformNeverReachesItsEnd() {
      // Element 25,275,781 of stream 0 of key 1 has 24 ones: low + (high - low) * (1 - 2^-24) rounds up to high.
      let index: UInt64 = 25_275_781
      #expect(reference_random_u32(1, 0, index) >> 8 == 0xff_ffff)
      for (low, high) in [(Float(1), Float(2)), (-1, 1), (-2, -1), (-1, 0), (5, 1000), (0, 1), (-3, 0.5)] {
        var value: Float = .nan
        mtlf_random_uniform_f32(1, 0, index, 1, low, high, &value)
        #expect(value >= low && value < high && high - value <= (high - low) * 0x1p-21, "\(low), \(high): \(value)")
      }
      var value: Float = .nan
      mtlf_random_uniform_f32(1, 0, index, 1, 0.5, 0.5, &value)
      #expect(value == 0.5)
    }

    @Test func nothingIsWrittenForNoElements() throws {
      let words = try GuardedBuffer<UInt32>(1)
      let values = try GuardedBuffer<Float>(1)
      mtlf_random_u32(1, 2, 3, 0, words.pointer)
      mtlf_random_uniform_f32(1, 2, 3, 0, 0, 1, values.pointer)
      #expect(words.isUntouched && values.isUntouched)
    }

    @Test func uniformIsEven() throws {
      let n = 100_000
      let values = try GuardedBuffer<Float>(n)
      mtlf_random_uniform_f32(11, 12, 0, n, 0, 1, values.pointer)
      var counts = [Int](repeating: 0, count: 10)
      for value in values.array { counts[Int(value * 10)] += 1 }
      // Five standard deviations of a count around 10,000.
      for count in counts { #expect(abs(count - n / 10) < 475) }
    }
  }
}
