// SPDX-License-Identifier: Apache-2.0
// From a recipe and the data that was found to the samples that its model trains on and is scored on.

import MTLFast
import MTLFastData
import MTLFastTraining

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

/// The data of a recipe, bound to its inputs and heads.
///
///     let data = try RecipeData(recipe, search: DatasetSearch(), recipeFolder: source.folder)
///     let model = try MultiTaskModel(graph: data.resolved.modelGraph(), seed: data.resolved.training.seed)
public struct RecipeData: Sendable {
  /// The recipe with everything that was found in the training data: its model and its predictions need no data.
  public private(set) var resolved: Recipe
  public private(set) var training: Samples
  /// nil where no stream has validation data.
  public private(set) var validation: Samples?
  /// nil where no stream has test data.
  public private(set) var test: Samples?
  /// Whether a stream's test set serves as its validation data: what is selected by it has no test set left.
  public let validatesOnTest: Bool

  /// Reads the recipe's data. What the recipe says already is used; the rest is found in the training rows.
  ///
  /// - Parameters:
  ///   - recipeFolder: the folder of the recipe's file, in which its paths are looked for too.
  ///   - skipsBad: leaves out images that can't be read, with a note.
  ///   - threads: for decoding images; nil takes one for each processor.
  ///   - notes: gets what the user should know but that stops nothing.
  /// - Throws: `MTLFastError` of kind `missingInput` where data is not found, `badData` where it doesn't fit the recipe.
  public init(
    _ recipe: Recipe, search: DatasetSearch, recipeFolder: String? = nil, skipsBad: Bool = false,
    threads: Int? = nil, notes: (String) -> Void = { _ in }
  ) throws {
    try self = withoutActuallyEscaping(notes) { note in
      let binding = RecipeBinding(
        recipe: recipe, search: search, recipeFolder: recipeFolder, skipsBad: skipsBad, threads: threads, note: note)
      return try RecipeData(binding)
    }
  }

  private init(_ binding: RecipeBinding) throws {
    let recipe = binding.recipe
    let parts = try binding.parts(Set(DataPart.allCases))
    let training = try zip(recipe.data.streams, parts).map { stream, parts in
      guard let part = parts[.training] else {
        throw MTLFastError(.badData, "Recipe '\(recipe.name)': \(stream.source.description) has no training rows.")
      }
      return part
    }
    let named = try NameResolution(paths: binding.reader.paths).resolve(recipe, training: training)
    let columns = try zip(recipe.data.streams, training).map { try binding.dataset(named, $0, $1) }
    let resolved = try NumberResolution().resolve(named, training: columns)
    // A class that only other parts have is told from a misspelt one.
    let foundClasses = Set(recipe.tasks.filter { $0.names == nil }.map(\.name))
    try binding.checkClasses(of: foundClasses, in: resolved, parts)

    self.resolved = resolved
    self.training = try binding.samples(resolved, .training, columns)
    let test = try binding.columns(resolved, .test, parts)
    self.test = try binding.samples(resolved, .test, test)
    let validation = try recipe.data.streams.indices.map { index in
      recipe.data.streams[index].validation == .test
        ? test[index]
        : try parts[index][.validation].map { try binding.dataset(resolved, recipe.data.streams[index], $0) }
    }
    self.validation = try binding.samples(resolved, .validation, validation)
    validatesOnTest = recipe.validatesOnTest
    if validatesOnTest {
      binding.reader.note(
        recipe.selectsOnTest
          ? "The test set serves as validation data, as the recipe says, and what is kept of the training is selected by it: its scores there are too good."
          : "The test set serves as validation data, as the recipe says. Nothing is selected by it.")
    }
  }
}

extension RecipeData {
  /// The same data for one task alone, without reading them again: the same rows in the same order, of every stream.
  ///
  /// - Throws: `MTLFastError` as `Recipe.singleTask`.
  public func singleTask(_ task: String) throws -> RecipeData {
    var single = self
    single.resolved = try resolved.singleTask(task, keepingStreams: true)
    let inputs = single.resolved.inputs.map(\.name)
    let heads = single.resolved.heads.map(\.name)
    single.training = training.keeping(inputs: inputs, heads: heads)
    // What has no label of the task says nothing about it.
    func labelled(_ samples: Samples?) -> Samples? {
      samples?.target(of: task).flatMap { $0.presentCount > 0 ? samples?.keeping(inputs: inputs, heads: heads) : nil }
    }
    single.validation = labelled(validation)
    // Validation data of other streams select nothing of this one.
    if single.validation == nil { single.resolved.selectNothing() }
    single.test = labelled(test)
    if single.test == nil { single.resolved.training.report = .none }
    return single
  }

  /// The same data for another seed of the training; parts that are drawn have a seed of their own.
  public func with(seed: UInt64) -> RecipeData {
    var other = self
    other.resolved.training.seed = seed
    return other
  }

  /// The same data for other weights of the heads, in their order.
  public func with(weights: [Float]) -> RecipeData {
    var other = self
    for (index, weight) in zip(other.resolved.heads.indices, weights) { other.resolved.heads[index].weight = weight }
    return other
  }
}

extension Recipe {
  /// Whether some stream has test data.
  public var hasTestData: Bool { data.streams.contains { $0.source.namesTest } }
  /// Whether some stream has validation data of its own.
  public var hasValidationData: Bool {
    data.streams.contains { stream in
      if case .fraction = stream.validation { return true }
      return stream.source.namesValidation
    }
  }

  /// The test samples of a resolved recipe; nothing else is read where the test data are files of their own.
  ///
  /// - Throws: `MTLFastError` as `RecipeData`; of kind `usage` where no stream has test data.
  public func testSamples(
    search: DatasetSearch, recipeFolder: String? = nil, skipsBad: Bool = false, threads: Int? = nil,
    notes: (String) -> Void = { _ in }
  ) throws -> Samples {
    let test: Samples?
    if isResolved {
      test = try withoutActuallyEscaping(notes) { note in
        let binding = RecipeBinding(
          recipe: self, search: search, recipeFolder: recipeFolder, skipsBad: skipsBad, threads: threads, note: note)
        return try binding.samples(self, .test, binding.columns(self, .test, binding.parts([.test])))
      }
    } else {
      test = try RecipeData(
        self, search: search, recipeFolder: recipeFolder, skipsBad: skipsBad, threads: threads, notes: notes
      ).test
    }
    guard let test else {
      throw MTLFastError(.usage, "Recipe '\(name)': its data have no test part. Name one in data.")
    }
    return test
  }
}

/// Reads parts of a recipe's data and binds them.
struct RecipeBinding {
  let recipe: Recipe
  let reader: SourceReader

  init(
    recipe: Recipe, search: DatasetSearch, recipeFolder: String?, skipsBad: Bool, threads: Int?,
    note: @escaping (String) -> Void
  ) {
    self.recipe = recipe
    reader = SourceReader(
      recipe: recipe, paths: DataPaths(search: search, recipeFolder: recipeFolder), skipsBad: skipsBad,
      threads: max(1, threads ?? ProcessInfo.processInfo.activeProcessorCount), note: note)
  }

  /// The parts of each stream.
  func parts(_ wanted: Set<DataPart>) throws -> [[DataPart: SourcePart]] {
    try recipe.data.streams.map { try reader.parts(of: $0, wanted: wanted) }
  }

  func dataset(_ recipe: Recipe, _ stream: Recipe.Stream, _ part: SourcePart) throws -> Dataset {
    try ColumnReader(reader: reader, recipe: recipe, stream: stream, part: part).dataset()
  }

  /// One part's columns of each stream; nil where the stream doesn't have it.
  func columns(_ recipe: Recipe, _ part: DataPart, _ parts: [[DataPart: SourcePart]]) throws -> [Dataset?] {
    try zip(recipe.data.streams, parts).map { stream, parts in
      try parts[part].map { try dataset(recipe, stream, $0) }
    }
  }

  /// The columns as samples, one stream for each that has some.
  func samples(_ recipe: Recipe, _ part: DataPart, _ datasets: [Dataset?]) throws -> Samples? {
    let streams = datasets.compactMap { dataset in
      dataset.map { dataset in
        Samples.Stream(
          name: dataset.name, count: dataset.count,
          inputs: Dictionary(
            uniqueKeysWithValues: recipe.inputs.compactMap { input in
              dataset.inputs[input.name].map { (input.name, input.sampleInput($0, augments: part == .training)) }
            }), targets: dataset.targets)
      }
    }
    // Streams that only count rows, beside a single task's own, have nothing to be scored on.
    guard let first = streams.first, part == .training || streams.contains(where: { !$0.targets.isEmpty }) else {
      return nil
    }
    return Samples(name: recipe.data.streams.count == 1 ? first.name : "\(recipe.name) \(part)", streams: streams)
  }

  func samples(_ recipe: Recipe, _ part: DataPart, _ datasets: [Dataset]) throws -> Samples {
    guard let samples = try samples(recipe, part, datasets.map(Optional.some)) else {
      throw MTLFastError(.badData, "Recipe '\(recipe.name)': its data have no \(part) part.")
    }
    return samples
  }

  /// - Throws: `MTLFastError` of kind `badData` for a class of a table that no training row has.
  func checkClasses(of tasks: Set<String>, in resolved: Recipe, _ parts: [[DataPart: SourcePart]]) throws {
    for (stream, parts) in zip(resolved.data.streams, parts) {
      for task in resolved.tasks where tasks.contains(task.name) {
        guard resolved.stream(ofTask: task.name)?.name == stream.name, case .labels(let labels) = task.target,
          let names = task.names
        else { continue }
        for part in [DataPart.validation, .test] {
          guard let part = parts[part], case .table(let table) = part.content else { continue }
          let column = try table.column(labels.column)
          for row in part.rows {
            let text = table.label(row, column)
            guard !names.contains(text), !text.isEmpty, text != "-1" else { continue }
            throw MTLFastError(
              .badData,
              "\(table.path):\(table.line(ofRow: row)): column '\(labels.column)' is '\(text)', a class that no training row has. List every class in tasks.\(task.name).classes, or move a row of it to training (stratify: \(labels.column) does where a fraction is drawn)."
            )
          }
        }
      }
    }
  }
}

extension Recipe.Input {
  /// The column with what happens to its values on the way in.
  func sampleInput(_ column: InputColumn, augments: Bool = false) -> Samples.Input {
    var standardization: (mean: [Float], standardDeviation: [Float])?
    if case .by(let mean, let deviation) = normalization { standardization = (mean, deviation) }
    return Samples.Input(
      column: column, scale: scale.value, standardization: standardization, augmentation: augments ? augmentation : nil)
  }
}
