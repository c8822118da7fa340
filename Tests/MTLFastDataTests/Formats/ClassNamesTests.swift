// SPDX-License-Identifier: Apache-2.0
// Class names from a text file, and files that are no such list.

import Files
import MTLFast
import MTLFastData
import TestSupport
import Testing

struct ClassNamesTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: [
    "Sky\nBuilding\nColumn Pole\n", "Sky\r\n Building\t\r\nColumn Pole\r\n\r\n", "Sky\nBuilding\nColumn Pole",
  ])
  func reads(text: String) throws {
    #expect(try ClassNames.read(folder.write(Array(text.utf8), to: "names.txt")) == ["Sky", "Building", "Column Pole"])
  }

  @Test func errors() throws {
    let path = "\(folder.path)/names.txt"
    expectError(.missingInput, "\(path): can't be opened (No such file or directory). Check the path.") {
      try ClassNames.read(path)
    }
    for (text, message) in [
      ("", "names no class. Write one name a line, that of class 0 first."),
      ("\n \n", "names no class. Write one name a line, that of class 0 first."),
      ("a\n\nb\n", "line 2 is empty but names class 1. Write a name into it."),
      ("a\nb\na\n", "'a' is in line 1 and in line 3. Name each class once."),
      ("a\0b", "isn't a list of class names (UTF-8 text of up to 1048576 bytes). Check the path."),
      (
        String(repeating: "a", count: 1_048_577),
        "isn't a list of class names (UTF-8 text of up to 1048576 bytes). Check the path."
      ),
    ] {
      try folder.write(Array(text.utf8), to: "names.txt")
      expectError(.badData, "\(path): \(message)") { try ClassNames.read(path) }
    }
    try folder.write([0xff, 0xfe, 0x41], to: "names.txt")
    expectError(.badData, "\(path): isn't a list of class names (UTF-8 text of up to 1048576 bytes). Check the path.") {
      try ClassNames.read(path)
    }
  }
}
