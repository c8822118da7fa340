// SPDX-License-Identifier: Apache-2.0
// A recipe's inputs: from YAML values to columns, shapes and what happens to their values.

import MTLFast
import MTLFastData

extension Recipe.Input {
  init(_ entry: YAMLNode.Entry, of data: Recipe.DataSource) throws {
    let name = try checkedName(entry.key, "input", at: entry.location)
    let place = "input '\(name)'"
    let reader = try MappingReader(
      entry.value, place,
      known: ["shape", "columns", "from", "scale", "fit", "normalize", "mean", "standard_deviation", "augment"])
    let (stream, column) = try Self.origin(reader.optional("from"), of: name, in: data, at: reader.location)
    let source = data.stream(named: stream)?.source
    let values = try Self.values(reader, column: column, source: source)
    self.init(name: name, stream: stream, values: values)
    if let node = reader.optional("scale") {
      guard case .scalar(let text, isPlain: true) = node.content, let value = Scale(text) else {
        throw node.location.error(
          "scale must be a number or a fraction such as 1/255, and not 0. Received: \(node.kindDescription).")
      }
      scale = value
    }
    if let node = reader.optional("fit") {
      guard source?.holdsImageFiles == true, shape?.isImage == true else {
        throw node.location.error("fit is for image files (format: images or masks). \(place) is none of them.")
      }
      fit = try node.choice("fit")
    }
    let isTable = if case .column = values { false } else { true }
    normalization = try Recipe.Normalization(reader, standard: isTable ? .training : .none, count: shape?.channels)
    if let node = reader.optional("augment") {
      guard shape?.isImage == true else { throw node.location.error("augment is for images. \(place) is none.") }
      augmentation = try Self.augmentation(node, side: min(shape?.height ?? 1, shape?.width ?? 1))
    }
  }

  /// `from`: a stream, a stream's column, or a column of the only stream.
  private static func origin(
    _ node: YAMLNode?, of input: String, in data: Recipe.DataSource, at location: SourceLocation
  ) throws -> (stream: String?, column: String) {
    let streams = data.streams.compactMap(\.name)
    let only = streams.count <= 1
    guard let node else {
      guard only else {
        throw location.error(
          "input '\(input)' must name its stream: from: \(streams[0]), or \(streams[0]).COLUMN. Streams: \(streams.joined(separator: ", "))."
        )
      }
      return (streams.first, input)
    }
    let text = try node.text("from")
    if streams.contains(text) { return (text, input) }
    if let dot = text.firstIndex(of: "."), streams.contains(String(text[..<dot])) {
      return (String(text[..<dot]), String(text[text.index(after: dot)...]))
    }
    guard only else {
      let written = text.split(separator: ".", maxSplits: 1).first.map(String.init) ?? text
      throw node.location.error(unknownName("stream", written, in: "from of input '\(input)'", known: streams))
    }
    return (streams.first, text)
  }

  private static func values(
    _ reader: MappingReader, column: String, source: Recipe.Source?
  ) throws -> Recipe.Values {
    if let node = reader.optional("columns") {
      guard source?.isTable == true else {
        throw node.location.error("columns are those of a table (format: csv or images). Use shape: [count].")
      }
      if let shape = reader.optional("shape") {
        throw shape.location.error("\(reader.name) has both columns and shape. The shape follows from the columns.")
      }
      if case .scalar("all", isPlain: true) = node.content { return .allColumns }
      return .columns(try node.names("columns"))
    }
    if case .csv? = source {
      throw reader.location.error("\(reader.name) lacks the key 'columns': a list of the table's columns, or all.")
    }
    let node = try reader.required("shape")
    let sizes = try node.items("shape").map { try $0.integer("shape", in: 1...1 << 20) }
    let shape = Shape(sizes)
    guard shape.isImage || shape.isVector, let count = shape.checkedElementCount, count <= maximumElements else {
      throw node.location.error(
        "shape must be [height, width, channels] or [count] with up to \(maximumElements) elements. Received: \(sizes)."
      )
    }
    if source?.holdsImageFiles == true, !(shape.isImage && [1, 3].contains(shape.channels)) {
      throw node.location.error(
        "the shape of image files is [height, width, 3], or [height, width, 1] for grey. Received: \(sizes).")
    }
    return .column(column, shape)
  }

  /// - Parameter side: the shorter one of the image, in pixels.
  private static func augmentation(_ node: YAMLNode, side: Int) throws -> Augmentation {
    let reader = try MappingReader(node, "augment", known: ["flip", "pad", "cutout"])
    return try Augmentation(
      flip: try reader.optional("flip")?.boolean("flip") ?? false,
      pad: try reader.optional("pad")?.integer("pad", in: 0...min(1024, side - 1)) ?? 0,
      cutout: try reader.optional("cutout")?.integer("cutout", in: 0...1024) ?? 0)
  }
}

extension Recipe.Normalization {
  /// `normalize: true`, or the numbers: `mean` and `standard_deviation`.
  ///
  /// - Parameter count: the numbers that each must have, where that is known.
  init(_ reader: MappingReader, standard: Recipe.Normalization, count: Int?) throws {
    let wanted = try reader.optional("normalize")?.boolean("normalize")
    let means = try reader.optional("mean")?.numbers("mean", "a number") { _ in true }
    let deviations = try reader.optional("standard_deviation")?
      .numbers("standard_deviation", "a number above 0") { $0 > 0 }
    if let small = deviations?.first(where: { !(1 / $0).isFinite }) {
      throw (reader.optional("standard_deviation")?.location ?? reader.location).error(
        "an entry of standard_deviation is \(small), too small to divide by. Give at least 1e-38.")
    }
    switch (means, deviations) {
    case (nil, nil): self = wanted.map { $0 ? .training : .none } ?? standard
    case (let means?, let deviations?):
      if wanted == false, let node = reader.optional("normalize") {
        throw node.location.error("\(reader.name) has normalize: false and a mean. Keep one.")
      }
      for (key, numbers) in [("mean", means), ("standard_deviation", deviations)] {
        guard let count, count != numbers.count else { continue }
        throw (reader.optional(key)?.location ?? reader.location).error(
          "\(key) has \(numbers.count) numbers but \(reader.name) has \(count) \(count == 1 ? "channel or value" : "channels or values"). Give one for each."
        )
      }
      guard means.count == deviations.count else {
        throw reader.location.error(
          "\(reader.name) has \(means.count) numbers as mean but \(deviations.count) as standard_deviation.")
      }
      self = .by(mean: means, standardDeviation: deviations)
    default:
      throw reader.location.error(
        "\(reader.name) has only one of mean and standard_deviation. Give both, or normalize: true.")
    }
  }
}

extension Recipe.Source {
  var isTable: Bool {
    switch self {
    case .csv, .images: true
    default: false
    }
  }

  /// Whether its images are files of any size.
  var holdsImageFiles: Bool {
    switch self {
    case .images, .masks: true
    default: false
    }
  }
}
