// SPDX-License-Identifier: Apache-2.0
// From a recipe and the data that was found to the samples that its model trains on and is scored on.

import MTLFast
import MTLFastData
import MTLFastTraining

/// Both splits of a recipe's data, bound to its inputs and heads.
public struct RecipeData: Sendable {
  public let resolved: Recipe
  public let training: Samples
  public let test: Samples

  /// Reads the recipe's data set.
  ///
  /// - Throws: `MTLFastError` of kind `missingInput` where it is not found, `badData` where it doesn't fit the recipe.
  public init(_ recipe: Recipe, search: DatasetSearch) throws {
    resolved = try recipe.withPublishedClasses()
    let splits = try search.locate(recipe.knownDataset()).loadSplits()
    training = try resolved.samples(of: splits.training)
    test = try resolved.samples(of: splits.test)
  }
}

extension Recipe {
  /// The catalogue's entry of the recipe's source.
  public func knownDataset() throws -> KnownDataset {
    guard let source = data.streams.first?.source, case .catalogue(let name) = source else {
      throw MTLFastError(.usage, "Recipe '\(name)': its data are no known data set.")
    }
    return try DatasetCatalog.dataset(named: name)
  }

  /// This recipe with the class names that the catalogue tells: its model needs no data then.
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
      inputs[input.name] = Samples.Input(column: column, scale: input.scale.value)
    }
    var labels: [String: LabelColumn] = [:]
    for task in tasks {
      guard case .labels(let target) = task.target, let column = split.labels[target.column], let names = task.names
      else { continue }
      labels[task.name] = LabelColumn(values: target.mapped(column.values), classNames: names)
    }
    return Samples(name: split.name, count: split.count, inputs: inputs, labels: labels)
  }
}

extension Recipe.Labels {
  /// The task's label for each of the column's; -1 stays missing.
  func mapped(_ values: [Int32]) -> [Int32] {
    guard let groups else { return values }
    let highest = groups.flatMap(\.labels).max() ?? -1
    var group = [Int32](repeating: -1, count: highest + 1)
    for (index, labels) in groups.enumerated() {
      for label in labels.labels { group[label] = Int32(index) }
    }
    return values.map { group.indices.contains(Int($0)) ? group[Int($0)] : -1 }
  }
}
