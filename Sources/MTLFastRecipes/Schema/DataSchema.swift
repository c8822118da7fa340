// SPDX-License-Identifier: Apache-2.0
// The keys of `data`: streams and their sources.

import MTLFast
import MTLFastData

extension Recipe.DataSource {
  static func read(_ node: YAMLNode, _ mistakes: Mistakes) -> Recipe.DataSource? {
    guard let entries = mistakes.note({ () throws(RecipeMistake) in try node.entries("data") }) else { return nil }
    guard let streams = entries.first(where: { $0.key == "streams" })?.value else {
      return Recipe.Stream.read(node, name: nil, "data", mistakes).map { Recipe.DataSource(streams: [$0]) }
    }
    for entry in entries where entry.key != "streams" {
      mistakes.add(
        entry.location, unknownWord("key", excerpt(entry.key), in: "data with streams", known: ["streams"]))
    }
    guard let named = mistakes.note({ () throws(RecipeMistake) in try streams.entries("streams") }) else { return nil }
    guard !named.isEmpty else {
      mistakes.add(streams.location, "streams is empty. Name one.")
      return nil
    }
    let read = named.compactMap { entry -> Recipe.Stream? in
      let name = mistakes.note { () throws(RecipeMistake) in
        try checkedName(entry.key, "stream", at: entry.location)
      }
      return name.flatMap { Recipe.Stream.read(entry.value, name: $0, "stream '\($0)'", mistakes) }
    }
    return read.count == named.count ? Recipe.DataSource(streams: read) : nil
  }
}

/// A format of data: its keys, and the source that they make.
private struct DataFormat {
  /// nil for the data sets that the program knows.
  let name: String?
  let sentence: String
  /// Made where it is used: a recipe names one format or few.
  let schema: () -> MappingSchema<Recipe.Stream>
}

extension Recipe.Stream {
  static func read(
    _ node: YAMLNode, name: String?, _ place: String, _ mistakes: Mistakes
  ) -> Recipe.Stream? {
    guard let entries = mistakes.note({ () throws(RecipeMistake) in try node.entries(place) }) else { return nil }
    let formats = Self.formats
    let known = formats.compactMap(\.name)
    let format = entries.first { $0.key == "format" }
    let chosen: DataFormat?
    if entries.contains(where: { $0.key == "source" }) {
      guard format == nil else {
        mistakes.add(node.location, "\(place) has both source and format. Keep one.")
        return nil
      }
      chosen = formats.first { $0.name == nil }
    } else if let format {
      guard let text = mistakes.note({ () throws(RecipeMistake) in try format.value.text("format") }) else {
        return nil
      }
      chosen = formats.first { $0.name == text }
      if chosen == nil {
        mistakes.add(format.value.location, unknownWord("format", text, in: place, known: known))
      }
    } else {
      mistakes.add(
        node.location,
        "\(place) lacks 'source' (\(DatasetCatalog.all.map(\.name).sorted().joined(separator: ", "))) or 'format' (\(known.joined(separator: ", ")))."
      )
      return nil
    }
    guard var stream = chosen?.schema().read(node, place, mistakes) else { return nil }
    stream.name = name
    if stream.validation == .test, !stream.source.namesTest {
      mistakes.add(
        (node.child("validation") ?? node).location,
        "validation is the test set but \(place) names no test data. Add test, or use {fraction: 0.2}.")
    }
    return stream
  }

  static func write(_ stream: Recipe.Stream) -> YAMLValue {
    formats.first { $0.name == stream.source.format }?.schema().write(stream) ?? .mapping([])
  }

  /// What is said of each: the word of `format` (nil for `source`), a sentence, its keys.
  static var shapes: [(format: String?, sentence: String, keys: MappingShape)] {
    formats.compactMap { format in
      if case .mapping(let mapping) = format.schema().shape { (format.name, format.sentence, mapping) } else { nil }
    }
  }

  // MARK: Formats

  private typealias Owner = Recipe.Stream

  private static var formats: [DataFormat] {
    [
      DataFormat(name: nil, sentence: "A data set that the program knows", schema: { catalogue }),
      DataFormat(name: "csv", sentence: "A table of numbers and labels", schema: { csv }),
      DataFormat(name: "images", sentence: "A table with a column of image files", schema: { images }),
      DataFormat(name: "masks", sentence: "Folders of images and of masks with the same names", schema: { masks }),
      DataFormat(name: "npz", sentence: "NumPy arrays by name", schema: { arrays }),
      DataFormat(name: "idx", sentence: "Files of the MNIST family", schema: { idx }),
      DataFormat(name: "synthetic", sentence: "Samples that are computed from a seed", schema: { synthetic }),
    ]
  }

  private static func format(_ name: String) -> AnyKey<Owner> {
    AnyKey(Key<Owner, String>.required("format", .word(name), "The word `\(name)`", get: { _ in name }))
  }

  /// Where nothing else than a share or the test set can be the validation part.
  private static let ownValidation = Key<Owner, Recipe.Validation>.standard(
    "validation", .validation("validation must be none, test or {fraction: 0.2}."), .none,
    "`none`, `test`, or a share of the training rows", get: \.validation)

  private static var catalogue: MappingSchema<Owner> {
    let source = Key<Owner, String>.required(
      "source", .dataset, "The name of a data set that the program knows",
      get: { if case .catalogue(let name) = $0.source { name } else { nil } })
    return MappingSchema([AnyKey(source), AnyKey(ownValidation)]) { values throws(RecipeMistake) in
      Recipe.Stream(source: .catalogue(values[source]), validation: values[ownValidation])
    }
  }

  private static var csv: MappingSchema<Owner> {
    let table = TableKeys { if case .csv(let table) = $0.source { table } else { nil } }
    return MappingSchema([format("csv")] + table.keys) { values throws(RecipeMistake) in
      let read = try table.value(values)
      return Recipe.Stream(source: .csv(read.table), validation: read.validation)
    }
  }

  private static var images: MappingSchema<Owner> {
    let table = TableKeys { if case .images(let table, _) = $0.source { table } else { nil } }
    func column(_ stream: Owner) -> Recipe.ImageColumn? {
      if case .images(_, let column) = stream.source { column } else { nil }
    }
    let files = Key<Owner, String>.required(
      "images", .text, "The column of JPEG and PNG files, relative to the table's folder or absolute",
      get: { column($0)?.column })
    let box = Key<Owner, [String]>.optional(
      "box", .box, "Columns of the part to take, in pixels: left, top, right, bottom",
      get: { column($0).flatMap { $0.box.isEmpty ? nil : $0.box } })
    return MappingSchema([format("images")] + table.keys(before: [AnyKey(files), AnyKey(box)])) {
      values throws(RecipeMistake) in
      let read = try table.value(values)
      return Recipe.Stream(
        source: .images(read.table, Recipe.ImageColumn(column: values[files], box: values.given(box) ?? [])),
        validation: read.validation)
    }
  }

  private static var masks: MappingSchema<Owner> {
    let images = Key<Recipe.ImagesAndMasks, String>.required("images", .path(), "The images", get: \.images)
    let masks = Key<Recipe.ImagesAndMasks, String>.required(
      "masks", .path(), "The masks: PNG as large as their images", get: \.masks)
    let folders = MappingSchema([AnyKey(images), AnyKey(masks)]) { values throws(RecipeMistake) in
      Recipe.ImagesAndMasks(images: values[images], masks: values[masks])
    }
    return parts("masks", folders.type("images and masks"), "Folders of images and of masks") {
      if case .masks(let parts) = $0 { parts } else { nil }
    } make: {
      .masks($0)
    }
  }

  private static var arrays: MappingSchema<Owner> {
    parts("npz", .path("a .npz file"), "A .npz file, a .npy file, or a folder of .npy files") {
      if case .arrays(let parts) = $0 { parts } else { nil }
    } make: {
      .arrays($0)
    }
  }

  private static var idx: MappingSchema<Owner> {
    let images = Key<Recipe.ImagesAndLabels, String>.required(
      "images", .path(), "The file of images, plain or .gz", get: \.images)
    let labels = Key<Recipe.ImagesAndLabels, String>.required(
      "labels", .path(), "The file of labels", get: \.labels)
    let files = MappingSchema([AnyKey(images), AnyKey(labels)]) { values throws(RecipeMistake) in
      Recipe.ImagesAndLabels(images: values[images], labels: values[labels])
    }
    return parts("idx", files.type("images and labels"), "Files of images and of labels") {
      if case .idx(let parts) = $0 { parts } else { nil }
    } make: {
      .idx($0)
    }
  }

  private static var synthetic: MappingSchema<Owner> {
    func settings(_ stream: Owner) -> Recipe.Synthetic? {
      if case .synthetic(let settings) = stream.source { settings } else { nil }
    }
    let standard = Recipe.Synthetic(generator: .simultaneous)
    let generator = Key<Owner, Recipe.Synthetic.Generator>.required(
      "generator", .choice, "What is computed", get: { settings($0)?.generator })
    let seed = Key<Owner, UInt64>.standard(
      "seed", .seed, standard.seed, "Of the samples", get: { settings($0)?.seed })
    let training = Key<Owner, Int>.standard(
      "training", .integer(1...1_000_000), standard.training, "How many training samples",
      get: { settings($0)?.training })
    let test = Key<Owner, Int>.standard(
      "test", .integer(0...1_000_000), standard.test, "How many test samples; 0 for none",
      get: { settings($0)?.test })
    return MappingSchema([
      format("synthetic"), AnyKey(generator), AnyKey(seed), AnyKey(training), AnyKey(test), AnyKey(ownValidation),
    ]) { values throws(RecipeMistake) in
      Recipe.Stream(
        source: .synthetic(
          Recipe.Synthetic(
            generator: values[generator], seed: values[seed], training: values[training], test: values[test])),
        validation: values[ownValidation])
    }
  }

  /// A format that names files for each part.
  private static func parts<File>(
    _ name: String, _ file: ValueType<File>, _ sentence: String,
    get: @escaping (Recipe.Source) -> Recipe.Parts<File>?, make: @escaping (Recipe.Parts<File>) -> Recipe.Source
  ) -> MappingSchema<Owner> {
    let keys = PartKeys(file, sentence) { get($0.source) }
    return MappingSchema([format(name)] + keys.keys) { values throws(RecipeMistake) in
      let read = try keys.value(values)
      return Recipe.Stream(source: make(read.parts), validation: read.validation)
    }
  }
}

// MARK: Types

extension ValueType where Value == String {
  /// A word that is always the same.
  fileprivate static func word(_ word: String) -> ValueType {
    ValueType(
      .choice([word]), parse: { node, name throws(RecipeMistake) in try node.text(name) }, write: { .plain($0) })
  }

  /// The name of a known data set.
  fileprivate static var dataset: ValueType {
    let known = DatasetCatalog.all.map(\.name)
    return ValueType(
      .choice(known),
      parse: { node, name throws(RecipeMistake) in
        let text = try node.text(name)
        guard known.contains(text) else {
          throw node.location.error(unknownWord("data set", text, in: "data", known: known))
        }
        return text
      }, write: { .text($0) })
  }
}

extension ValueType where Value == [String] {
  /// Four columns.
  fileprivate static var box: ValueType {
    ValueType(
      .list(.text, count: 4...4, isUnique: true),
      parse: { node, name throws(RecipeMistake) in
        let columns = try node.names(name)
        guard columns.count == 4 else {
          throw node.location.error(
            "box must name the columns of left, top, right and bottom. Received: \(columns.count) names.")
        }
        return columns
      }, write: { .list($0.map { .text($0) }) })
  }
}
