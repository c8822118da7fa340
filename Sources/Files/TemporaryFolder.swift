// SPDX-License-Identifier: Apache-2.0
// A folder for the time of a piece of work.

/// A new, empty folder below `$TMPDIR` or `/tmp`, removed with the files in it when this object goes.
package final class TemporaryFolder {
  package let path: String

  /// - Throws: `MTLFastError` of kind `writeFailed`.
  package init(named name: String) throws {
    let parent = getenv("TMPDIR").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
    var template = Array(FilePath.join(parent, "\(name)-XXXXXX").utf8CString)
    guard mkdtemp(&template) != nil else {
      let reason = SystemError().reason
      throw MTLFastError(.writeFailed, "\(parent): no temporary folder can be made: \(reason). Set TMPDIR.")
    }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    for name in (try? Folder.names(in: path)) ?? [] { unlink("\(path)/\(name)") }
    rmdir(path)
  }
}
