// SPDX-License-Identifier: Apache-2.0
// A recipe's `data`: from YAML values to streams and their sources.

import MTLFast
import MTLFastData

extension Recipe.DataSource {
  init(_ node: YAMLNode) throws {
    guard let entry = try node.entries("data").first(where: { $0.key == "streams" }) else {
      streams = [try Recipe.Stream(node, name: nil, "data")]
      return
    }
    _ = try MappingReader(node, "data with streams", known: ["streams"])
    streams = try entry.value.entries("streams").map { entry in
      let name = try checkedName(entry.key, "stream", at: entry.location)
      return try Recipe.Stream(entry.value, name: name, "stream '\(name)'")
    }
    guard !streams.isEmpty else { throw entry.value.location.error("streams is empty. Name one.") }
  }
}

extension Recipe.Stream {
  private static let formats = ["csv", "images", "masks", "npz", "idx", "synthetic"]

  fileprivate init(_ node: YAMLNode, name: String?, _ place: String) throws {
    self.name = name
    let entries = try node.entries(place)
    let format = entries.first { $0.key == "format" }
    if entries.contains(where: { $0.key == "source" }) {
      guard format == nil else {
        throw node.location.error("\(place) has both source and format. Keep one.")
      }
      let reader = try MappingReader(node, place, known: ["source", "validation"])
      let value = try reader.required("source")
      let source = try value.text("source")
      let known = DatasetCatalog.all.map(\.name)
      guard known.contains(source) else {
        throw value.location.error(unknownName("data set", source, in: "data", known: known))
      }
      self.source = .catalogue(source)
      validation = try Self.validation(reader) { value in
        throw value.location.error(
          "validation must be none, test or {fraction: 0.2}. Received: \(value.kindDescription).")
      }
      return
    }
    guard let format else {
      throw node.location.error(
        "\(place) lacks 'source' (\(DatasetCatalog.all.map(\.name).sorted().joined(separator: ", "))) or 'format' (\(Self.formats.joined(separator: ", ")))."
      )
    }
    let text = try format.value.text("format")
    let parts = ["format", "training", "validation", "test"]
    let table = parts + ["path", "split"]
    switch text {
    case "csv":
      let reader = try MappingReader(node, place, known: table)
      let parsed = try Self.table(reader)
      (source, validation) = (.csv(parsed.table), parsed.validation)
    case "images":
      let reader = try MappingReader(node, place, known: table + ["images", "box"])
      let parsed = try Self.table(reader)
      let column = try reader.required("images").text("images")
      let box = try reader.optional("box").map { node in
        let columns = try node.names("box")
        guard columns.count == 4 else {
          throw node.location.error(
            "box must name the columns of left, top, right and bottom. Received: \(columns.count) names.")
        }
        return columns
      }
      (source, validation) = (
        .images(parsed.table, Recipe.ImageColumn(column: column, box: box ?? [])), parsed.validation
      )
    case "masks":
      let parsed = try Self.parts(try MappingReader(node, place, known: parts)) { node in
        let reader = try MappingReader(node, "images and masks", known: ["images", "masks"])
        return Recipe.ImagesAndMasks(
          images: try reader.required("images").path("images"), masks: try reader.required("masks").path("masks"))
      }
      (source, validation) = (.masks(parsed.parts), parsed.validation)
    case "npz":
      let parsed = try Self.parts(try MappingReader(node, place, known: parts)) { try $0.path("a .npz file") }
      (source, validation) = (.arrays(parsed.parts), parsed.validation)
    case "idx":
      let parsed = try Self.parts(try MappingReader(node, place, known: parts)) { node in
        let reader = try MappingReader(node, "images and labels", known: ["images", "labels"])
        return Recipe.ImagesAndLabels(
          images: try reader.required("images").path("images"), labels: try reader.required("labels").path("labels"))
      }
      (source, validation) = (.idx(parsed.parts), parsed.validation)
    case "synthetic":
      let reader = try MappingReader(node, place, known: parts + ["generator", "seed"])
      let count = 1_000_000
      source = .synthetic(
        Recipe.Synthetic(
          generator: try reader.required("generator").choice("generator"),
          seed: try reader.optional("seed")?.seed("seed") ?? 0,
          training: try reader.optional("training")?.integer("training", in: 1...count) ?? 1000,
          test: try reader.optional("test")?.integer("test", in: 0...count) ?? 200))
      validation = try Self.validation(reader) { value in
        throw value.location.error(
          "validation must be none, test or {fraction: 0.2}. Received: \(value.kindDescription).")
      }
    default:
      throw format.value.location.error(unknownName("format", text, in: place, known: Self.formats))
    }
    if validation == .test, !source.namesTest, let node = entries.first(where: { $0.key == "validation" })?.value {
      throw node.location.error(
        "validation is the test set but \(place) names no test data. Add test, or use {fraction: 0.2}.")
    }
  }

  /// `path`, with or without `split`, or a file for each part.
  private static func table(_ reader: MappingReader) throws -> (table: Recipe.Table, validation: Recipe.Validation) {
    guard let path = reader.optional("path") else {
      if let split = reader.optional("split") {
        throw split.location.error("split tells the parts of one table. Name that with path.")
      }
      guard reader.optional("training") != nil else {
        throw reader.location.error("\(reader.name) lacks 'path' or 'training', the table's file.")
      }
      let parsed = try parts(reader) { try $0.path("a .csv file") }
      return (Recipe.Table(parts: parsed.parts), parsed.validation)
    }
    for key in ["training", "test"] {
      guard let other = reader.optional(key) else { continue }
      throw other.location.error(
        "\(reader.name) has both path and \(key). Name each part's file, or one path with split: {column: ...}.")
    }
    let split = try reader.optional("split").map { node in
      let reader = try MappingReader(node, "split", known: ["column", "training", "validation", "test"])
      return Recipe.SplitColumn(
        column: try reader.required("column").text("column"),
        parts: Recipe.Parts(
          training: try reader.required("training").text("training"),
          validation: try reader.optional("validation")?.text("validation"),
          test: try reader.optional("test")?.text("test")))
    }
    let validation = try Self.validation(reader) { value in
      throw value.location.error(
        "validation must be none, test or {fraction: 0.2}: the parts of a table with path are told by split. Received: \(value.kindDescription)."
      )
    }
    if split?.parts.validation != nil, validation != .none, let node = reader.optional("validation") {
      throw node.location.error("validation is given here and in split. Keep one.")
    }
    let file = try path.path("path")
    return (Recipe.Table(parts: Recipe.Parts(training: file), split: split), validation)
  }

  /// `training`, `validation` and `test`, where `validation` may also be none, test or a fraction.
  private static func parts<File>(
    _ reader: MappingReader, file: (YAMLNode) throws -> File
  ) throws -> (parts: Recipe.Parts<File>, validation: Recipe.Validation) {
    var parts = Recipe.Parts(
      training: try file(try reader.required("training")), test: try reader.optional("test").map(file))
    let validation = try validation(reader) { parts.validation = try file($0) }
    return (parts, validation)
  }

  /// - Parameter other: reads anything but none, test and a fraction.
  private static func validation(
    _ reader: MappingReader, other: (YAMLNode) throws -> Void
  ) throws -> Recipe.Validation {
    guard let node = reader.optional("validation") else { return .none }
    switch node.content {
    case .scalar("none", isPlain: _): return .none
    case .scalar("test", isPlain: _): return .test
    case .mapping(let entries) where entries.contains { $0.key == "fraction" }:
      let reader = try MappingReader(node, "validation", known: ["fraction", "stratify", "seed"])
      let range = "a number above 0 and below 1"
      let share = try reader.required("fraction").decimal("fraction", range) { $0 > 0 && $0 < 1 }
      return .fraction(
        Recipe.Fraction(
          share, stratify: try reader.optional("stratify")?.text("stratify"),
          seed: try reader.optional("seed")?.seed("seed") ?? 0))
    default:
      try other(node)
      return .none
    }
  }
}

extension YAMLNode {
  /// The path of a file or folder, as written.
  func path(_ name: String) throws -> String {
    let path = try text(name)
    guard !path.isEmpty, !path.utf8.contains(0) else { throw location.error("\(name) must be a path. It is empty.") }
    return path
  }
}
