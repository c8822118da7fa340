// SPDX-License-Identifier: Apache-2.0
// From a recipe's sources to the rows of each part: files are found and read, rows divided.

import Files
import MTLFast
import MTLFastData

/// Reads the streams of a recipe.
struct SourceReader {
  let recipe: Recipe
  let paths: DataPaths
  let skipsBad: Bool
  let threads: Int
  /// What the user should know but that stops nothing.
  let note: (String) -> Void
  private let cacheWarning = Once()

  init(recipe: Recipe, paths: DataPaths, skipsBad: Bool, threads: Int, note: @escaping (String) -> Void) {
    self.recipe = recipe
    self.paths = paths
    self.skipsBad = skipsBad
    self.threads = threads
    self.note = note
  }

  /// The parts of a stream that are there, of those wanted.
  func parts(of stream: Recipe.Stream, wanted: Set<DataPart>) throws -> [DataPart: SourcePart] {
    var parts = try givenParts(of: stream, wanted: wanted)
    switch stream.validation {
    case .none: break
    case .test:
      if wanted.contains(.validation), parts[.test] == nil {
        parts[.test] = try givenParts(of: stream, wanted: [.test])[.test]
      }
      if wanted.contains(.validation) { parts[.validation] = parts[.test] }
    case .fraction(let fraction):
      guard wanted.contains(.training) || wanted.contains(.validation) else { break }
      let whole = try parts[.training] ?? givenParts(of: stream, wanted: [.training])[.training]
      guard let divided = try whole?.divided(by: fraction) else { break }
      parts[.training] = divided.training
      parts[.validation] = divided.validation
    }
    return parts.filter { wanted.contains($0.key) }
  }

  /// The parts that the source itself names.
  private func givenParts(of stream: Recipe.Stream, wanted: Set<DataPart>) throws -> [DataPart: SourcePart] {
    switch stream.source {
    case .catalogue(let name):
      let located = try paths.search.locate(try DatasetCatalog.dataset(named: name))
      if wanted.isSuperset(of: [.training, .test]) {
        let splits = try located.loadSplits()
        return [.training: part(splits.training), .test: part(splits.test)]
      }
      var parts: [DataPart: SourcePart] = [:]
      if wanted.contains(.training) { parts[.training] = part(try located.load(split: .training)) }
      if wanted.contains(.test) { parts[.test] = part(try located.load(split: .test)) }
      return parts
    case .csv(let table), .images(let table, _): return try tableParts(table, wanted: wanted)
    case .masks(let files): return try read(files, wanted) { folders, part in try masks(folders, part, of: stream) }
    case .arrays(let files): return try read(files, wanted) { path, part in try arrays(path, part, of: stream) }
    case .idx(let files):
      return try read(files, wanted) { files, part in
        let images = try paths.find(files.images)
        return self.part(
          try IDX.dataset(name: "\(images) (\(part))", images: images, labels: try paths.find(files.labels)))
      }
    case .synthetic(let settings):
      let splits = try SyntheticTasks.simultaneous(
        seed: settings.seed, trainingCount: settings.training, testCount: max(1, settings.test))
      var parts = [DataPart.training: part(splits.training)]
      if settings.test > 0, let test = splits.test { parts[.test] = part(test) }
      return parts
    }
  }

  private func part(_ dataset: Dataset) -> SourcePart { SourcePart(name: dataset.name, content: .dataset(dataset)) }

  private func read<File>(
    _ files: Recipe.Parts<File>, _ wanted: Set<DataPart>, _ read: (File, DataPart) throws -> SourcePart
  ) throws -> [DataPart: SourcePart] {
    var parts: [DataPart: SourcePart] = [:]
    let given = [(DataPart.training, files.training as File?), (.validation, files.validation), (.test, files.test)]
    for (part, file) in given {
      if let file, wanted.contains(part) { parts[part] = try read(file, part) }
    }
    return parts
  }

  private func tableParts(_ table: Recipe.Table, wanted: Set<DataPart>) throws -> [DataPart: SourcePart] {
    guard let split = table.split else {
      return try read(table.parts, wanted) { path, part in
        let table = try CSVTable(path: try paths.find(path))
        guard table.rowCount > 0 else {
          throw MTLFastError(.badData, "\(table.path): has a header but no rows. Add rows.")
        }
        return SourcePart(name: "\(table.path) (\(part))", content: .table(table))
      }
    }
    let file = try CSVTable(path: try paths.find(table.parts.training))
    let rows = try SplitRule.column(
      split.column, training: split.parts.training, validation: split.parts.validation, test: split.parts.test
    ).rows(of: file)
    var parts: [DataPart: SourcePart] = [:]
    for (part, rows) in [(DataPart.training, rows.training), (.validation, rows.validation), (.test, rows.test)] {
      guard wanted.contains(part), !rows.isEmpty else { continue }
      parts[part] = SourcePart(name: "\(file.path) (\(part))", content: .table(file), rows: rows)
    }
    return parts
  }

  private func arrays(_ path: String, _ part: DataPart, of stream: Recipe.Stream) throws -> SourcePart {
    let found = try paths.find(path)
    let arrays = try Self.readArrays(found)
    let count = try Self.count(of: arrays, named: recipe.arrayNames(of: stream), path: found)
    return SourcePart(name: "\(found) (\(part))", content: .arrays(arrays, path: found, count: count))
  }

  /// The number of samples of the arrays that are named. Names that no array has, and single numbers, are refused where
  /// they are read.
  private static func count(of arrays: [NumPyArray], named names: [String], path: String) throws -> Int {
    let counts = names.compactMap { name in
      arrays.first { $0.name == name }.flatMap { array in array.shape.first.map { (name: name, count: $0) } }
    }
    guard let first = counts.first else { return arrays.lazy.compactMap(\.shape.first).first ?? 0 }
    if let other = counts.first(where: { $0.count != first.count }) {
      throw MTLFastError(
        .badData,
        "\(path): array '\(first.name)' has \(first.count) samples but array '\(other.name)' has \(other.count). "
          + "Give both the same samples in the same order.")
    }
    return first.count
  }

  /// The arrays of a `.npz` or `.npy` file, or of the `.npy` files of a folder.
  static func readArrays(_ path: String) throws -> [NumPyArray] {
    guard FilePath.kind(of: path) == .folder else { return try NumPyFile.read(path) }
    let files = (try Folder.names(in: path) ?? []).filter { $0.hasSuffix(".npy") && !$0.hasPrefix(".") }.sorted()
    guard !files.isEmpty else { throw MTLFastError(.missingInput, "\(path): holds no .npy files. Check the path.") }
    return try files.flatMap { try NumPyFile.read("\(path)/\($0)") }
  }

  private func masks(
    _ folders: Recipe.ImagesAndMasks, _ part: DataPart, of stream: Recipe.Stream
  ) throws -> SourcePart {
    let inputs = recipe.inputs.filter { $0.stream == stream.name }
    guard let input = inputs.first, let shape = input.shape, inputs.count == 1 else {
      throw MTLFastError(
        .usage, "Recipe '\(recipe.name)': images with masks are one input but \(inputs.map(\.name)) read them.")
    }
    let tasks = recipe.tasks.filter { recipe.stream(ofTask: $0.name)?.name == stream.name }
    let areColours = tasks.contains { task in
      if case .mask(let mask) = task.target, case .channels(let names) = mask.meaning {
        names.count == 3
      } else {
        false
      }
    }
    let folder = try MaskFolder(images: try paths.find(folders.images), masks: try paths.find(folders.masks))
    let loaded = try folder.load(
      shape: shape, maskChannels: areColours ? 3 : 1, fit: input.fit, skipsBad: skipsBad,
      cache: ImageCache(search: paths.search), threads: threads)
    report(loaded.images, of: folders.images)
    return SourcePart(
      name: "\(folders.images) (\(part))", content: .masks(images: loaded.images.column, masks: loaded.masks))
  }

  /// Says which images were left out, each of the first ten.
  func report(_ images: LoadedImages, of source: String) {
    if let first = images.bad.first, images.bad.count == 1 {
      note("\(source): 1 bad image was left out: \(first.error.message)")
    } else if !images.bad.isEmpty {
      let listed = images.bad.prefix(10)
      let more = images.bad.count - listed.count
      note(
        (["\(source): \(images.bad.count) bad images were left out:"] + listed.map { "  \($0.error.message)" }
          + (more > 0 ? ["  and \(more) more"] : [])).joined(separator: "\n"))
    }
    if let cacheNote = images.cacheNote, cacheWarning.isFirst() { note(cacheNote) }
  }

  /// What copies of a reader say once.
  private final class Once {
    private var isDone = false

    func isFirst() -> Bool {
      defer { isDone = true }
      return !isDone
    }
  }
}

extension Recipe {
  /// The arrays that inputs, tasks and `stratify` read, in this order.
  fileprivate func arrayNames(of stream: Stream) -> [String] {
    var names = inputs.compactMap { input in
      if case .column(let column, _) = input.values, input.stream == stream.name { column } else { nil }
    }
    for task in tasks where self.stream(ofTask: task.name)?.name == stream.name { names += task.columns }
    if case .fraction(let fraction) = stream.validation, let column = fraction.stratify { names.append(column) }
    return names
  }
}
