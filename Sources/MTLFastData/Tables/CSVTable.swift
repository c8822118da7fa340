// SPDX-License-Identifier: Apache-2.0
// A table of text: CSV as of RFC 4180, with a header row.

import MTLFast

/// A CSV file in memory: a header row and rows of as many fields.
///
/// Fields may be quoted (RFC 4180): a quoted field may hold commas, line breaks and quotes that are doubled. Lines end
/// with LF or CRLF; the text is UTF-8, with or without a byte order mark. Lines that are empty at the end don't count.
///
///     let table = try CSVTable(text: "name,size\n\"a, b\",3\n", path: "t.csv")
///     table[0, 0]                             // "a, b"
///     try table.column("size")                // 1
///
/// The bytes are kept once and every field as a range of them, 8 bytes a field.
public struct CSVTable: Sendable {
  /// For messages.
  public let path: String
  public let header: [String]
  private let bytes: [UInt8]
  /// For each field of the rows, row-major.
  private let fields: [Field]
  /// The line that each row begins on, 1-based.
  private let lines: [Int32]

  /// Where a field's text lies in the bytes, without its quotes.
  private struct Field {
    let start: UInt32
    /// The highest bit says that the text holds doubled quotes.
    let lengthAndFlag: UInt32

    init(_ range: Range<Int>, hasDoubledQuotes: Bool) {
      start = UInt32(range.lowerBound)
      lengthAndFlag = UInt32(range.count) | (hasDoubledQuotes ? 1 << 31 : 0)
    }

    var range: Range<Int> { Int(start)..<Int(start) + Int(lengthAndFlag & ~(1 << 31)) }
    var hasDoubledQuotes: Bool { lengthAndFlag >> 31 == 1 }
  }

  /// Reads a file, plain or gzip.
  ///
  /// - Throws: `MTLFastError` of kind `missingInput` where it can't be opened, `badData` where it is no table; the line
  ///   is named: `t.csv:7: has 3 fields but the header has 4. ...`.
  public init(path: String) throws {
    try self.init(bytes: try InflatingFile(path: path).wholeContent(limit: Self.largestFile), path: path)
  }

  /// - Parameter path: what messages call the text.
  public init(text: String, path: String) throws { try self.init(bytes: Array(text.utf8), path: path) }

  private static let largestFile = Int(Int32.max)

  init(bytes: [UInt8], path: String) throws {
    guard bytes.count <= Self.largestFile else {
      throw MTLFastError(
        .badData, "\(path): has \(bytes.count) bytes but a table has at most \(Self.largestFile). Split the file.")
    }
    if let line = Self.firstLineThatIsNotUTF8(bytes) {
      throw MTLFastError(.badData, "\(path):\(line): is not UTF-8 text. Save the table as UTF-8.")
    }
    var scanner = Scanner(bytes: bytes, path: path)
    guard let names = try scanner.nextRow() else {
      throw MTLFastError(.badData, "\(path):1: is empty. The first line has to name the columns.")
    }
    let header = names.map { Self.text(of: $0, in: bytes) }
    for (index, name) in header.enumerated() {
      if let first = header[..<index].firstIndex(of: name) {
        throw MTLFastError(
          .badData,
          "\(path):1: columns \(first + 1) and \(index + 1) are both named '\(name)'. Rename one of them.")
      }
    }
    var fields: [Field] = []
    var lines: [Int32] = []
    while try scanner.appendRow(to: &fields, width: header.count) { lines.append(Int32(scanner.rowLine)) }
    self.path = path
    self.header = header
    self.bytes = bytes
    self.fields = fields
    self.lines = lines
  }

  public var rowCount: Int { lines.count }

  /// The text of a field, without quotes.
  public subscript(row: Int, column: Int) -> String { Self.text(of: fields[row * header.count + column], in: bytes) }

  /// The line that a row begins on, 1-based: the header is on line 1, and a quoted field may span lines.
  public func line(ofRow row: Int) -> Int { Int(lines[row]) }

  /// The index of a column.
  ///
  /// - Throws: `MTLFastError` of kind `badData` that lists the columns and the nearest name.
  public func column(_ name: String) throws -> Int {
    guard let index = header.firstIndex(of: name) else {
      throw MTLFastError(.badData, "\(path):1: " + unknownName("column", name, in: "the header", known: header))
    }
    return index
  }

  /// Passes the UTF-8 bytes of a field, without quotes.
  func withBytes<Result>(_ row: Int, _ column: Int, _ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    let field = fields[row * header.count + column]
    guard !field.hasDoubledQuotes else {
      return Array(Self.text(of: field, in: bytes).utf8).withUnsafeBytes(body)
    }
    return bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[field.range])) }
  }

  /// `t.csv:7`, the place of a row for messages.
  func place(ofRow row: Int) -> String { "\(path):\(line(ofRow: row))" }

  private static func text(of field: Field, in bytes: [UInt8]) -> String {
    let text = String(decoding: bytes[field.range], as: UTF8.self)
    return field.hasDoubledQuotes ? text.replacing("\"\"", with: "\"") : text
  }

  private static func firstLineThatIsNotUTF8(_ bytes: [UInt8]) -> Int? {
    if bytes.withUnsafeBytes({ String(validating: $0, as: UTF8.self) }) != nil { return nil }
    var line = 1
    for part in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      if String(validating: part, as: UTF8.self) == nil { return line }
      line += 1
    }
    return line
  }

  // MARK: Scanner

  /// Goes over the bytes once, row by row.
  private struct Scanner {
    let bytes: [UInt8]
    let path: String
    private var at = 0
    private var line = 1
    /// The line that the last row began on.
    private(set) var rowLine = 0

    private static let quote = UInt8(ascii: "\"")
    private static let comma = UInt8(ascii: ",")
    private static let newline = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    init(bytes: [UInt8], path: String) {
      self.bytes = bytes
      self.path = path
      if bytes.starts(with: [0xef, 0xbb, 0xbf]) { at = 3 }
    }

    /// The header; nil where there is none.
    mutating func nextRow() throws -> [Field]? {
      var row: [Field] = []
      return try appendRow(to: &row, width: nil) ? row : nil
    }

    /// Appends the fields of the next row; false at the end.
    mutating func appendRow(to fields: inout [Field], width: Int?) throws -> Bool {
      guard !isAtEnd() else { return false }
      rowLine = line
      let first = fields.count
      try bytes.withUnsafeBufferPointer { bytes in
        while true {
          fields.append(try field(in: bytes))
          guard at < bytes.count else { break }
          let separator = bytes[at]
          at += 1
          if separator == Self.comma { continue }
          // A carriage return is only left here before a newline.
          if separator == Self.carriageReturn { at += 1 }
          line += 1
          break
        }
      }
      let count = fields.count - first
      if let width, count != width {
        throw MTLFastError(
          .badData,
          "\(path):\(rowLine): has \(count) fields but the header has \(width). "
            + "Quote fields that hold commas, or add what is missing.")
      }
      return true
    }

    /// Whether nothing but line ends follows.
    private func isAtEnd() -> Bool {
      guard at < bytes.count else { return true }
      guard bytes[at] == Self.newline || bytes[at] == Self.carriageReturn else { return false }
      return bytes[at...].allSatisfy { $0 == Self.newline || $0 == Self.carriageReturn }
    }

    /// The field that begins here; leaves `at` on the comma or line end after it.
    private mutating func field(in bytes: UnsafeBufferPointer<UInt8>) throws -> Field {
      if at < bytes.count, bytes[at] == Self.quote { return try quotedField(in: bytes) }
      let start = at
      while at < bytes.count, bytes[at] != Self.comma, !isLineEnd(bytes) {
        guard bytes[at] != Self.quote else {
          throw MTLFastError(
            .badData,
            "\(path):\(line): has a quote inside a field that doesn't begin with one. "
              + "Quote the whole field and double the quote.")
        }
        at += 1
      }
      return Field(start..<at, hasDoubledQuotes: false)
    }

    private mutating func quotedField(in bytes: UnsafeBufferPointer<UInt8>) throws -> Field {
      let opened = line
      at += 1
      let start = at
      var hasDoubledQuotes = false
      while at < bytes.count {
        if bytes[at] == Self.newline { line += 1 }
        guard bytes[at] == Self.quote else {
          at += 1
          continue
        }
        guard at + 1 < bytes.count, bytes[at + 1] == Self.quote else {
          let end = at
          at += 1
          guard at == bytes.count || bytes[at] == Self.comma || isLineEnd(bytes) else {
            throw MTLFastError(
              .badData, "\(path):\(line): goes on after the quote that ends a field. Double quotes inside a field.")
          }
          return Field(start..<end, hasDoubledQuotes: hasDoubledQuotes)
        }
        hasDoubledQuotes = true
        at += 2
      }
      throw MTLFastError(.badData, "\(path):\(opened): opens a quote that is never closed. Close it.")
    }

    private func isLineEnd(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
      if bytes[at] == Self.newline { return true }
      return bytes[at] == Self.carriageReturn && at + 1 < bytes.count && bytes[at + 1] == Self.newline
    }
  }
}
