// SPDX-License-Identifier: Apache-2.0
// A page with tables and pictures that needs nothing beside itself.

import Files
import MTLFast
import MTLFastTraining

/// One HTML file: tables, pictures as inline SVG, notes. It asks no network for anything, runs no script, and reads on a
/// phone, in light and in dark.
struct ReportPage {
  let title: String
  let tables: [(title: String, table: TextTable)]
  let pictures: [Picture]
  let notes: [String]
  /// Longer texts, folded away: a recipe.
  var texts: [(title: String, text: String)] = []

  /// Writes the page; the file is whole under its name or not there.
  ///
  /// - Throws: `MTLFastError` where a picture can't be read or the page can't be written.
  func write(to path: String) throws { try DurableFile.replace(path, with: html()) }

  func html() throws -> String {
    var body = "<h1>\(Self.escaped(title))</h1>\n"
    for note in notes { body += "<p>\(Self.escaped(note))</p>\n" }
    for (title, table) in tables { body += "<h2>\(Self.escaped(title))</h2>\n\(Self.html(table))" }
    for picture in pictures {
      body += "<h2>\(Self.escaped(picture.title))</h2>\n<figure>\(try Self.inline(picture))</figure>\n"
    }
    for (title, text) in texts {
      body +=
        "<details><summary>\(Self.escaped(title))</summary>\n<pre>\(Self.escaped(text))</pre></details>\n"
    }
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8"/>
      <meta name="viewport" content="width=device-width, initial-scale=1"/>
      <meta name="color-scheme" content="light dark"/>
      <title>\(Self.escaped(title))</title>
      <style>
      \(Self.style)
      </style>
      </head>
      <body>
      <main>
      \(body)</main>
      </body>
      </html>

      """
  }

  /// A text that can't become markup, inside tags and in attributes.
  ///
  ///     ReportPage.escaped("<b> & 'c'")  // &lt;b&gt; &amp; &#39;c&#39;
  static func escaped(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      case "\n", "\t": escaped.unicodeScalars.append(scalar)
      // Neither HTML nor XML has them.
      case _ where scalar.properties.generalCategory == .control: escaped += "\u{fffd}"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }

  private static func html(_ table: TextTable) -> String {
    func row(_ cells: [String], _ tag: String) -> String {
      let cells = zip(cells, table.columns).map { cell, column in
        "<\(tag)\(column.alignment == .right ? " class=\"number\"" : "")>\(escaped(cell))</\(tag)>"
      }
      return "<tr>\(cells.joined())</tr>\n"
    }
    return "<div class=\"table\"><table>\n<thead>\n\(row(table.columns.map(\.title), "th"))</thead>\n<tbody>\n"
      + table.rows.map { row($0, "td") }.joined() + "</tbody>\n</table></div>\n"
  }

  /// The picture's SVG without what only a file of its own needs.
  private static func inline(_ picture: Picture) throws -> String {
    let whole = try WholeFile(path: picture.svgPath)
    let text = withExtendedLifetime(whole) { String(decoding: whole.bytes, as: UTF8.self) }
    guard let start = text.firstRange(of: "<svg") else {
      throw MTLFastError(.badData, "\(picture.svgPath): is no SVG picture. Draw it again.")
    }
    return "<svg role=\"img\" aria-label=\"\(escaped(picture.title))\"\(text[start.upperBound...])"
  }

  private static let style = """
    :root { color-scheme: light dark; --ink: #1d2126; --paper: #ffffff; --line: #d5d9de; --soft: #f3f5f7; }
    @media (prefers-color-scheme: dark) {
      :root { --ink: #e4e4e4; --paper: #191919; --line: #444444; --soft: #252525; }
      /* White becomes the page's colour, and blue stays blue. */
      figure svg { filter: invert(0.9) hue-rotate(180deg); }
    }
    body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
    main { max-width: 60rem; margin: 0 auto; padding: 1rem; }
    h1 { font-size: 1.6rem; overflow-wrap: anywhere; }
    h2 { font-size: 1.15rem; margin: 2rem 0 0.5rem; overflow-wrap: anywhere; }
    p, summary { overflow-wrap: anywhere; }
    .table { overflow-x: auto; }
    table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
    th, td { padding: 0.3rem 0.8rem 0.3rem 0; text-align: left; border-bottom: 1px solid var(--line); }
    th.number, td.number { text-align: right; }
    figure { margin: 0; overflow-x: auto; border: 1px solid var(--line); border-radius: 6px; padding: 0.3rem; }
    figure svg { display: block; width: 100%; min-width: 620px; height: auto; }
    details { margin: 2rem 0; }
    pre { overflow-x: auto; background: var(--soft); padding: 0.8rem; border-radius: 6px; font-size: 0.85rem; }
    """
}
