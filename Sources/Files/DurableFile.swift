// SPDX-License-Identifier: Apache-2.0
// A file that takes its name only when it is whole and on the disk.

/// Writes a file under a temporary name in the same folder and renames it once it is whole.
///
///     let file = try DurableFile(replacing: "runs/a/best.safetensors")
///     try bytes.withUnsafeBytes { try file.append($0) }
///     try file.commit()
///
/// Whatever happens before `commit()` has returned, a reader finds the old file or the whole new one; without a
/// commit the temporary is removed with this object. A power cut or a kill may leave the temporary behind.
///
/// Every error is an `MTLFastError` of kind `writeFailed`.
package final class DurableFile {
  package static let temporaryEnding = ".tmp"

  package let path: String
  private let temporary: String
  private let file: WritableFile
  private var isInPlace = false

  package init(replacing path: String) throws {
    self.path = path
    // A rename would replace a device or a pipe by the file: `--output /dev/null` must not.
    switch FilePath.kind(of: path, followingLinks: false) {
    case nil, .file, .link: break
    case .folder, .other:
      throw MTLFastError(.writeFailed, "\(path): is a folder or device, not a file. Name another one.")
    }
    // Of this process, so that two of them don't write into one file; numbered, since process ids come again.
    var number = 0
    while true {
      let name = "\(path).\(getpid())-\(number)\(Self.temporaryEnding)"
      do throws(SystemError) {
        file = try WritableFile(path: name, flags: O_WRONLY | O_EXCL, name: path)
        temporary = name
        return
      } catch {
        guard error.code == EEXIST, number < 1000 else { throw error.writing(path) }
        number += 1
      }
    }
  }

  deinit { if !isInPlace { unlink(temporary) } }

  /// Replaces a small file by these bytes.
  package static func replace(_ path: String, with bytes: [UInt8]) throws {
    let file = try DurableFile(replacing: path)
    try bytes.withUnsafeBytes { try file.append($0) }
    try file.commit()
  }

  /// Replaces a small file by a text; a line end is added where it has none.
  package static func replace(_ path: String, with text: String) throws {
    try replace(path, with: Array((text.hasSuffix("\n") ? text : text + "\n").utf8))
  }

  package func append(_ bytes: UnsafeRawBufferPointer) throws { try file.append(bytes) }

  /// Lets the disk begin with what was appended, without waiting for it.
  package func startWriting() {
    #if os(Linux)
      // Advice that pages won't be read soon makes Linux write them out; whatever it doesn't do, `commit` does.
      _ = posix_fadvise(file.descriptor, 0, 0, POSIX_FADV_DONTNEED)
    #endif
  }

  /// Replaces the first bytes of what was appended by as many others.
  package func overwriteStart(with bytes: UnsafeRawBufferPointer) throws { try file.append(bytes, at: 0) }

  /// Makes the bytes durable, then the name.
  package func commit() throws {
    try file.synchronize()
    try file.close()
    guard rename(temporary, path) == 0 else { throw SystemError().writing(path, "can't be put in place") }
    isInPlace = true
    try Folder.synchronize(FilePath.folder(of: path), for: path)
  }
}
