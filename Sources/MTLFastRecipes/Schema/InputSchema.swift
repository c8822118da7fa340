// SPDX-License-Identifier: Apache-2.0
// The keys of an input: columns, shapes and what happens to their values.

import MTLFast
import MTLFastData

extension Recipe.Input {
  /// - Parameter data: where its columns are from; nil to describe the keys alone.
  static func schema(of name: String, in data: Recipe.DataSource?) -> MappingSchema<Recipe.Input> {
    let shape = Key<Self, Shape>.optional(
      "shape", .shape, "[height, width, channels] of an image, [count] of a vector; not with `columns`",
      get: { if case .column(_, let shape) = $0.values { shape } else { nil } })
    let columns = Key<Self, Recipe.Values>.optional(
      "columns", .columns, "Of a table: a list of number columns, or `all` for those that nothing else uses",
      get: { if case .column = $0.values { nil } else { $0.values } })
    let from = Key<Self, String>.optional(
      "from", .text, "The column, the stream, or `stream.column`; without it the column of the input's own name",
      get: \.origin)
    let scale = Key<Self, Scale>.standard(
      "scale", .scale, 1, "The factor of every value: a number or a fraction, not 0", get: \.scale)
    let fit = Key<Self, ImageFit>.standard(
      "fit", .choice, .crop,
      "How an image file gets the shape: `crop` cuts off what sticks out, `letterbox` adds black bars, `stretch` distorts",
      get: { input in
        let isOfFiles = data?.stream(named: input.stream)?.source.holdsImageFiles == true
        return isOfFiles && input.shape?.isImage == true ? input.fit : nil
      })
    let normalization = NormalizationKeys<Self>(\.normalization)
    let augmentation = Key<Self, AugmentationKeys>.optional(
      "augment", AugmentationKeys.schema.type(), "Random changes of training images",
      get: { $0.augmentation.map(AugmentationKeys.init) })
    return MappingSchema(
      [AnyKey(shape), AnyKey(columns), AnyKey(from), AnyKey(scale), AnyKey(fit)] + normalization.keys
        + [AnyKey(augmentation)]
    ) { values throws(RecipeMistake) in
      let data = data ?? Recipe.DataSource(streams: [])
      let (stream, column) = try origin(values, values.given(from), of: name, in: data)
      let source = data.stream(named: stream)?.source
      let held = try held(values, shape: values.given(shape), columns: values.given(columns), column, source)
      var input = Recipe.Input(name: name, stream: stream, values: held, scale: values[scale])
      if let given = values.given(fit) {
        guard source?.holdsImageFiles == true, input.shape?.isImage == true else {
          throw values.mistake(
            "fit", "fit is for image files (format: images or masks). \(values.name) is none of them.")
        }
        input.fit = given
      }
      let isTable = if case .column = held { false } else { true }
      input.normalization = try normalization.value(
        values, standard: isTable ? .training : .none, count: input.shape?.channels)
      if let given = values.given(augmentation) {
        guard let shape = input.shape, shape.isImage else {
          throw values.mistake("augment", "augment is for images. \(values.name) is none.")
        }
        let most = min(1024, min(shape.height, shape.width) - 1)
        guard given.pad <= most else {
          let node = values.node.child("augment")?.child("pad") ?? values.node
          throw node.location.error(
            "pad must be a whole number from 0 to \(most). Received: \(node.kindDescription).")
        }
        input.augmentation = given.augmentation
      }
      return input
    }
  }

  static var augmentationSchema: MappingSchema<some Any> { AugmentationKeys.schema }

  /// As `from` says it; nil where the column of the input's own name is meant.
  private var origin: String? {
    guard case .column(let column, _) = values else { return stream }
    let isNamedSo = column == name
    if let stream { return isNamedSo ? stream : "\(stream).\(column)" }
    return isNamedSo ? nil : column
  }

  /// `from`: a stream, a stream's column, or a column of the only stream.
  private static func origin(
    _ values: Values, _ text: String?, of input: String, in data: Recipe.DataSource
  ) throws(RecipeMistake) -> (stream: String?, column: String) {
    let streams = data.streams.compactMap(\.name)
    let only = streams.count <= 1
    guard let text else {
      guard only else {
        throw values.mistake(
          "input '\(input)' must name its stream: from: \(streams[0]), or \(streams[0]).COLUMN. Streams: \(streams.joined(separator: ", "))."
        )
      }
      return (streams.first, input)
    }
    if streams.contains(text) { return (text, input) }
    if let dot = text.firstIndex(of: "."), streams.contains(String(text[..<dot])) {
      return (String(text[..<dot]), String(text[text.index(after: dot)...]))
    }
    guard only else {
      let written = text.split(separator: ".", maxSplits: 1).first.map(String.init) ?? text
      throw values.mistake(
        "from", unknownName("stream", written, in: "from of input '\(input)'", known: streams))
    }
    return (streams.first, text)
  }

  private static func held(
    _ values: Values, shape: Shape?, columns: Recipe.Values?, _ column: String, _ source: Recipe.Source?
  ) throws(RecipeMistake) -> Recipe.Values {
    if let columns {
      guard source?.isTable == true else {
        throw values.mistake(
          "columns", "columns are those of a table (format: csv or images). Use shape: [count].")
      }
      guard shape == nil else {
        throw values.mistake("shape", "\(values.name) has both columns and shape. The shape follows from the columns.")
      }
      return columns
    }
    if case .csv? = source {
      throw values.mistake("\(values.name) lacks the key 'columns': a list of the table's columns, or all.")
    }
    guard let shape else { throw values.mistake("\(values.name) lacks the key 'shape'.") }
    if source?.holdsImageFiles == true, !(shape.isImage && [1, 3].contains(shape.channels)) {
      throw values.mistake(
        "shape",
        "the shape of image files is [height, width, 3], or [height, width, 1] for grey. Received: \(shape.dimensions)."
      )
    }
    return .column(column, shape)
  }
}

extension ValueType where Value == Shape {
  static var shape: ValueType {
    ValueType(
      .any([
        .list(.integer(1...1 << 20), count: 1...1), .list(.integer(1...1 << 20), count: 3...3),
      ]),
      parse: { node, name throws(RecipeMistake) in
        let sizes = try node.integers(name, name, in: 1...1 << 20)
        let shape = Shape(sizes)
        guard shape.isImage || shape.isVector, let count = shape.checkedElementCount, count <= maximumElements else {
          throw node.location.error(
            "\(name) must be [height, width, channels] or [count] with up to \(maximumElements) elements. Received: \(sizes)."
          )
        }
        return shape
      }, write: { .list($0.dimensions.map { .plain($0) }) })
  }
}

extension ValueType where Value == Recipe.Values {
  /// `all`, or a list.
  fileprivate static var columns: ValueType {
    let names = ValueType<[String]>.names()
    return ValueType(
      .any([.choice(["all"]), names.shape]),
      read: { node, name, mistakes in
        if case .scalar("all", isPlain: true) = node.content { return .allColumns }
        return names.read(node, name, mistakes).map { .columns($0) }
      }, write: { if case .columns(let columns) = $0 { names.write(columns) } else { .plain("all") } })
  }
}

extension ValueType where Value == Scale {
  fileprivate static var scale: ValueType {
    ValueType(
      .any([.number(.any), .pattern("^ *[0-9.eE+-]+ */ *[0-9.eE+-]+ *$")]),
      parse: { node, name throws(RecipeMistake) in
        guard case .scalar(let text, isPlain: true) = node.content, let value = Scale(text) else {
          throw node.location.error(
            "\(name) must be a number or a fraction such as 1/255, and not 0. Received: \(node.kindDescription).")
        }
        return value
      }, write: { .plain("\($0)") })
  }
}

/// `augment`, whose limits depend on the image.
private struct AugmentationKeys {
  let flip: Bool
  let pad: Int
  let cutout: Int
  /// nil where a size is out of any image's range, which the keys' own ranges rule out.
  var augmentation: Augmentation? { try? Augmentation(flip: flip, pad: pad, cutout: cutout) }

  init(flip: Bool, pad: Int, cutout: Int) {
    self.flip = flip
    self.pad = pad
    self.cutout = cutout
  }

  init(_ augmentation: Augmentation) {
    self.init(flip: augmentation.flip, pad: augmentation.pad, cutout: augmentation.cutout)
  }

  static let schema: MappingSchema<AugmentationKeys> = {
    let flip = Key<Self, Bool>.standard(
      "flip", .boolean, false, "Left and right change places, half of the times", get: \.flip)
    let pad = Key<Self, Int>.standard(
      "pad", .integer(0...1024), 0,
      "Pixels of zeros added on every side before a window of the image's size is cut out; less than the image's shorter side",
      get: \.pad)
    let cutout = Key<Self, Int>.standard(
      "cutout", .integer(0...1024), 0, "Side in pixels of a square set to zero, after normalisation", get: \.cutout)
    return MappingSchema([AnyKey(flip), AnyKey(pad), AnyKey(cutout)]) { values throws(RecipeMistake) in
      AugmentationKeys(flip: values[flip], pad: values[pad], cutout: values[cutout])
    }
  }()
}

/// `normalize: true`, or the numbers: `mean` and `standard_deviation`.
struct NormalizationKeys<Owner> {
  private let normalize: Key<Owner, Bool>
  private let mean: Key<Owner, [Float]>
  private let deviation: Key<Owner, [Float]>

  init(_ get: @escaping (Owner) -> Recipe.Normalization) {
    normalize = .optional(
      "normalize", .boolean,
      "`true`: subtract the mean and divide by the standard deviation of the training rows, found for each channel or column",
      get: { owner in
        switch get(owner) {
        case .none: false
        case .training: true
        case .by: nil
        }
      })
    mean = .optional(
      "mean", .numbers(.any), "The numbers instead, one for each channel or column, after scaling",
      get: { if case .by(let mean, _) = get($0) { mean } else { nil } })
    deviation = .optional(
      "standard_deviation", .numbers(.positive), "As many numbers above 0",
      get: { if case .by(_, let deviation) = get($0) { deviation } else { nil } })
  }

  var keys: [AnyKey<Owner>] { [AnyKey(normalize), AnyKey(mean), AnyKey(deviation)] }

  /// - Parameter count: the numbers that each must have, where that is known.
  func value(
    _ values: Values, standard: Recipe.Normalization, count: Int?
  ) throws(RecipeMistake) -> Recipe.Normalization {
    let wanted = values.given(normalize)
    let deviations = values.given(deviation)
    if let small = deviations?.first(where: { !(1 / $0).isFinite }) {
      throw values.mistake(
        "standard_deviation",
        "an entry of standard_deviation is \(small), too small to divide by. Give at least 1e-38.")
    }
    switch (values.given(mean), deviations) {
    case (nil, nil): return wanted.map { $0 ? .training : .none } ?? standard
    case (let means?, let deviations?):
      if wanted == false {
        throw values.mistake("normalize", "\(values.name) has normalize: false and a mean. Keep one.")
      }
      for (key, numbers) in [("mean", means), ("standard_deviation", deviations)] {
        guard let count, count != numbers.count else { continue }
        throw values.mistake(
          key,
          "\(key) has \(numbers.count) numbers but \(values.name) has \(count) \(count == 1 ? "channel or value" : "channels or values"). Give one for each."
        )
      }
      guard means.count == deviations.count else {
        throw values.mistake(
          "\(values.name) has \(means.count) numbers as mean but \(deviations.count) as standard_deviation.")
      }
      return .by(mean: means, standardDeviation: deviations)
    default:
      throw values.mistake(
        "\(values.name) has only one of mean and standard_deviation. Give both, or normalize: true.")
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
