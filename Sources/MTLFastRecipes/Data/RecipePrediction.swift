// SPDX-License-Identifier: Apache-2.0
// Samples without targets, for prediction: image files, rows of a table, arrays.

import MTLFast
import MTLFastData
import MTLFastTraining

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

extension Recipe {
  /// Image files of any size as samples, brought to the input's shape as the recipe's own images are.
  ///
  /// - Parameters:
  ///   - input: the image input that they are for; nil where there is one.
  ///   - skipsBad: leaves out files that can't be read, with a note.
  /// - Returns: the samples, and which of the files they are of.
  /// - Throws: `MTLFastError` of kind `usage` where it isn't clear for which input, otherwise as `ImageFolder.load`.
  public func predictionSamples(
    images files: [String], input name: String? = nil, skipsBad: Bool = false, threads: Int? = nil,
    notes: (String) -> Void = { _ in }
  ) throws -> (samples: Samples, kept: [Int]) {
    let images = inputs.filter { $0.shape?.isImage == true && (name == nil || $0.name == name) }
    guard let input = images.first, let shape = input.shape, images.count == 1 else {
      throw MTLFastError(
        .usage,
        images.isEmpty
          ? "Recipe '\(self.name)': has no image input\(name.map { " '\($0)'" } ?? ""), so it can't predict from images."
          : "Recipe '\(self.name)': has \(images.count) image inputs (\(images.map(\.name).joined(separator: ", "))). Name one."
      )
    }
    try requireResolved([input])
    let loaded = try ImageFolder(folder: "", files: files).load(
      shape: shape, fit: input.fit, skipsBad: skipsBad,
      threads: max(1, threads ?? ProcessInfo.processInfo.activeProcessorCount))
    for bad in loaded.bad { notes("Left out: \(bad.error.message)") }
    let samples = Samples(
      name: files.count == 1 ? files[0] : "\(files.count) images", count: loaded.kept.count,
      inputs: [input.name: input.sampleInput(loaded.column)], targets: [:])
    return (samples, loaded.kept)
  }

  /// The rows of a table as samples, of every input whose columns it has; label columns aren't needed.
  ///
  /// - Parameter skipsBad: leaves out rows whose image can't be read, with a note.
  /// - Returns: the samples, and the line of the file that each is of.
  /// - Throws: `MTLFastError` of kind `badData` where no input has all its columns, or a cell is no number.
  public func predictionSamples(
    table path: String, skipsBad: Bool = false, threads: Int? = nil, notes: (String) -> Void = { _ in }
  ) throws -> (samples: Samples, lines: [Int]) {
    let table = try CSVTable(path: path)
    var rows = Array(0..<table.rowCount)
    guard !rows.isEmpty else { throw MTLFastError(.badData, "\(path): has a header but no rows. Add rows.") }
    var bound: [String: Samples.Input] = [:]
    var lacking: [String] = []
    // Images come first: rows that lack theirs are left out of the numbers too.
    for input in inputs.filter({ $0.shape?.isImage == true }) + inputs.filter({ $0.shape?.isImage != true }) {
      switch (input.values, data.stream(named: input.stream)?.source) {
      case (.columns(let columns), _):
        guard let missing = columns.first(where: { !table.header.contains($0) }) else {
          try requireResolved([input])
          bound[input.name] = input.sampleInput(try ColumnReader.features(table, columns, rows: rows))
          continue
        }
        lacking.append("input '\(input.name)' needs column '\(missing)'")
      case (.column(_, let shape), .images(_, let column)?):
        guard let missing = ([column.column] + column.box).first(where: { !table.header.contains($0) }) else {
          try requireResolved([input])
          let loaded = try ColumnReader.imageFolder(table, column, rows: rows).load(
            shape: shape, fit: input.fit, skipsBad: skipsBad,
            threads: max(1, threads ?? ProcessInfo.processInfo.activeProcessorCount))
          for bad in loaded.bad { notes("Left out: \(bad.error.message)") }
          rows = loaded.kept.map { rows[$0] }
          bound[input.name] = input.sampleInput(loaded.column)
          continue
        }
        lacking.append("input '\(input.name)' needs column '\(missing)'")
      default: lacking.append("input '\(input.name)' is not of a table")
      }
    }
    guard !bound.isEmpty else {
      throw MTLFastError(.badData, "\(path): has the columns of no input: \(lacking.joined(separator: ", ")).")
    }
    return (Samples(name: path, count: rows.count, inputs: bound, targets: [:]), rows.map(table.line(ofRow:)))
  }

  /// The arrays of a `.npz` or `.npy` file, or of a folder of `.npy` files, as samples of every input whose array is
  /// there. A single array fits the only input whatever its name.
  ///
  /// - Throws: `MTLFastError` of kind `badData` where no input has its array, or an array another shape than its input.
  public func predictionSamples(arrays path: String) throws -> Samples {
    let arrays = try SourceReader.readArrays(path)
    var columns: [String: InputColumn] = [:]
    for input in inputs {
      guard case .column(let column, let shape) = input.values else { continue }
      let isOnly = arrays.count == 1 && inputs.count == 1
      guard let array = arrays.first(where: { $0.name == column }) ?? (isOnly ? arrays.first : nil) else { continue }
      try requireResolved([input])
      columns[input.name] = try located(path) { try array.input(shape: shape) }
    }
    guard !columns.isEmpty else {
      throw MTLFastError(
        .badData,
        "\(path): holds \(arrays.map(\.name).joined(separator: ", ")), the array of no input (\(inputs.map(\.name).joined(separator: ", ")))."
      )
    }
    // A data set checks that the arrays are of one count.
    let dataset = try Dataset(name: path, inputs: columns, targets: [:])
    return Samples(
      name: path, count: dataset.count,
      inputs: Dictionary(
        uniqueKeysWithValues: inputs.compactMap { input in
          columns[input.name].map { (input.name, input.sampleInput($0)) }
        }),
      targets: [:])
  }

  private func requireResolved(_ inputs: [Input]) throws {
    guard let input = inputs.first(where: { $0.normalization == .training }) else { return }
    throw MTLFastError(
      .usage,
      "Recipe '\(name)': the mean of input '\(input.name)' is found in the training data. Predict from a run, whose recipe holds it."
    )
  }
}
