// SPDX-License-Identifier: Apache-2.0
// A drawn picture and its files.

import MTLFast

/// A picture that was drawn, as SVG and as PNG beside each other.
struct Picture: Equatable {
  let title: String
  /// The files' name without an ending.
  let name: String
  let folder: String

  var svgPath: String { "\(folder)/\(name).svg" }
  var pngPath: String { "\(folder)/\(name).png" }

  /// Parts of a name as a file's name: letters, digits, `.`, `_` and `-`.
  ///
  ///     Picture.fileName("art/style", "loss")  // art-style-loss
  static func fileName(_ parts: String...) -> String {
    parts.map { part in
      String(
        part.map { character in
          character.isASCII && (character.isLetter || character.isNumber || "._-".contains(character)) ? character : "-"
        })
    }.joined(separator: "-")
  }
}

extension Metric {
  /// What stands at an axis: with the unit, `accuracy (%)`.
  var axisTitle: String {
    switch self {
    case .meanAbsoluteError, .rootMeanSquaredError: "\(title) (in the target's unit)"
    default: isShare ? "\(title) (%)" : title
    }
  }

  /// A value as the axis counts it.
  func axisValue(_ value: Double) -> Double { isShare ? 100 * value : value }
}
