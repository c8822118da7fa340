// SPDX-License-Identifier: Apache-2.0
// From the rows of a part to the columns that inputs and tasks ask for.

import Files
import MTLFast
import MTLFastData

/// Reads the inputs and targets of a recipe from one part of one stream.
struct ColumnReader {
  let reader: SourceReader
  /// With class names and column lists known.
  let recipe: Recipe
  let stream: Recipe.Stream
  let part: SourcePart

  /// The part's samples; inputs by their names in the recipe, targets by task.
  func dataset() throws -> Dataset {
    var part = part
    var inputs: [String: InputColumn] = [:]
    // Images first: rows whose image is bad are left out of every column.
    for input in recipe.inputs where input.stream == stream.name {
      guard case .images(_, let column) = stream.source, case .column(_, let shape) = input.values,
        case .table(let table) = part.content
      else { continue }
      let loaded = try Self.imageFolder(table, column, rows: part.rows).load(
        shape: shape, fit: input.fit, skipsBad: reader.skipsBad, cache: ImageCache(search: reader.paths.search),
        threads: reader.threads)
      reader.report(loaded, of: part.name)
      if loaded.kept.count < part.rows.count {
        guard inputs.isEmpty else {
          throw MTLFastError(.usage, "\(part.name): bad images can be left out where one input reads images only.")
        }
        part = SourcePart(name: part.name, content: part.content, rows: loaded.kept.map { part.rows[$0] })
      }
      inputs[input.name] = loaded.column
    }
    let columns = ColumnReader(reader: reader, recipe: recipe, stream: stream, part: part)
    for input in recipe.inputs where input.stream == stream.name && inputs[input.name] == nil {
      inputs[input.name] = try columns.input(input)
    }
    var targets: [String: TargetColumn] = [:]
    for task in recipe.tasks where recipe.stream(ofTask: task.name)?.name == stream.name {
      targets[task.name] = try columns.target(task)
    }
    return try Dataset(name: part.name, inputs: inputs, targets: targets)
  }

  static func imageFolder(_ table: CSVTable, _ column: Recipe.ImageColumn, rows: [Int]) throws -> ImageFolder {
    let index = try table.column(column.column)
    var boxes: [ImageBox?]?
    if column.box.count == 4 {
      let sides = try column.box.map { name in
        try zip(rows, table.numbers(name, rows: rows, allowsMissing: false)).map { row, number in
          guard let side = Int(exactly: number) else {
            throw MTLFastError(
              .badData,
              "\(table.path):\(table.line(ofRow: row)): column '\(name)' is \(number), not a whole number of pixels.")
          }
          return side
        }
      }
      boxes = rows.indices.map { ImageBox(x0: sides[0][$0], y0: sides[1][$0], x1: sides[2][$0], y1: sides[3][$0]) }
    }
    return try ImageFolder(
      folder: FilePath.folder(of: table.path), files: rows.map { table[$0, index] }, boxes: boxes,
      rows: rows.map { table.line(ofRow: $0) })
  }

  // MARK: Inputs

  private func input(_ input: Recipe.Input) throws -> InputColumn {
    switch (part.content, input.values) {
    case (.table(let table), .columns(let columns)): return try Self.features(table, columns, rows: part.rows)
    case (.dataset(let dataset), .column(let column, let shape)):
      guard let values = dataset.inputs[column] else {
        throw refuse(unknownName("input column", column, in: part.name, known: Array(dataset.inputs.keys)))
      }
      guard values.shape == shape else {
        throw refuse(
          "input '\(input.name)' has shape \(shape) but in \(part.name) it is \(values.shape). Set inputs.\(input.name).shape to \(values.shape.dimensions)."
        )
      }
      return values.rows(part.rows)
    case (.arrays(let arrays, let path, count: _), .column(let column, let shape)):
      let array = try arrays.named(column, in: path)
      return try located(path) { try array.input(shape: shape) }.rows(part.rows)
    case (.masks(let images, masks: _), .column(let column, _)):
      guard column == "image" else {
        throw refuse(unknownName("input column", column, in: part.name, known: ["image"]))
      }
      return images.rows(part.rows)
    default: throw refuse("input '\(input.name)' can't be read from \(part.name).")
    }
  }

  /// Columns of numbers as one vector for each row.
  static func features(_ table: CSVTable, _ columns: [String], rows: [Int]) throws -> InputColumn {
    let numbers = try columns.map { try table.numbers($0, rows: rows, allowsMissing: false) }
    return .floats(shape: .vector(columns.count), values: rows.indices.flatMap { row in numbers.map { $0[row] } })
  }

  // MARK: Targets

  private func target(_ task: Recipe.Task) throws -> TargetColumn {
    do {
      switch task.target {
      case .labels(let labels): return .classes(try self.labels(labels))
      case .values(let numbers): return .values(try values(numbers))
      case .mask(let mask): return .mask(try self.mask(mask, of: task.name))
      }
    } catch let error as MTLFastError {
      throw error.within("Task '\(task.name)'")
    }
  }

  private func labels(_ labels: Recipe.Labels) throws -> LabelColumn {
    let names = labels.groups?.map(\.name) ?? labels.classes?.names ?? []
    let stored: [Int32]
    switch part.content {
    case .table(let table):
      guard labels.groups == nil else {
        stored = try table.wholeNumbers(labels.column, rows: part.rows)
        break
      }
      let areIndices = try table.areIndices(labels.column, of: names)
      stored = try table.labels(
        labels.column, rows: part.rows, classes: areIndices ? names.indices.map(String.init) : names, trainingRows: []
      ).values
    case .dataset(let dataset):
      guard let column = dataset.labels[labels.column] else {
        throw refuse(unknownName("label column", labels.column, in: part.name, known: Array(dataset.labels.keys)))
      }
      if labels.groups == nil, let label = part.rows.lazy.map({ column.values[$0] }).max(), label >= names.count {
        throw refuse(
          "'\(labels.column)' of \(part.name) has label \(label) but the task has \(names.count) classes (0...\(names.count - 1)). Name each in classes."
        )
      }
      stored = part.rows.map { column.values[$0] }
    case .arrays(let arrays, let path, count: _):
      let array = try arrays.named(labels.column, in: path)
      let values = try located(path) { try array.labels(classNames: labels.groups == nil ? names : nil).values }
      stored = part.rows.map { values[$0] }
    case .masks: throw refuse("\(part.name) has masks but no labels. Use mask: mask.")
    }
    return LabelColumn(values: labels.mapped(stored), classNames: names)
  }

  private func values(_ numbers: Recipe.Numbers) throws -> ValueColumn {
    let columns: [[Float]]
    switch part.content {
    case .table(let table):
      columns = try numbers.columns.map { try table.numbers($0, rows: part.rows, allowsMissing: true) }
    case .dataset(let dataset):
      columns = try numbers.columns.map { name in
        guard case .values(let column)? = dataset.targets[name], column.names.count == 1 else {
          throw refuse(unknownName("number column", name, in: part.name, known: dataset.numberColumns))
        }
        return part.rows.map { column.values[$0] }
      }
    case .arrays(let arrays, let path, count: _):
      columns = try numbers.columns.map { name in
        let array = try arrays.named(name, in: path)
        let column = try located(path) { try array.values() }
        guard column.names.count == 1 else {
          throw refuse(
            "array '\(name)' of \(path) has \(column.names.count) numbers a sample. Give each an array of its own.")
        }
        return part.rows.map { column.values[$0] }
      }
    case .masks: throw refuse("\(part.name) has masks but no numbers. Use mask: mask.")
    }
    return ValueColumn(names: numbers.columns, values: part.rows.indices.flatMap { row in columns.map { $0[row] } })
  }

  private func mask(_ mask: Recipe.Mask, of task: String) throws -> MaskColumn {
    switch part.content {
    case .masks(images: _, masks: let raw):
      guard mask.column == "mask" else {
        throw refuse(unknownName("mask column", mask.column, in: part.name, known: ["mask"]))
      }
      return try mask.column(of: raw).rows(part.rows)
    case .dataset(let dataset):
      guard case .mask(let column)? = dataset.targets[mask.column] else {
        throw refuse(unknownName("mask column", mask.column, in: part.name, known: dataset.maskColumns))
      }
      return try mask.column(of: column, place: part.name).rows(part.rows)
    case .arrays(let arrays, let path, count: _):
      let array = try arrays.named(mask.column, in: path)
      let images = recipe.heads.first { $0.name == task }.map { recipe.inputs(of: $0).compactMap(\.shape) } ?? []
      if let image = images.first(where: \.isImage) {
        try located(path) { try array.requireChannelsLast(height: image.height, width: image.width) }
      }
      if case .channels(let names) = mask.meaning {
        return try located(path) { try array.mask(classNames: names) }.rows(part.rows)
      }
      let stored = try located(path) { try array.mask() }
      return try mask.column(of: stored, place: "array '\(mask.column)' of \(path)").rows(part.rows)
    case .table: throw refuse("\(part.name) has no masks. Use format: masks or npz.")
    }
  }

  private func refuse(_ message: String) -> MTLFastError { MTLFastError(.badData, message) }
}

extension Dataset {
  fileprivate var numberColumns: [String] {
    targets.filter { if case .values = $0.value { true } else { false } }.map(\.key)
  }
  fileprivate var maskColumns: [String] {
    targets.filter { if case .mask = $0.value { true } else { false } }.map(\.key)
  }
}

extension CSVTable {
  /// Whether a column holds indices of classes instead of their names: no name is a number, and every present cell is a
  /// whole number below the number of names.
  func areIndices(_ name: String, of names: [String]) throws -> Bool {
    let column = try column(name)
    guard !names.contains(where: { Int($0) != nil }) else { return false }
    return (0..<rowCount).allSatisfy { row in
      let text = label(row, column)
      return text.isEmpty || text == "-1" || Int(text).map(names.indices.contains) == true
    }
  }

  /// Labels that a `map` groups; an empty cell or `-1` is missing.
  func wholeNumbers(_ name: String, rows: [Int]) throws -> [Int32] {
    let column = try column(name)
    return try rows.map { row in
      let text = label(row, column)
      if text.isEmpty { return -1 }
      guard let label = Int32(text), label >= -1 else {
        throw MTLFastError(
          .badData,
          "\(path):\(line(ofRow: row)): column '\(name)' is '\(text)' but map groups whole numbers from 0. Correct it.")
      }
      return label
    }
  }
}

extension Recipe.Labels {
  /// The task's label for each of the column's; -1 stays missing, and a label that no group names is missing.
  func mapped(_ values: [Int32]) -> [Int32] {
    guard let groups else { return values }
    var group: [Int32: Int32] = [:]
    for (index, labels) in groups.enumerated() {
      for label in labels.labels { group[Int32(label)] = Int32(index) }
    }
    return values.map { group[$0] ?? -1 }
  }
}
