// SPDX-License-Identifier: Apache-2.0
// Small data in the format of every built-in recipe, made by the tests.

import CJPEG
import MTLFast
import MTLFastData
import MTLFastRecipes
import Testing

/// Bytes that look random and are the same in every run.
func noise(_ count: Int, seed: Int) -> [UInt8] {
  var state = UInt64(truncatingIfNeeded: seed) &* 0x9E37_79B9_7F4A_7C15 | 1
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return UInt8(truncatingIfNeeded: state >> 33)
  }
}

extension DataFolder {
  /// A source that `writeSamples` has no data for: a new recipe needs a case there.
  struct NoSamples: Error { let source: String }

  /// Writes training and test samples for a recipe, and returns what makes the recipe use them.
  func writeSamples(of recipe: Recipe, training: Int, test: Int) throws -> [RecipeOverride] {
    var overrides: [RecipeOverride] = []
    for stream in recipe.data.streams {
      switch stream.source {
      case .catalogue("fashion-mnist"):
        try writeIDX("train", count: training)
        try writeIDX("t10k", count: test)
      case .catalogue("cifar10"):
        for batch in 1...5 { try writeCIFAR10("data_batch_\(batch).bin", count: training / 5, seed: batch) }
        try writeCIFAR10("test_batch.bin", count: test, seed: 6)
        try write(Self.lines(KnownDataset.cifar10, "label"), to: "batches.meta.txt")
      case .catalogue("cifar100"):
        try writeCIFAR100("train.bin", count: training, seed: 1)
        try writeCIFAR100("test.bin", count: test, seed: 2)
        try write(Self.lines(KnownDataset.cifar100, "coarse"), to: "coarse_label_names.txt")
        try write(Self.lines(KnownDataset.cifar100, "fine"), to: "fine_label_names.txt")
      case .images(let table, let images) where table.split != nil:
        try writePaintings(table: table, images: images, training: training, test: test)
      case .synthetic:
        overrides += [try .set("data.training=\(training)"), try .set("data.test=\(test)")]
      default: throw NoSamples(source: stream.source.description)
      }
    }
    return overrides
  }

  private static func lines(_ dataset: KnownDataset, _ column: String) -> String {
    (dataset.labels.first { $0.column == column }?.classNames ?? []).joined(separator: "\n") + "\n"
  }

  private func writeIDX(_ split: String, count: Int) throws {
    let size = [0, 0, UInt8(count >> 8), UInt8(count & 255)]
    let pixels = noise(count * 784, seed: split.utf8.count)
    let labels = (0..<count).map { UInt8($0 * 7 % 10) }
    let images: [UInt8] = [0, 0, 8, 3] + size + [0, 0, 0, 28, 0, 0, 0, 28]
    try write(images + pixels, to: "\(split)-images-idx3-ubyte")
    try write([0, 0, 8, 1] + size + labels, to: "\(split)-labels-idx1-ubyte")
  }

  private func writeCIFAR10(_ name: String, count: Int, seed: Int) throws {
    try write(Self.records(count, seed: seed) { [UInt8($0 * 3 % 10)] }, to: name)
  }

  /// Five fine classes in a row make a coarse one; 100 records have every class.
  private func writeCIFAR100(_ name: String, count: Int, seed: Int) throws {
    try write(Self.records(count, seed: seed) { [UInt8($0 % 100 / 5), UInt8($0 % 100)] }, to: name)
  }

  private static func records(_ count: Int, seed: Int, labels: (Int) -> [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    for record in 0..<count { bytes += labels(record) + noise(3072, seed: 1000 * seed + record) }
    return bytes
  }

  /// A table with every column of the recipe and PNG and JPEG files of several sizes; some labels are missing.
  private func writePaintings(
    table: Recipe.Table, images: Recipe.ImageColumn, training: Int, test: Int
  ) throws {
    let path = table.parts.training
    let folder = path.contains("/") ? String(path[...(path.lastIndex(of: "/") ?? path.startIndex)]) : ""
    let split = try #require(table.split)
    var files: [(name: String, height: Int, width: Int)] = []
    for index in 0..<6 {
      let (height, width) = (40 + 13 * index, 90 - 9 * index)
      let name = index % 2 == 0 ? "\(index).png" : "\(index).jpg"
      let pixels = noise(height * width * 3, seed: index)
      if index % 2 == 0 {
        try writeImage(pixels, height: height, width: width, channels: 3, to: folder + name)
      } else {
        try write(Self.jpeg(pixels, height: height, width: width), to: folder + name)
      }
      files.append((name, height, width))
    }
    var text =
      ([images.column] + images.box + ["artist", "style", "genre", split.column]).joined(separator: ",") + "\n"
    for row in 0..<training + test {
      let file = files[row % files.count]
      let box = images.box.isEmpty ? "" : "2,\(row % 3),\(file.width - row % 5),\(file.height - 1),"
      let (artist, style, genre) = (row % 3, row % 4 == 1 ? "" : "s\(row % 7)", row % 5 == 2 ? "" : "g\(row % 2)")
      let part = row < training ? split.parts.training : split.parts.test ?? ""
      text += "\(file.name),\(box)a\(artist),\(style),\(genre),\(part)\n"
    }
    try write(text, to: path)
  }

  private static func jpeg(_ pixels: [UInt8], height: Int, width: Int) throws -> [UInt8] {
    let handle = try #require(tjInitCompress())
    defer { tjDestroy(handle) }
    var buffer: UnsafeMutablePointer<UInt8>?
    var size: UInt = 0
    try #require(
      tjCompress2(
        handle, pixels, Int32(width), 0, Int32(height), Int32(TJPF_RGB.rawValue), &buffer, &size,
        Int32(TJSAMP_420.rawValue), 90, 0) == 0)
    defer { tjFree(buffer) }
    return Array(UnsafeBufferPointer(start: buffer, count: Int(size)))
  }
}
