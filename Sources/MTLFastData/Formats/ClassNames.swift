// SPDX-License-Identifier: Apache-2.0
// Class names from a text file: the first line names class 0, the next class 1.

import MTLFast

/// Reads class names.
public enum ClassNames {
  private static let largestFile = 1 << 20

  /// The lines of a UTF-8 text file without blanks around them; empty lines at the end don't count.
  ///
  /// - Throws: `MTLFastError` of kind `missingInput` where the file can't be opened, `badData` where it isn't such a list.
  public static func read(_ path: String) throws -> [String] {
    let file = try InflatingFile(path: path)
    let bytes = try [UInt8](unsafeUninitializedCapacity: largestFile + 1) { buffer, initializedCount in
      initializedCount = try file.read(into: UnsafeMutableRawBufferPointer(buffer))
    }
    guard bytes.count <= largestFile, !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else {
      throw MTLFastError(
        .badData, "\(path): isn't a list of class names (UTF-8 text of up to \(largestFile) bytes). Check the path.")
    }
    var names = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).map { line in
      var name = line.drop(while: \.isWhitespace)
      while name.last?.isWhitespace == true { name.removeLast() }
      return String(name)
    }
    while names.last == "" { names.removeLast() }
    guard !names.isEmpty else {
      throw MTLFastError(.badData, "\(path): names no class. Write one name a line, that of class 0 first.")
    }
    var lines: [String: Int] = [:]
    for (index, name) in names.enumerated() {
      guard !name.isEmpty else {
        throw MTLFastError(
          .badData, "\(path): line \(index + 1) is empty but names class \(index). Write a name into it.")
      }
      if let other = lines.updateValue(index + 1, forKey: name) {
        throw MTLFastError(
          .badData, "\(path): '\(name)' is in line \(other) and in line \(index + 1). Name each class once.")
      }
    }
    return names
  }
}
