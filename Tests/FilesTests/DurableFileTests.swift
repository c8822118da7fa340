// SPDX-License-Identifier: Apache-2.0
// Files that have their names only when they are whole.

import Files
import TestSupport
import Testing

@Suite struct DurableFileTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test func theOldFileStaysUntilTheNewOneIsWhole() throws {
    try folder.write("old", to: "a")
    let file = try DurableFile(replacing: "\(folder.path)/a")
    try Array("new and longer".utf8).withUnsafeBytes { try file.append($0) }
    #expect(try folder.text("a") == "old")
    try Array("NEW".utf8).withUnsafeBytes { try file.overwriteStart(with: $0) }
    try file.commit()
    #expect(try folder.text("a") == "NEW and longer")
    #expect(folder.names == ["a"])
  }

  @Test func withoutACommitNothingIsLeft() throws {
    do {
      let file = try DurableFile(replacing: "\(folder.path)/a")
      try Array("half".utf8).withUnsafeBytes { try file.append($0) }
    }
    #expect(folder.names == [])
  }

  @Test func whatIsNoFileIsNotReplaced() {
    for path in ["/dev/null", folder.path] {
      #expect(throws: MTLFastError(.writeFailed, "\(path): is a folder or device, not a file. Name another one.")) {
        try DurableFile.replace(path, with: "text")
      }
    }
  }
}
