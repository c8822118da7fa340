// SPDX-License-Identifier: Apache-2.0
// Recipe texts that the tests start from, and the message of an error.

import MTLFast
import MTLFastRecipes
import Testing

enum RecipeTexts {
  /// A small recipe that uses every part of the format; the numbers of its lines stand in the tests.
  static let small = """
    recipe: 1
    name: small
    data: {source: fashion-mnist}
    inputs:
      image: {shape: [28, 28, 1], scale: 1/255}
    tasks:
      item: {labels: label}
      group: {labels: label, map: {shoes: [5, 7, 9], "other one": [0, 1]}}
    model:
      trunk:
        from: image
        layers:
          - conv2d: {filters: 4, kernel: 3}
          - max_pool2d: 2
          - flatten
    heads:
      item: {from: trunk, layers: [dense: 10], weight: 0.5}
      group: {from: item.logits}
    training:
      batch_size: 8
    """

  /// The small recipe with one line (counted from 1) replaced.
  static func small(line: Int, _ text: String) -> String { small([line: text]) }

  /// The small recipe with some lines (counted from 1) replaced.
  static func small(_ replacements: [Int: String]) -> String {
    let lines = small.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    return lines.map { replacements[$0 + 1] ?? String($1) }.joined(separator: "\n")
  }
}

/// The error that a body throws, with its kind in front: `badData my.yaml:1:1: is empty.`
func failure(_ body: () throws -> some Any) -> String {
  do {
    return "no error: \(try body())"
  } catch let error as MTLFastError {
    return "\(error.kind.rawValue) \(error.message)"
  } catch {
    return "another error: \(error)"
  }
}
