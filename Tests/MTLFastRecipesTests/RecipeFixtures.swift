// SPDX-License-Identifier: Apache-2.0
// A folder with tiny data files of every format, and a recipe that reads them.

import Foundation
import MTLFast
import MTLFastData
import MTLFastRecipes
import MTLFastTraining
import Testing

/// A new folder that is removed with this object; searches find its files and keep caches in it.
final class DataFolder {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("mtl-fast-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  var search: DatasetSearch {
    let caches = path
    return DatasetSearch(folder: path, environment: { $0 == "XDG_CACHE_HOME" ? caches : nil })
  }

  /// The path of a file whose folder is there.
  func file(_ name: String) throws -> String {
    let file = "\(path)/\(name)"
    try FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    return file
  }

  func write(_ text: String, to name: String) throws {
    try text.write(toFile: file(name), atomically: false, encoding: .utf8)
  }

  func write(_ bytes: [UInt8], to name: String) throws { try Data(bytes).write(to: URL(fileURLWithPath: file(name))) }

  func writeImage(_ bytes: [UInt8], height: Int, width: Int, channels: Int, to name: String) throws {
    try PNGWriter.write(bytes, height: height, width: width, channels: channels, to: file(name))
  }

  /// A `.npy` file of format 1.0, little-endian.
  func writeArray(_ values: [Float], shape: [Int], to name: String) throws {
    let sizes = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(sizes)), }"
    header += String(repeating: " ", count: 63 - (10 + header.utf8.count) % 64) + "\n"
    let length = [UInt8(header.utf8.count & 255), UInt8(header.utf8.count >> 8)]
    let bytes = values.flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) } }
    try write([0x93] + Array("NUMPY".utf8) + [1, 0] + length + Array(header.utf8) + bytes, to: name)
  }

  /// What a recipe makes of this folder.
  func data(_ recipe: String, notes: (String) -> Void = { _ in }) throws -> RecipeData {
    try RecipeData(try Recipe.parse(recipe, file: "my.yaml"), search: search, notes: notes)
  }
}

extension RecipeTexts {
  /// A recipe of one input and one task; the rest is as short as can be.
  static func brief(data: String, input: String, task: String, head: String = "", layers: String = "[]") -> String {
    """
    {recipe: 1, name: brief, data: \(data), inputs: {x: \(input)}, tasks: {t: \(task)},
     model: {trunk: {from: x, layers: \(layers)}}, heads: {t: {from: trunk\(head)}}}
    """
  }

  /// A table of 10 rows with two numbers, two classes and a number to predict; row 3 lacks both.
  static let table = """
    a,b,kind,price,use
    1,10,cat,100,in
    2,10,dog,200,in
    3,10,cat,300,in
    4,10,,,in
    5,10,dog,500,in
    6,10,cat,600,in
    7,10,dog,700,held
    8,10,cat,800,held
    9,10,dog,900,out
    10,10,cat,1000,out

    """
}

extension Samples {
  func labels(_ head: String) -> [Int32]? {
    if case .classes(let column)? = target(of: head) { column.values } else { nil }
  }

  func numbers(_ head: String) -> [Float]? {
    if case .values(let column)? = target(of: head) { column.values } else { nil }
  }

  func mask(_ head: String) -> [UInt8]? {
    if case .mask(let column)? = target(of: head) { column.values } else { nil }
  }

  func floats(_ input: String) -> [Float]? {
    if case .floats(_, let values)? = self.input(named: input)?.column { values } else { nil }
  }

  func bytes(_ input: String) -> [UInt8]? {
    if case .bytes(_, let values)? = self.input(named: input)?.column { values } else { nil }
  }
}
