// SPDX-License-Identifier: Apache-2.0
// Streams: the kernels' words, permutations that hold each index once.

import CKernels
import Kernels
import Testing

struct RandomStreamTests {
  @Test func wordsAreThoseOfTheKernels() {
    let stream = RandomStream(seed: 7, purpose: "test", stream: 3)
    var words = [UInt32](repeating: 0, count: 9)
    mtlf_random_u32(stream.key, 3, 0, 9, &words)
    #expect(stream.words(count: 9) == words)
    #expect(stream.words(count: 0) == [])
    #expect(RandomStream(RandomStream(seed: 7, purpose: "test"), stream: 3).words(count: 9) == words)
  }

  @Test(arguments: [0, 1, 2, 1000]) func permutationsHoldEachIndexOnce(count: Int) {
    let permutation = RandomStream(seed: 1, purpose: "test").permutation(count: count)
    #expect(permutation.sorted() == (0..<Int32(count)).map { $0 })
    #expect(count < 1000 || permutation != permutation.sorted())
    #expect(permutation == RandomStream(seed: 1, purpose: "test").permutation(count: count))
  }
}
