// SPDX-License-Identifier: Apache-2.0
// A folder with small data files and recipes, in which the program is run.

import Foundation
import MTLFastData
import Testing

/// A new folder that is removed with this object; the program runs in it and keeps its caches there.
final class ProgramFolder {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "mtl-fast-program-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func run(_ arguments: [String], environment: [String: String] = [:]) throws -> ProgramRun {
    let own = ["XDG_CACHE_HOME": "\(path)/caches", "MTLF_DATA": ""]
    return try ProgramRun(arguments, in: path, environment: own.merging(environment) { _, new in new })
  }

  /// Runs the program and expects it to succeed.
  @discardableResult
  func succeed(_ arguments: [String], sourceLocation: SourceLocation = #_sourceLocation) throws -> ProgramRun {
    let run = try run(arguments)
    #expect(run.status == 0, "\(run.errors)", sourceLocation: sourceLocation)
    return run
  }

  /// Trains a recipe quietly for two epochs.
  func train(_ recipe: String, to output: String, _ more: [String] = []) throws {
    try succeed(["train", recipe, "--output", output, "--epochs", "2", "--quiet"] + more)
  }

  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(name)") }

  // MARK: Files

  /// The path of a file whose folder is there.
  private func file(_ name: String) throws -> String {
    let file = "\(path)/\(name)"
    try FileManager.default.createDirectory(
      atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    return file
  }

  func write(_ text: String, to name: String) throws { try write(Array(text.utf8), to: name) }

  func write(_ bytes: [UInt8], to name: String) throws { try Data(bytes).write(to: URL(fileURLWithPath: file(name))) }

  func writeImage(_ bytes: [UInt8], height: Int, width: Int, channels: Int = 3, to name: String) throws {
    try PNGWriter.write(bytes, height: height, width: width, channels: channels, to: file(name))
  }

  /// Puts files of this folder into a gzip-compressed tar.
  func archive(_ names: [String], as archive: String) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", "exec tar -czf \"$0\" \"$@\"", archive] + names
    process.currentDirectoryURL = URL(fileURLWithPath: path)
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
  }

  /// A `.npz` of float arrays: a zip whose members are stored.
  func writeArrays(_ arrays: [(name: String, shape: [Int], values: [Float])], to name: String) throws {
    var (bytes, directory): ([UInt8], [UInt8]) = ([], [])
    for array in arrays {
      let content = Self.npy(array.shape, array.values)
      let member = Array("\(array.name).npy".utf8)
      let sizes = Self.little(Self.crc32(content), 4) + Self.little(content.count, 4) + Self.little(content.count, 4)
      let common: [UInt8] = [20, 0, 0, 0, 0, 0, 0, 0, 33, 0] + sizes + Self.little(member.count, 2) + [0, 0]
      let offset = Self.little(bytes.count, 4)
      bytes += [0x50, 0x4b, 3, 4] + common + member + content
      directory += [0x50, 0x4b, 1, 2, 20, 0] + common + [UInt8](repeating: 0, count: 10) + offset + member
    }
    let count = Self.little(arrays.count, 2)
    let end = Self.little(directory.count, 4) + Self.little(bytes.count, 4)
    try write(bytes + directory + [0x50, 0x4b, 5, 6, 0, 0, 0, 0] + count + count + end + [0, 0], to: name)
  }

  private static func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  private static func npy(_ shape: [Int], _ values: [Float]) -> [UInt8] {
    let sizes = shape.map(String.init).joined(separator: ", ") + (shape.count == 1 ? "," : "")
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(sizes)), }"
    header += String(repeating: " ", count: 63 - (10 + header.utf8.count) % 64) + "\n"
    let magic: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
    return magic + little(header.utf8.count, 2) + Array(header.utf8)
      + values.flatMap { little(Int($0.bitPattern), 4) }
  }

  private static func crc32(_ bytes: [UInt8]) -> Int {
    var crc: UInt32 = .max
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 1 ? 0xedb8_8320 : 0) }
    }
    return Int(~crc)
  }

  // MARK: Data sets

  /// Bytes that look random and are the same in every run.
  static func noise(_ count: Int, seed: Int = 1) -> [UInt8] {
    var state = UInt64(truncatingIfNeeded: seed) &* 0x9E37_79B9_7F4A_7C15 | 1
    return (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: state >> 33)
    }
  }

  /// A table of 30 rows: two numbers, a class and a number to predict, price = 1000 a + b.
  func writeTable() throws {
    var text = "a,b,kind,price,use\n"
    for row in 0..<30 {
      let (a, b) = (row % 10, row / 10)
      text += "\(a),\(b),\(a < 5 ? "low" : "high"),\(1000 * a + b),\(row < 24 ? "in" : row < 27 ? "held" : "out")\n"
    }
    try write(text, to: "t.csv")
    try write(
      """
      recipe: 1
      name: table
      data:
        {format: csv, path: t.csv, split: {column: use, training: in, validation: held, test: out}}
      inputs: {x: {columns: [a, b]}}
      tasks: {kind: {labels: kind}, price: {target: price}}
      model: {trunk: {from: x, layers: [dense: {units: 8, activation: relu}]}}
      heads: {kind: {from: trunk}, price: {from: trunk}}
      training: {optimizer: {adam: {learning_rate: 0.05}}, batch_size: 8}

      """, to: "table.yaml")
  }

  /// Twelve images of a table with two tasks: the colour of each and whether it is bright.
  func writePhotos() throws {
    var text = "file,colour,tone,use\n"
    for index in 0..<12 {
      let (colour, level) = (index % 3, index % 2 == 0 ? 60 : 200)
      let pixels = (0..<8 * 8 * 3).map { UInt8($0 % 3 == colour ? level : level / 4) }
      try writeImage(pixels, height: 8, width: 8, to: "photos/\(index).png")
      text += "\(index).png,\(["red", "green", "blue"][colour]),\(level > 100 ? "light" : "dark"),"
      text += "\(index < 9 ? "in" : "out")\n"
    }
    try write(text, to: "photos/labels.csv")
    try write(
      """
      recipe: 1
      name: photos
      data:
        format: images
        path: photos/labels.csv
        images: file
        split: {column: use, training: in, test: out}
      inputs: {image: {shape: [8, 8, 3], scale: 1/255}}
      tasks: {colour: {labels: colour}, tone: {labels: tone}}
      model:
        trunk: {from: image, layers: [conv2d: {filters: 4, kernel: 3, activation: relu}, flatten]}
      heads: {colour: {from: trunk}, tone: {from: trunk, layers: [dense: 6]}}
      training: {batch_size: 4}

      """, to: "photos.yaml")
  }

  /// Nine images of 10 x 12 pixels with masks of the same size; the net works on 8 x 8.
  func writeScenes() throws {
    for index in 0..<9 {
      let pixels = Self.noise(10 * 12 * 3, seed: index)
      let part = index < 6 ? "train" : "test"
      try writeImage(pixels, height: 10, width: 12, to: "\(part)/images/\(index).png")
      try writeImage(
        (0..<120).map { pixels[3 * $0] / 128 }, height: 10, width: 12, channels: 1, to: "\(part)/masks/\(index).png")
    }
    try write(
      """
      recipe: 1
      name: scenes
      data:
        format: masks
        training: {images: train/images, masks: train/masks}
        test: {images: test/images, masks: test/masks}
      inputs: {scene: {from: image, shape: [8, 8, 3], scale: 1/255}}
      tasks: {ground: {mask: mask, classes: [sky, road]}, road: {mask: mask, map: {road: [1]}}}
      model: {trunk: {from: scene, layers: [conv2d: {filters: 4, kernel: 3, padding: same, activation: relu}]}}
      heads: {ground: {from: trunk}, road: {from: trunk}}
      training: {batch_size: 4}

      """, to: "scenes.yaml")
  }

  /// Twenty rows of four numbers with two classes, as arrays.
  func writePoints() throws {
    let values = Self.noise(80).map { Float($0) / 128 - 1 }
    try writeArrays(
      [("x", [20, 4], values), ("sign", [20], (0..<20).map { values[4 * $0] > 0 ? 1 : 0 })], to: "points.npz")
    try write(
      """
      {recipe: 1, name: points, data: {format: npz, training: points.npz, test: points.npz},
       inputs: {x: {shape: [4]}}, tasks: {sign: {labels: sign, classes: [minus, plus]}},
       heads: {sign: {from: x, layers: [dense: 5]}}, training: {batch_size: 8}}

      """, to: "points.yaml")
  }
}
