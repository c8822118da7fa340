// SPDX-License-Identifier: Apache-2.0
// Paths taken apart and put together, and what is there.

import Files
import TestSupport
import Testing

@Suite struct FilePathTests {
  @Test(arguments: [
    ("runs/a/recipe.yaml", "runs/a", "recipe.yaml"), ("recipe.yaml", ".", "recipe.yaml"), ("/a", "/", "a"),
    ("a/", "a", ""), ("", ".", ""),
  ])
  func folderAndName(path: String, folder: String, name: String) {
    #expect(FilePath.folder(of: path) == folder)
    #expect(FilePath.name(of: path) == name)
  }

  @Test(arguments: [("a.CSV", "csv"), ("a.b/c", nil), ("a.tar.gz", "gz"), ("a.", "")])
  func ending(path: String, expected: String?) { #expect(FilePath.ending(of: path) == expected) }

  @Test(arguments: [
    ("data", "a.csv", "data/a.csv"), ("data/", "a.csv", "data/a.csv"), ("data", "/a.csv", "/a.csv"),
    ("", "a.csv", "a.csv"), (".", "a.csv", "a.csv"), ("/", "a.csv", "/a.csv"),
  ])
  func aNameInAFolder(folder: String, name: String, expected: String) {
    #expect(FilePath.join(folder, name) == expected)
  }

  @Test(arguments: [("runs/", "runs"), ("runs", "runs"), ("/", "/"), ("", "")])
  func aPathLosesItsLastSlash(path: String, expected: String) {
    #expect(FilePath.withoutTrailingSlash(path) == expected)
  }

  @Test func whatIsThere() throws {
    let folder = try TemporaryFolder()
    try folder.write("four", to: "file")
    let file = "\(folder.path)/file"
    try FileLink.point("\(folder.path)/link", to: "file")
    #expect(FilePath.kind(of: file) == .file)
    #expect(FilePath.kind(of: folder.path) == .folder)
    #expect(FilePath.kind(of: "\(folder.path)/link") == .file)
    #expect(FilePath.kind(of: "\(folder.path)/link", followingLinks: false) == .link)
    #expect(FilePath.kind(of: "/dev/null") == .other)
    #expect(FilePath.kind(of: "\(folder.path)/missing") == nil)
    #expect(FilePath.size(of: file) == 4)
    #expect(FilePath.areOne(file, "\(folder.path)/link"))
    #expect(FilePath.resolved("\(folder.path)/link") == FilePath.resolved(file))
    #expect(FilePath.remove(file))
    #expect(!FilePath.remove(file))
  }
}
