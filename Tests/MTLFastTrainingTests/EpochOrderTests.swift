// SPDX-License-Identifier: Apache-2.0
// The order of an epoch: every row once, shorter streams again and again.

import Testing

@testable import MTLFastTraining

@Suite struct EpochOrderTests {
  /// The rows of each stream for one epoch.
  private func rows(_ order: EpochOrder, epoch: Int, streams: Int) -> [[Int32]] {
    order.shuffle(epoch: epoch)
    let starts = order.rows(from: 0)
    return (0..<streams).map { stream in (0..<order.count).map { starts[stream][$0] } }
  }

  @Test func everyRowIsTakenOnce() {
    let order = EpochOrder(counts: [57], seed: 3)
    #expect(order.count == 57)
    for epoch in 0..<3 { #expect(rows(order, epoch: epoch, streams: 1)[0].sorted() == (0..<57).map(Int32.init)) }
  }

  @Test func aShorterStreamCyclesAndIsShuffledAgain() {
    let order = EpochOrder(counts: [10, 47, 47, 1], seed: 3)
    #expect(order.count == 47)
    let found = rows(order, epoch: 0, streams: 4)
    let cycles = (0..<4).map { Array(found[0][$0 * 10..<$0 * 10 + 10]) }
    for cycle in cycles { #expect(cycle.sorted() == (0..<10).map(Int32.init)) }
    #expect(Set(cycles).count == 4, "each cycle has its own order")
    #expect(Set(found[0][40...]).count == 7, "the last cycle ends with the epoch, without repeating a row")
    #expect(found[1].sorted() == (0..<47).map(Int32.init))
    #expect(found[1] != found[2], "streams of one length have their own orders")
    #expect(found[3].allSatisfy { $0 == 0 })
  }

  @Test func theOrderFollowsFromSeedAndEpochAlone() {
    let first = EpochOrder(counts: [30, 8], seed: 3)
    let epochs = (0..<3).map { rows(first, epoch: $0, streams: 2) }
    #expect(Set(epochs).count == 3)
    // An order that was never asked for the epochs before, as after a resume.
    #expect(rows(EpochOrder(counts: [30, 8], seed: 3), epoch: 2, streams: 2) == epochs[2])
    #expect(rows(EpochOrder(counts: [30, 8], seed: 4), epoch: 0, streams: 2) != epochs[0])
    // Another stream beside it changes nothing.
    #expect(rows(EpochOrder(counts: [30], seed: 3), epoch: 1, streams: 1)[0] == epochs[1][0])
  }

  @Test func aMinibatchBeginsWhereItIsAskedFor() {
    let order = EpochOrder(counts: [20, 6], seed: 1)
    let whole = rows(order, epoch: 5, streams: 2)
    let later = order.rows(from: 13)
    for stream in 0..<2 { #expect((0..<7).map { later[stream][$0] } == Array(whole[stream][13...])) }
  }
}
