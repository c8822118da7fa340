// SPDX-License-Identifier: Apache-2.0
// What a comparison trains, beside its recipe.

import MTLFast

/// The seeds of a comparison, and of a sweep its loss weights.
public struct ComparisonSettings: Sendable, Hashable {
  public var seeds: [UInt64]
  /// The range of a sweep, as written; nil where twins are compared.
  public var lambda: String?
  /// Of a sweep: the task by whose metric the best is chosen; nil for the mean over both.
  public var select: String?

  /// - Throws: `MTLFastError` of kind `usage` where a seed would be too large.
  public init(seed: UInt64, count: Int, lambda: String? = nil, select: String? = nil) throws {
    seeds = try (0..<count).map { index in
      let (next, overflow) = seed.addingReportingOverflow(UInt64(index))
      guard !overflow, next <= UInt64(Int.max) else {
        throw MTLFastError(.usage, "seed \(seed): \(count) seeds from there on are too large. Use a smaller one.")
      }
      return next
    }
    self.lambda = lambda
    self.select = select
  }

  var json: JSONValue {
    .object([
      "comparison": 1, "lambda": lambda.map { .string($0) } ?? .null,
      "seeds": .array(seeds.map { .integer(Int(clamping: $0)) }), "select": select.map { .string($0) } ?? .null,
    ])
  }

  /// - Throws: `MTLFastError` of kind `badData`.
  init(contentsOf path: String) throws {
    guard let stored = JSONValue(contentsOf: path), stored["comparison"]?.integer == 1,
      let seeds = stored["seeds"]?.elements?.map({ $0.integer.flatMap { UInt64(exactly: $0) } }), !seeds.isEmpty,
      !seeds.contains(nil), let lambda = stored["lambda"], let select = stored["select"],
      [lambda, select].allSatisfy({ $0 == .null || $0.string != nil })
    else { throw MTLFastError(.badData, "\(path): can't be read as a comparison's settings. It was changed.") }
    (self.seeds, self.lambda, self.select) = (seeds.compactMap { $0 }, lambda.string, select.string)
  }
}
