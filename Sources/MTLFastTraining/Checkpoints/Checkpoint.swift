// SPDX-License-Identifier: Apache-2.0
// A checkpoint: everything that training made, with its recipe, in one safetensors file that proves itself whole.

import Files
import MTLFast

/// Everything that is needed to go on with a training or to use what it made.
///
///     try Checkpoint(state: trainer.state(), recipe: text, tasks: ["item", "group"]).write(to: path)
///     try trainer.restore(Checkpoint.read(from: path).state)
///
/// The file's tensors are the parameters and then the optimizer's slots, in the order of the graph. `__metadata__` holds
///
/// - `format`: `mtl-fast checkpoint 1`; `version`: of the library that wrote it
/// - `recipe`: the resolved recipe
/// - `step`, `epoch`, `step_in_epoch`, `seed`: decimal
/// - `parameters`: how many of the tensors are parameters; the rest are slots
/// - `sum.0`, `sum.1`, ...: a head's sums of the epoch that is running: the bits of loss and weight as 16 hexadecimal digits
///   each, present, its counts joined by commas, the bits of its other sums joined by commas, and the head's name, with
///   single spaces between; `-` stands for sums that are all zero, as between epochs
/// - `saved.KEY`: what callbacks saved
/// - `instruction_set`: of the kernels, where it is known
/// - `sha256`: of the whole file as it is with 64 zeros in this place
///
/// Nothing in it depends on time, host, path or the number of threads: the same training makes the same bytes.
public struct Checkpoint: Sendable {
  public var state: TrainingState
  /// The resolved recipe, YAML.
  public var recipe: String
  /// The names that `state.sums` belong to, in the order of the heads.
  public var tasks: [String]

  public init(state: TrainingState, recipe: String, tasks: [String]) {
    self.state = state
    self.recipe = recipe
    self.tasks = tasks
  }

  static let format = "mtl-fast checkpoint 1"
  private static let checksumDigits = 64
  /// Stands in no other place of a header: inside a text, a backslash comes before each quote.
  private static let checksumKey = Array("\"sha256\":\"".utf8)

  // MARK: Writing

  /// Writes the file. It has its name only when it is whole and on the disk.
  ///
  /// - Throws: `MTLFastError` of kind `writeFailed` where that fails: nothing is left behind, and what was there before
  ///   stays. `usage` where sums and tasks don't match, or tensors don't fit the format.
  public func write(to path: String) throws {
    guard tasks.count == state.sums.count else {
      throw MTLFastError(.usage, "A checkpoint of \(state.sums.count) heads can't have \(tasks.count) task names.")
    }
    let file = Safetensors(metadata: metadata, tensors: state.parameters + state.slots)
    var header = try file.header()
    guard let place = header.withUnsafeBytes({ Self.checksumPlace($0, in: 8..<$0.count) }) else {
      throw MTLFastError(.system, "\(path): the header has no place for the checksum.")
    }
    // The disk works on what is written while the rest is hashed; the checksum takes its place at the end.
    let target = try DurableFile(replacing: path)
    var hasher = try Digest(.sha256)
    try header.withUnsafeBytes {
      try target.append($0)
      try hasher.update($0)
    }
    try file.forEachValues { try target.append($0) }
    target.startWriting()
    try file.forEachValues { try hasher.update($0) }
    header.replaceSubrange(place, with: try hasher.finish().utf8)
    try header.withUnsafeBytes { try target.overwriteStart(with: $0) }
    try target.commit()
  }

  private var metadata: [String: String] {
    var texts = [
      "format": Self.format, "version": MTLFastVersion.number, "recipe": recipe, "step": "\(state.step)",
      "epoch": "\(state.epoch)", "step_in_epoch": "\(state.stepInEpoch)", "seed": "\(state.seed)",
      "parameters": "\(state.parameters.count)", "sha256": String(repeating: "0", count: Self.checksumDigits),
    ]
    for (key, value) in state.saved { texts["saved.\(key)"] = value }
    if !state.instructionSet.isEmpty { texts["instruction_set"] = state.instructionSet }
    for (index, (sum, task)) in zip(state.sums, tasks).enumerated() {
      func joined<Value: Numeric>(_ values: [Value], _ text: (Value) -> String) -> String {
        values.allSatisfy { $0 == 0 } ? "-" : values.map(text).joined(separator: ",")
      }
      let counts = joined(sum.counts) { "\($0)" }
      let sums = joined(sum.sums, Self.bits)
      texts["sum.\(index)"] = "\(Self.bits(sum.loss)) \(Self.bits(sum.weight)) \(sum.present) \(counts) \(sums) \(task)"
    }
    return texts
  }

  /// 16 hexadecimal digits.
  private static func bits(_ value: Double) -> String {
    let digits = String(value.bitPattern, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  // MARK: Reading

  /// Reads a file that `write(to:)` wrote. The checksum comes first: nothing of a damaged file is believed.
  ///
  /// - Throws: `MTLFastError` of kind `missingInput` where the file can't be opened, `badData` where it can't be used.
  public static func read(from path: String) throws -> Checkpoint {
    let file = try WholeFile(path: path)
    return try withExtendedLifetime(file) { try Checkpoint(file.bytes, path: path) }
  }

  /// - Parameters:
  ///   - bytes: the whole file.
  ///   - path: its name, for errors.
  init(_ bytes: UnsafeRawBufferPointer, path: String) throws {
    let header = try Safetensors.headerRange(bytes, path: path)
    let place = Self.checksumPlace(bytes, in: header)
    if let place { try Self.verify(bytes, checksumAt: place, path: path) }
    let file = try Safetensors(bytes, path: path)
    guard let format = file.metadata["format"], format.hasPrefix("mtl-fast checkpoint ") else {
      throw MTLFastError(
        .badData,
        "\(path): is a safetensors file but no checkpoint of mtl-fast: its metadata names no format '\(Self.format)'.")
    }
    guard format == Self.format else {
      throw MTLFastError(
        .badData,
        "\(path): is of format \(inQuotes(format)) but mtl-fast \(MTLFastVersion.number) reads '\(Self.format)'. Use the mtl-fast that wrote it."
      )
    }
    guard place != nil else {
      throw MTLFastError(
        .badData, "\(path): has no checksum, so it may be damaged. Use the checkpoint before it.")
    }
    self = try Fields(texts: file.metadata, path: path).checkpoint(file.tensors)
  }

  /// Where the 64 digits of the checksum are.
  private static func checksumPlace(_ bytes: UnsafeRawBufferPointer, in header: Range<Int>) -> Range<Int>? {
    let key = checksumKey
    let length = key.count + checksumDigits + 1
    guard header.count >= length else { return nil }
    for start in header.lowerBound...(header.upperBound - length)
    where bytes[start] == key[0] && bytes[start + 1] == key[1] {
      guard bytes[start..<start + key.count].elementsEqual(key) else { continue }
      return start + key.count..<start + key.count + checksumDigits
    }
    return nil
  }

  private static func verify(_ bytes: UnsafeRawBufferPointer, checksumAt place: Range<Int>, path: String) throws {
    let stored = bytes[place]
    var hasher = try Digest(.sha256)
    try hasher.update(UnsafeRawBufferPointer(rebasing: bytes[..<place.lowerBound]))
    try [UInt8](repeating: UInt8(ascii: "0"), count: checksumDigits).withUnsafeBytes { try hasher.update($0) }
    try hasher.update(UnsafeRawBufferPointer(rebasing: bytes[place.upperBound...]))
    let computed = try hasher.finish()
    guard !stored.elementsEqual(computed.utf8) else { return }
    let shown = String(String.UnicodeScalarView(stored.map { (0x21..<0x7f).contains($0) ? Unicode.Scalar($0) : "?" }))
    throw MTLFastError(
      .badData,
      "\(path): the checksum doesn't match: stored \(shown), computed \(computed); the file is damaged. Use the checkpoint before it."
    )
  }
}

/// The texts of the metadata, read strictly.
private struct Fields {
  let texts: [String: String]
  let path: String

  func checkpoint(_ tensors: [Safetensors.Tensor]) throws -> Checkpoint {
    let parameters: Int = try number("parameters")
    guard parameters <= tensors.count else {
      throw MTLFastError(
        .badData, "\(path): the metadata name \(parameters) parameters but the file has \(tensors.count) tensors.")
    }
    var sums: [TaskSum] = []
    var tasks: [String] = []
    while let text = texts["sum.\(sums.count)"] {
      let parts = text.split(separator: " ", maxSplits: 5, omittingEmptySubsequences: false)
      guard parts.count == 6, let loss = bits(parts[0]), let weight = bits(parts[1]), let present = Int(parts[2]),
        present >= 0, let counts = list(parts[3], { Int($0).flatMap { $0 >= 0 ? $0 : nil } }),
        let others = list(parts[4], bits)
      else { throw wrong("sum.\(sums.count)") }
      sums.append(TaskSum(loss: loss, weight: weight, present: present, counts: counts, sums: others))
      tasks.append(String(parts[5]))
    }
    return Checkpoint(
      state: TrainingState(
        parameters: Array(tensors[..<parameters]), slots: Array(tensors[parameters...]), step: try number("step"),
        epoch: try number("epoch"), stepInEpoch: try number("step_in_epoch"), sums: sums, seed: try number("seed"),
        saved: Dictionary(
          uniqueKeysWithValues: texts.compactMap { key, value in
            key.hasPrefix("saved.") ? (String(key.dropFirst("saved.".count)), value) : nil
          }), instructionSet: texts["instruction_set"] ?? ""),
      recipe: try text("recipe"), tasks: tasks)
  }

  private func bits(_ digits: Substring) -> Double? {
    guard digits.utf8.count == 16 else { return nil }
    return UInt64(digits, radix: 16).map { Double(bitPattern: $0) }
  }

  /// nil where an entry can't be read; `-` is an empty list.
  private func list<Value>(_ text: Substring, _ value: (Substring) -> Value?) -> [Value]? {
    guard text != "-" else { return [] }
    let values = text.split(separator: ",", omittingEmptySubsequences: false).map(value)
    return values.contains { $0 == nil } ? nil : values.compactMap { $0 }
  }

  private func text(_ key: String) throws -> String {
    guard let text = texts[key] else { throw MTLFastError(.badData, "\(path): the metadata have no '\(key)'.") }
    return text
  }

  /// A number that is not negative.
  private func number<Number: FixedWidthInteger>(_ key: String) throws -> Number {
    guard let number = Number(try text(key)), number >= 0 else { throw wrong(key) }
    return number
  }

  private func wrong(_ key: String) -> MTLFastError {
    MTLFastError(.badData, "\(path): the metadata's '\(key)' is \(inQuotes(texts[key] ?? "")), which can't be read.")
  }
}
