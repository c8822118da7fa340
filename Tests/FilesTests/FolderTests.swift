// SPDX-License-Identifier: Apache-2.0
// Folders: made with those above them, listed, refused where a file is in the way.

import TestSupport
import Testing

@testable import Files

@Suite struct FolderTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test func foldersAreMadeWithThoseAboveThem() throws {
    let path = "\(folder.path)/a/b"
    #expect(try Folder.names(in: path) == nil)
    for _ in 1...2 { try Folder.make(path + "/") }
    #expect(try Folder.names(in: path) == [])
    try folder.write("", to: "a/.é")
    #expect(try Folder.names(in: "\(folder.path)/a")?.sorted() == [".é", "b"])
  }

  @Test func aFileInTheWayIsTold() throws {
    try folder.write("", to: "file")
    let path = "\(folder.path)/file"
    #expect(throws: MTLFastError(.writeFailed, "\(path): is not a folder. Name another one.")) {
      try Folder.make(path)
    }
    let cure = "Check the folder and its permissions, or name another one."
    #expect(throws: MTLFastError(.writeFailed, "\(path)/a: can't be created: Not a directory. \(cure)")) {
      try Folder.make("\(path)/a")
    }
    #expect(throws: MTLFastError(.missingInput, "\(path): can't be read (Not a directory). Check its permissions.")) {
      try Folder.names(in: path)
    }
  }

  @Test func aNewFolderIsNew() throws {
    let path = "\(folder.path)/new"
    #expect(try Folder.makeNew(path))
    #expect(try !Folder.makeNew(path))
    #expect(throws: MTLFastError.self) { try Folder.makeNew("\(folder.path)/no/new") }
  }
}
