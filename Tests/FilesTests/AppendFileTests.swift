// SPDX-License-Identifier: Apache-2.0
// A file that grows at its end: where it goes on, and a write that fails.

import Foundation
import TestSupport
import Testing

@testable import Files

@Suite struct AppendFileTests {
  @Test func itGrowsWhereItIsCut() throws {
    let folder = try TemporaryFolder()
    try folder.write("12345", to: "a")
    let file = try AppendFile(path: "\(folder.path)/a")
    try file.cut(at: 3)
    try file.append("x".utf8)
    #expect(try folder.text("a") == "123")
    try file.flush()
    #expect(try folder.text("a") == "123x")
  }

  /// In a process of its own, with a limit on the size of files and the default action for SIGXFSZ, which is to end it.
  @Test func aWriteThatFailsIsAnError() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let path = "\(folder.path)/a"
      try limitFileSize(to: 1000)
      signal(SIGXFSZ, SIG_DFL)
      let file = try AppendFile(path: path)
      try file.append([UInt8](repeating: 7, count: 2000))
      let cure = "Raise the limit on the size of files (ulimit -f)."
      #expect(throws: MTLFastError(.writeFailed, "\(path): can't be written: File too large. \(cure)")) {
        try file.flush()
      }
    }
  }
}
