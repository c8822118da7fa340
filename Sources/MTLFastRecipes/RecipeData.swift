// SPDX-License-Identifier: Apache-2.0
// From a recipe and the data that was found to the samples that its model trains on and is scored on.

import MTLFast
import MTLFastData
import MTLFastTraining

/// Both splits of a recipe's data, bound to its inputs and heads.
public struct RecipeData: Sendable {
  public let training: Samples
  public let test: Samples
  /// By task.
  public let classNames: [String: [String]]

  /// Reads the recipe's data set.
  ///
  /// - Throws: `MTLFastError` of kind `missingInput` where it is not found, `badData` where it doesn't fit the recipe.
  public init(_ recipe: Recipe, search: DatasetSearch) throws {
    let splits = try search.locate(recipe.knownDataset()).loadSplits()
    training = try recipe.samples(of: splits.training)
    test = try recipe.samples(of: splits.test)
    classNames = try recipe.classNames(of: splits.training.labels.mapValues(\.classNames))
  }
}

extension Recipe {
  /// The catalogue's entry of the recipe's source.
  public func knownDataset() throws -> KnownDataset { try DatasetCatalog.dataset(named: data.source) }

  /// The class names of every task, as the catalogue tells them: the data need not be there.
  public func publishedClassNames() throws -> [String: [String]] {
    let labels = try knownDataset().labels
    return try classNames(
      of: Dictionary(labels.map { ($0.column, $0.classNames) }, uniquingKeysWith: { first, _ in first }))
  }

  /// The samples of one split: label columns mapped as the tasks say, inputs with their scale.
  ///
  /// A label that no group of a task's `map` names is missing (-1) for that task.
  ///
  /// - Throws: `MTLFastError` of kind `badData` for a column that is missing or doesn't fit.
  public func samples(of split: Dataset) throws -> Samples {
    var inputs: [String: Samples.Input] = [:]
    for input in self.inputs {
      guard let column = split.inputs[input.name] else {
        throw MTLFastError(
          .badData,
          "Recipe '\(name)': " + unknownName("input", input.name, in: split.name, known: split.inputs.keys.sorted()))
      }
      guard column.shape == input.shape else {
        throw MTLFastError(
          .badData,
          "Recipe '\(name)': input '\(input.name)' has shape \(input.shape) but in \(split.name) it is \(column.shape). Set inputs.\(input.name).shape to \(column.shape.dimensions)."
        )
      }
      inputs[input.name] = Samples.Input(column: column, scale: input.scale.value)
    }
    let names = try classNames(of: split.labels.mapValues(\.classNames))
    var labels: [String: LabelColumn] = [:]
    for task in tasks {
      guard let column = split.labels[task.labels], let names = names[task.name] else { continue }
      labels[task.name] = LabelColumn(values: task.mapped(column.values), classNames: names)
    }
    return Samples(name: split.name, count: split.count, inputs: inputs, labels: labels)
  }

  /// The class names of every task, by task.
  ///
  /// - Parameter columns: the class names of each label column of the data.
  /// - Throws: `MTLFastError` of kind `badData` for a column or label that the data don't have.
  func classNames(of columns: [String: [String]]) throws -> [String: [String]] {
    var names: [String: [String]] = [:]
    for task in tasks {
      guard let column = columns[task.labels] else {
        throw MTLFastError(
          .badData,
          "Task '\(task.name)': "
            + unknownName("label column", task.labels, in: data.source, known: columns.keys.sorted()))
      }
      for group in task.groups ?? [] {
        if let label = group.labels.first(where: { $0 >= column.count }) {
          throw MTLFastError(
            .badData,
            "Task '\(task.name)': map names label \(label) in '\(group.name)' but '\(task.labels)' has \(column.count) classes (0...\(column.count - 1))."
          )
        }
      }
      if let classes = task.classes, classes.count != column.count {
        throw MTLFastError(
          .badData,
          "Task '\(task.name)': classes has \(classes.count) names but '\(task.labels)' has \(column.count) classes. Name each."
        )
      }
      names[task.name] = task.classNames ?? column
    }
    return names
  }
}

extension Recipe.Task {
  /// The task's label for each of the column's; -1 stays missing.
  fileprivate func mapped(_ values: [Int32]) -> [Int32] {
    guard let groups else { return values }
    let highest = groups.flatMap(\.labels).max() ?? -1
    var group = [Int32](repeating: -1, count: highest + 1)
    for (index, labels) in groups.enumerated() {
      for label in labels.labels { group[label] = Int32(index) }
    }
    return values.map { group.indices.contains(Int($0)) ? group[Int($0)] : -1 }
  }
}
