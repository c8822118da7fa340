// SPDX-License-Identifier: Apache-2.0
// A file of lines: what is kept, what is cut off, what can't be opened.

import TestSupport
import Testing

@testable import Files

@Suite struct LineFileTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test func linesReachTheFile() throws {
    let file = try LineFile(path: "\(folder.path)/a")
    let line = String(repeating: "x", count: 1000)
    for _ in 0..<200 { try file.append(line) }
    try file.flush()
    #expect(try folder.text("a") == String(repeating: line + "\n", count: 200))
  }

  @Test(arguments: [(0, ""), (1, "one\n"), (2, "one\ntwo\n")])
  func goingOnKeepsTheFirstLines(lines: Int, kept: String) throws {
    try folder.write("one\ntwo\nto", to: "a")
    let file = try LineFile(path: "\(folder.path)/a", keepingLines: lines)
    try file.append("new")
    try file.flush()
    #expect(try folder.text("a") == kept + "new\n")
  }

  @Test func twoProcessesDoNotWriteOneFile() throws {
    let path = "\(folder.path)/steps.jsonl"
    let first = try LineFile(path: path)
    #expect(
      throws: MTLFastError(
        .usage, "\(path): another process is training this run. Wait for it, or train a run of its own.")
    ) { _ = try LineFile(path: path) }
    try first.append("one")
  }

  @Test func fewerLinesThanTheCheckpointKnows() throws {
    try folder.write("one\ntwo\nto", to: "a")
    let error = try #require(throws: MTLFastError.self) {
      _ = try LineFile(path: "\(folder.path)/a", keepingLines: 3)
    }
    #expect(
      error
        == MTLFastError(
          .badData, "\(folder.path)/a: has 2 lines but the checkpoint to go on from knows 3. It was changed.",
          remedy: .takingOverWeights))
    #expect(try folder.text("a") == "one\ntwo\nto")
  }

  @Test func aPathThatCannotBeWritten() throws {
    let error = try #require(throws: MTLFastError.self) { _ = try LineFile(path: "\(folder.path)/no/a") }
    let cure = "Check the folder and its permissions, or name another one."
    #expect(
      error == MTLFastError(.writeFailed, "\(folder.path)/no/a: can't be opened: No such file or directory. \(cure)"))
  }
}
