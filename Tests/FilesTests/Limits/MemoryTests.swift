// SPDX-License-Identifier: Apache-2.0
// Memory that can't be had is an error, not the end.

import Files
import Testing

@Suite struct MemoryTests {
  @Test func theMachineIsAskedFirst() throws {
    try Memory.require(1 << 20, for: "a model", remedy: "Use less.")
    let error = try #require(throws: MTLFastError.self) {
      try Memory.require(1 << 60, for: "A model of 9 weights", remedy: "Use fewer units.")
    }
    #expect(error.kind == .system)
    #expect(
      error.message.wholeMatch(
        of:
          /A model of 9 weights: needs 1152921504606846976 bytes of memory and the machine has \d+\. Use fewer units\./)
        != nil)
  }

  @Test func whatTheSystemRefusesIsAnError() {
    #expect(throws: MTLFastError(.system, "f: needs \(1 << 60) bytes of memory, which the system refused. Try less.")) {
      _ = try Memory.allocate(1 << 60, for: "f", remedy: "Try less.")
    }
    #expect(throws: MTLFastError(.system, "f: the size overflows.")) { _ = try Memory.allocate(-1, for: "f") }
  }

  @Test func scratchMemoryIsUsedAgain() throws {
    let scratch = ScratchMemory()
    let first = try scratch.reserve(100, for: "f")
    #expect(try scratch.reserve(50, for: "f") == first)
    try scratch.reserve(1000, for: "f").storeBytes(of: 7, toByteOffset: 999, as: UInt8.self)
    #expect(throws: MTLFastError.self) { _ = try scratch.reserve(1 << 60, for: "f") }
    _ = try scratch.reserve(10, for: "f")
  }
}
