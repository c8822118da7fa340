// SPDX-License-Identifier: Apache-2.0
// What is wrong with the indentation of a text that is no YAML.

/// A fault of indentation, and where it is.
struct IndentationFault: Equatable {
  let line: Int
  let column: Int
  let message: String
}

/// The fault of indentation that explains an error of YAML, if there is one: a tab, or spaces that fit none of the lines
/// above.
///
/// - Parameter line: counted from 1; that of the error.
func indentationFault(in text: String, line: Int) -> IndentationFault? {
  let lines = text.split(maxSplits: line, omittingEmptySubsequences: false, whereSeparator: \.isNewline).prefix(line)
    .enumerated().map { Line(number: $0 + 1, text: $1) }
  // The parser may notice a tab one line later.
  if let tab = lines.suffix(2).first(where: \.isIndentedByTab) {
    return IndentationFault(
      line: tab.number, column: tab.spaces + 1, message: "is indented by a tab. YAML indents by spaces alone.")
  }
  guard let last = lines.last, last.number == line, last.hasContent else { return nil }
  // Inside brackets, indentation means nothing.
  guard lines.dropLast().reduce(0, { $0 + $1.openedBrackets }) <= 0 else { return nil }
  /// The columns in which the entries of open mappings and lists begin.
  var open: [Int] = []
  var above: Line?
  for line in lines.dropLast() where line.hasContent {
    while let deepest = open.last, deepest > line.spaces { open.removeLast() }
    open += line.columns.filter { $0 > open.last ?? -1 }
    above = line
  }
  guard let above, let deepest = open.last, !open.contains(last.spaces) else { return nil }
  let message =
    last.spaces > deepest
    ? "is indented by \(count(last.spaces)), deeper than the line above, which holds a value already."
    : "is indented by \(count(last.spaces)), but the entries above it by \(open.map(String.init).joined(separator: ", ")). Begin it in the column of the entries that it belongs to."
  return last.spaces > deepest && !above.holdsValue
    ? nil : IndentationFault(line: last.number, column: last.spaces + 1, message: message)
}

private struct Line {
  let number: Int
  let text: Substring
  /// How many stand at its beginning.
  var spaces: Int { text.prefix { $0 == " " }.count }
  private var content: Substring { text.dropFirst(spaces) }

  var isIndentedByTab: Bool { content.first == "\t" && content.contains { !$0.isWhitespace } }
  var hasContent: Bool { content.first.map { !$0.isWhitespace && $0 != "#" } ?? false }
  /// `key: value`, not `key:`.
  var holdsValue: Bool { code.contains(": ") }
  /// Without a comment at its end.
  private var code: Substring { content.firstRange(of: " #").map { content[..<$0.lowerBound] } ?? content }
  /// How many more brackets it opens than it closes, whether they are quoted or not.
  var openedBrackets: Int {
    code.reduce(0) { $0 + ("[{".contains($1) ? 1 : "]}".contains($1) ? -1 : 0) }
  }

  /// Where its entry begins, and where what a list holds begins behind the dash.
  var columns: [Int] {
    var columns = [spaces]
    var rest = content
    while rest.hasPrefix("- ") {
      let inner = rest.dropFirst().drop { $0 == " " }
      columns.append(text.distance(from: text.startIndex, to: inner.startIndex))
      rest = inner
    }
    return columns
  }
}

/// `1 space`, `3 spaces`
private func count(_ spaces: Int) -> String { "\(spaces) space\(spaces == 1 ? "" : "s")" }
