// SPDX-License-Identifier: Apache-2.0
// A folder for one test.

import Files
import Foundation

extension TemporaryFolder {
  package convenience init() throws { try self.init(named: "mtl-fast-test") }

  /// The names in it, sorted.
  package var names: [String] { ((try? Folder.names(in: path)) ?? nil ?? []).sorted() }

  package func text(_ name: String) throws -> String {
    try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8)
  }

  package func write(_ text: String, to name: String) throws { try write(Array(text.utf8), to: name) }

  /// Writes a file, and its folder, and returns its path.
  @discardableResult
  package func write(_ bytes: [UInt8], to name: String) throws -> String {
    let file = "\(path)/\(name)"
    try Folder.make(FilePath.folder(of: file))
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    return file
  }

  /// nil where there is no such file.
  package func bytes(of name: String) -> [UInt8]? {
    FileManager.default.contents(atPath: "\(path)/\(name)").map { [UInt8]($0) }
  }
}
