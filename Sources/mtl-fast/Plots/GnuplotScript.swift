// SPDX-License-Identifier: Apache-2.0
// The text that tells gnuplot what to draw.

/// A script for one picture, drawn once as PNG and once as SVG.
///
/// Names of tasks, classes and runs come into it by `quoted` alone: in single quotes gnuplot runs no commands, expands no
/// macros and knows no escapes.
struct GnuplotScript {
  let width: Int
  let height: Int
  private var blocks: [String] = []
  private var commands: [String] = []

  init(width: Int = 900, height: Int = 600) {
    self.width = width
    self.height = height
  }

  /// Adds numbers and returns the name that commands call them by.
  mutating func data(_ rows: some Sequence<String>) -> String {
    let name = "$data\(blocks.count + 1)"
    blocks.append("\(name) << END\n\(rows.map { $0 + "\n" }.joined())END\n")
    return name
  }

  mutating func add(_ command: String) { commands.append(command) }

  /// - Parameter name: the pictures' files without their ending.
  func text(writing name: String) -> String {
    let drawing = commands.joined(separator: "\n")
    return """
      set encoding utf8
      \(blocks.joined())set terminal pngcairo noenhanced size \(width),\(height) font 'DejaVu Sans,12' background '#ffffff'
      set output \(Self.quoted("\(name).png"))
      \(drawing)
      unset output
      reset
      set terminal svg noenhanced size \(width),\(height) dynamic font 'DejaVu Sans,12' fontscale 1.25 background '#ffffff'
      set output \(Self.quoted("\(name).svg"))
      \(drawing)
      unset output

      """
  }

  /// A text as gnuplot takes it; characters that no line of text can show become spaces.
  ///
  ///     GnuplotScript.quoted("Monet's")  // 'Monet''s'
  static func quoted(_ text: String) -> String {
    var quoted = "'"
    for scalar in text.unicodeScalars {
      switch scalar {
      case "'": quoted += "''"
      case _ where scalar.properties.generalCategory == .control: quoted += " "
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "'"
  }

  /// Lines of text, one below the other, cut where they are wider than a picture.
  static func quoted(lines: [String]) -> String {
    lines.map { quoted(shortened($0, to: 96)) }.joined(separator: ".\"\\n\".")
  }

  /// A name beside an axis. gnuplot takes it for a format of numbers where it holds a `%`, `noenhanced` or not, and cuts
  /// what comes of it after 49 bytes, in the middle of a character.
  ///
  ///     GnuplotScript.ticLabel("100% cotton")  // '100%% cotton'
  static func ticLabel(_ text: String) -> String {
    guard text.utf8.contains(UInt8(ascii: "%")) else { return quoted(text) }
    var (label, bytes) = ("", 0)
    for scalar in text.unicodeScalars {
      bytes += UTF8.width(scalar)
      guard bytes < 50 else { break }
      label += scalar == "%" ? "%%" : String(scalar)
    }
    return quoted(label)
  }

  /// A text of at most `count` characters.
  static func shortened(_ text: String, to count: Int) -> String {
    text.count <= count ? text : "\(text.prefix(count - 1))\u{2026}"
  }

  /// With the digits of a `Float`: more can't be seen.
  static func number(_ value: Double) -> String {
    let number = Float(value)
    return number.isFinite ? "\(number)" : "NaN"
  }

  /// Colours that the colour-blind can tell apart (Okabe and Ito, Color Universal Design, 2008), without the yellow that
  /// is lost on white.
  static let colors = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
  static func color(_ index: Int) -> String { colors[index % colors.count] }
}
