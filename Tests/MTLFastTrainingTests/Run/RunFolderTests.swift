// SPDX-License-Identifier: Apache-2.0
// Run folders: numbered, never overwritten, the newest one linked.

import Files
import Foundation
import MTLFast
import MTLFastTraining
import TestSupport
import Testing

@Suite struct RunFolderTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test func runsAreNumberedAndTheNewestIsLinked() throws {
    let parent = "\(folder.path)/deep/runs"
    for number in 1...3 {
      let run = try RunFolder.create(for: "small", in: parent, recipeText: "recipe: \(number)\n")
      #expect(run.path == "\(parent)/small-00\(number)")
      // A run without a checkpoint doesn't take the place of one that has one.
      let before = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(parent)/latest")
      #expect(before == (number == 1 ? nil : "small-00\(number - 1)"))
      try run.becomeLatest()
      #expect(try FileManager.default.destinationOfSymbolicLink(atPath: "\(parent)/latest") == "small-00\(number)")
      #expect(try folder.text("deep/runs/latest/recipe.yaml") == "recipe: \(number)\n")
      #expect(try FileManager.default.contentsOfDirectory(atPath: run.checkpointsPath) == [])
    }
    #expect(try RunFolder.open("\(parent)/latest/").path == "\(parent)/latest")
  }

  @Test func manyAtOnceGetOneEach() throws {
    let parent = folder.path
    DispatchQueue.concurrentPerform(iterations: 20) { index in
      _ = try? RunFolder.create(for: "small", in: parent, recipeText: "recipe: \(index)\n")
    }
    #expect(folder.names.filter { $0.hasPrefix("small-") }.count == 20)
  }

  @Test func aFolderOfOnesOwnMustBeEmpty() throws {
    let path = "\(folder.path)/mine"
    _ = try RunFolder.create(at: path, recipeText: "recipe: 1")
    let error = try #require(throws: MTLFastError.self) {
      try RunFolder.create(at: path + "/", recipeText: "recipe: 2")
    }
    #expect(
      error
        == MTLFastError(
          .usage, "\(path): is not empty, and a run is never overwritten. Name a new folder.", remedy: .resuming))
    #expect(try folder.text("mine/recipe.yaml") == "recipe: 1\n")
  }

  @Test func whatIsNoRun() throws {
    #expect(throws: MTLFastError(.missingInput, "\(folder.path)/no: no such run.")) {
      try RunFolder.open("\(folder.path)/no")
    }
    #expect(throws: MTLFastError(.missingInput, "\(folder.path): has no recipe.yaml, so it is no run.")) {
      try RunFolder.open(folder.path)
    }
    try folder.write("", to: "file")
    #expect(throws: MTLFastError(.writeFailed, "\(folder.path)/file: is not a folder. Name another one.")) {
      try RunFolder.create(for: "small", in: "\(folder.path)/file", recipeText: "")
    }
  }
}
