// SPDX-License-Identifier: Apache-2.0
// A number that can be set: its name, its range and what it means, said once.

import Files

/// A setting of an `Owner`, under its name in recipes.
package struct Setting<Owner>: @unchecked Sendable {
  package let name: String
  package let range: NumberRange
  /// What it means, in a sentence without a full stop.
  package let sentence: String
  package let path: WritableKeyPath<Owner, Float>

  package init(_ name: String, _ range: NumberRange, _ sentence: String, _ path: WritableKeyPath<Owner, Float>) {
    self.name = name
    self.range = range
    self.sentence = sentence
    self.path = path
  }

  /// In words: `learning rate`.
  package var title: String { String(name.map { $0 == "_" ? " " : $0 }) }

  /// - Parameter place: what messages begin with: `optimizer`.
  /// - Throws: `MTLFastError` of kind `usage` where an owner's value is outside the range.
  func check(_ owner: Owner, _ place: String) throws {
    let value = owner[keyPath: path]
    guard range.contains(Double(value)) else {
      throw MTLFastError(.usage, "\(place): \(name) is \(value). Use \(range).")
    }
  }
}
