// SPDX-License-Identifier: Apache-2.0
// Second names of files.

import Foundation
import TestSupport
import Testing

@testable import Files

@Suite struct FileLinkTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test func aNameIsReplacedAndOutlivesItsSource() throws {
    try folder.write("one", to: "a")
    try folder.write("two", to: "b")
    let best = "\(folder.path)/best"
    for name in ["a", "b", "b"] {
      try FileLink.replace(best, by: "\(folder.path)/\(name)")
      #expect(try folder.text("best") == folder.text(name))
    }
    #expect(try FileManager.default.attributesOfItem(atPath: best)[.referenceCount] as? Int == 2)
    #expect(folder.names == ["a", "b", "best"])
    try FileLink.remove("\(folder.path)/b")
    #expect(try folder.text("best") == "two")
    try FileLink.remove("\(folder.path)/b")
  }

  @Test func aFailureKeepsWhatWasThere() throws {
    try folder.write("one", to: "a")
    #expect(throws: MTLFastError.self) { try FileLink.replace("\(folder.path)/a", by: "\(folder.path)/missing") }
    #expect(try folder.text("a") == "one")
    try FileManager.default.createDirectory(atPath: "\(folder.path)/b", withIntermediateDirectories: false)
    #expect(throws: MTLFastError.self) { try FileLink.replace("\(folder.path)/b", by: "\(folder.path)/a") }
    #expect(throws: MTLFastError.self) { try FileLink.remove("\(folder.path)/b") }
    #expect(folder.names == ["a", "b"])
  }
}
