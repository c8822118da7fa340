// SPDX-License-Identifier: Apache-2.0
// What a recipe leaves to its training data: class names, column lists, parents, means, class weights.

import MTLFast
import MTLFastData

extension Recipe {
  /// This recipe with the class names that the catalogue tells: its model needs no data then, unless tables do.
  public func withPublishedClasses() throws -> Recipe {
    var recipe = self
    for index in tasks.indices {
      guard case .labels(var labels) = tasks[index].target, labels.groups == nil, labels.classes == nil,
        case .catalogue(let name)? = stream(ofTask: tasks[index].name)?.source
      else { continue }
      let known = try DatasetCatalog.dataset(named: name).labels.first { $0.column == labels.column }
      labels.classes = known.map { .names($0.classNames) }
      recipe.tasks[index].target = .labels(labels)
    }
    return recipe
  }

  /// Whether the model's shapes or classes are known with the data only: of tables and arrays that name no classes.
  public var modelNeedsData: Bool { tasks.contains { $0.names == nil } || inputs.contains { $0.shape == nil } }

  /// This recipe with the names that its model needs, of classes and columns; no more of the data is read than that.
  ///
  /// - Throws: `MTLFastError` of kind `missingInput` where the data are not found, `badData` where they don't fit.
  public func withNames(search: DatasetSearch, recipeFolder: String? = nil) throws -> Recipe {
    let published = try withPublishedClasses()
    guard published.modelNeedsData else { return published }
    let binding = RecipeBinding(
      recipe: published, search: search, recipeFolder: recipeFolder, skipsBad: false, threads: nil
    ) { _ in }
    let parts = try published.data.streams.map { stream -> SourcePart? in
      // Masks know no class names but those of a file.
      if case .masks = stream.source { return nil }
      return try binding.reader.parts(of: stream, wanted: [.training])[.training]
    }
    return try NameResolution(paths: binding.reader.paths).resolve(published, training: parts)
  }

  /// Whether prediction needs nothing that only the data tell.
  public var isResolved: Bool {
    tasks.allSatisfy { task in
      guard task.names != nil else { return false }
      switch task.target {
      case .labels(let labels): return labels.parent == nil || labels.parent?.classes != nil
      case .values(let numbers): return numbers.normalization != .training
      case .mask: return true
      }
    }
      && inputs.allSatisfy { $0.normalization != .training && $0.values != .allColumns }
      && heads.allSatisfy { $0.classWeights != .automatic }
  }
}

// MARK: Before the columns are read

/// Fills in names: of the classes, of the columns.
struct NameResolution {
  let paths: DataPaths

  /// - Parameter training: of each stream, or nil where a stream needs no reading.
  func resolve(_ recipe: Recipe, training: [SourcePart?]) throws -> Recipe {
    var resolved = recipe
    for (stream, part) in zip(recipe.data.streams, training) {
      for index in recipe.inputs.indices where recipe.inputs[index].stream == stream.name {
        guard recipe.inputs[index].values == .allColumns, case .table(let table)? = part?.content else { continue }
        resolved.inputs[index].values = .columns(try recipe.remainingColumns(of: table, in: stream))
      }
      for index in recipe.tasks.indices where recipe.stream(ofTask: recipe.tasks[index].name)?.name == stream.name {
        resolved.tasks[index].target = try target(of: recipe.tasks[index], in: part, of: stream.source)
      }
    }
    return resolved
  }

  private func target(of task: Recipe.Task, in part: SourcePart?, of source: Recipe.Source) throws -> Recipe.Target {
    switch task.target {
    case .values: return task.target
    case .mask(var mask):
      if case .classes(.file(let path)) = mask.meaning {
        mask.meaning = .classes(.names(try ClassNames.read(paths.find(path))))
      }
      return .mask(mask)
    case .labels(var labels):
      if case .file(let path)? = labels.classes {
        labels.classes = .names(try ClassNames.read(paths.find(path)))
      } else if labels.groups == nil, labels.classes == nil, let part {
        do {
          labels.classes = .names(try classesFound(labels.column, in: part, of: source))
        } catch let error as MTLFastError {
          throw MTLFastError(error.kind, "Task '\(task.name)': \(error.message)")
        }
      } else if let groups = labels.groups, case .dataset(let dataset)? = part?.content {
        try check(groups, of: task.name, column: labels.column, in: dataset)
      }
      return .labels(labels)
    }
  }

  /// A label that the training file never reaches is a mistake. Files of other parts may lack the last classes.
  private func check(_ groups: [Recipe.Group], of task: String, column: String, in dataset: Dataset) throws {
    guard let count = dataset.labels[column]?.classNames.count else { return }
    for group in groups {
      guard let label = group.labels.first(where: { $0 >= count }) else { continue }
      throw MTLFastError(
        .badData,
        "Task '\(task)': map names label \(label) in '\(group.name)' but '\(column)' has \(count) classes (0...\(count - 1))."
      )
    }
  }

  private func classesFound(_ column: String, in part: SourcePart, of source: Recipe.Source) throws -> [String] {
    switch part.content {
    case .table(let table):
      return try table.labels(column, rows: [], classes: nil, trainingRows: part.rows).classNames
    case .dataset(let dataset):
      guard let labels = dataset.labels[column] else {
        throw MTLFastError(
          .badData, unknownName("label column", column, in: part.name, known: Array(dataset.labels.keys)))
      }
      // IDX files hold no names, and rows of a fraction aren't training rows.
      if case .idx = source { return Self.numbers(part.rows.map { labels.values[$0] }) }
      return labels.classNames
    case .arrays(let arrays, let path, count: _):
      let values = try arrays.named(column, in: path).labels().values
      return Self.numbers(part.rows.map { values[$0] })
    case .masks: throw MTLFastError(.badData, "\(part.name) has masks but no labels. Use mask: mask.")
    }
  }

  /// `0`, `1`, ... up to the largest label.
  private static func numbers(_ labels: [Int32]) -> [String] {
    (0...max(1, Int(labels.max() ?? 0))).map(String.init)
  }
}

extension Recipe {
  /// The columns of a table that no task, split, image or other input uses, in the order of the table.
  fileprivate func remainingColumns(of table: CSVTable, in stream: Stream) throws -> [String] {
    var used: Set<String> = []
    for task in tasks where self.stream(ofTask: task.name)?.name == stream.name { used.formUnion(task.columns) }
    for input in inputs where input.stream == stream.name {
      if case .columns(let columns) = input.values { used.formUnion(columns) }
    }
    switch stream.source {
    case .csv(let files): if let split = files.split { used.insert(split.column) }
    case .images(let files, let images):
      if let split = files.split { used.insert(split.column) }
      used.formUnion([images.column] + images.box)
    default: break
    }
    let columns = table.header.filter { !used.contains($0) }
    guard !columns.isEmpty else {
      throw MTLFastError(
        .badData,
        "\(table.path): has no columns beside those that tasks, split and other inputs use. Name them in columns.")
    }
    return columns
  }
}

// MARK: After the columns are read

/// Fills in numbers: of normalization, parents, class weights.
struct NumberResolution {
  func resolve(_ recipe: Recipe, training: [Dataset]) throws -> Recipe {
    var resolved = recipe
    for dataset in training {
      for index in recipe.inputs.indices {
        guard recipe.inputs[index].normalization == .training,
          let column = dataset.inputs[recipe.inputs[index].name]
        else { continue }
        resolved.inputs[index].normalization = try Self.normalization(
          of: column, scale: recipe.inputs[index].scale.value)
      }
      for index in recipe.tasks.indices {
        let task = recipe.tasks[index]
        switch (task.target, dataset.targets[task.name]) {
        case (.values(var numbers), .values(let column)?) where numbers.normalization == .training:
          let found = try Standardization(of: column.values, columns: column.names.count)
          numbers.normalization = .by(mean: found.mean, standardDeviation: found.standardDeviation)
          resolved.tasks[index].target = .values(numbers)
        case (.labels(var labels), .classes(let column)?):
          guard let parent = labels.parent, parent.classes == nil,
            case .classes(let above)? = dataset.targets[parent.task]
          else { continue }
          labels.parent?.classes = try Self.parents(of: column, task: task.name, in: above, of: parent.task)
          resolved.tasks[index].target = .labels(labels)
        default: continue
        }
      }
      for index in recipe.heads.indices where recipe.heads[index].classWeights == .automatic {
        guard let target = dataset.targets[recipe.heads[index].name] else { continue }
        resolved.heads[index].classWeights = .list(try Self.classWeights(of: target, head: recipe.heads[index].name))
      }
    }
    return resolved
  }

  private static func normalization(of column: InputColumn, scale: Float) throws -> Recipe.Normalization {
    let channels = column.shape.channels
    let found =
      switch column {
      case .bytes(_, let values): try Standardization(of: values, channels: channels, scale: scale)
      case .floats(_, let values): try Standardization(of: values.map { $0 * scale }, columns: channels)
      }
    return .by(mean: found.mean, standardDeviation: found.standardDeviation)
  }

  /// For each class the one parent that its samples have.
  private static func parents(
    of column: LabelColumn, task: String, in above: LabelColumn, of parentTask: String
  ) throws -> [Int] {
    var parents = [Int?](repeating: nil, count: column.classNames.count)
    for (label, parent) in zip(column.values, above.values) where label >= 0 && parent >= 0 {
      if let other = parents[Int(label)], other != Int(parent) {
        throw MTLFastError(
          .badData,
          "Task '\(task)': class '\(column.classNames[Int(label)])' has two parents in task '\(parentTask)': '\(above.classNames[other])' and '\(above.classNames[Int(parent)])'. Leave parent out, or correct the labels."
        )
      }
      parents[Int(label)] = Int(parent)
    }
    return try parents.enumerated().map { index, parent in
      guard let parent else {
        throw MTLFastError(
          .badData,
          "Task '\(task)': no training sample tells the parent of class '\(column.classNames[index])' in task '\(parentTask)'. Name the parents: parent: {task: \(parentTask), classes: [...]}."
        )
      }
      return parent
    }
  }

  /// labels / (classes * labels of the class); 1 for a class without labels.
  private static func classWeights(of target: TargetColumn, head: String) throws -> [Float] {
    var counts: [Int]
    switch target {
    case .classes(let column):
      counts = [Int](repeating: 0, count: column.classNames.count)
      for label in column.values where label >= 0 { counts[Int(label)] += 1 }
    case .mask(let column):
      // Of 0 and of 1, or of the classes of pixels.
      var pixels = [Int](repeating: 0, count: 256)
      for value in column.values { pixels[Int(value)] += 1 }
      let isBinary = column.shape.channels > 1 || column.classNames.count == 1
      counts = Array(pixels[0..<(isBinary ? 2 : column.classNames.count)])
    case .values:
      throw MTLFastError(.usage, "Head '\(head)': class_weights are for classes and masks, but its task is numbers.")
    }
    let total = counts.reduce(0, +)
    return counts.map { $0 == 0 ? 1 : Float(Double(total) / (Double(counts.count) * Double($0))) }
  }
}
