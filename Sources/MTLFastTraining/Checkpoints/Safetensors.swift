// SPDX-License-Identifier: Apache-2.0
// The safetensors format: named float tensors and a few texts in one file.

import Files
import MTLFast

/// The content of a safetensors file whose tensors are all F32.
///
///     let file = Safetensors(metadata: ["made_by": "me"], tensors: [.init(name: "w", dimensions: [2], values: [1, 2])])
///     try file.write(to: "w.safetensors")
///     try Safetensors.read(from: "w.safetensors").tensors[0].values  // [1.0, 2.0]
///
/// A file is the length of the header (8 bytes, little-endian), the header (JSON), and the tensors' values
/// (little-endian) without gaps:
///
///     {"__metadata__":{"made_by":"me"},"w":{"data_offsets":[0,8],"dtype":"F32","shape":[2]}}
///
/// Tensors stand in the order given, other keys sorted: the same content makes the same bytes. Spaces fill the header up,
/// so that the data start on a multiple of 8 bytes. (Hugging Face, *Safetensors format*, 2022.)
public struct Safetensors: Sendable, Equatable {
  public typealias Tensor = TrainingState.Tensor

  public var metadata: [String: String]
  public var tensors: [Tensor]

  public init(metadata: [String: String] = [:], tensors: [Tensor]) {
    self.metadata = metadata
    self.tensors = tensors
  }

  /// The largest header, in bytes, that is read or written: the limit of the format's own library.
  static let maximumHeaderBytes = 100_000_000

  // MARK: Writing

  /// Writes the file; what was there under that name stays whole until the new one is.
  ///
  /// - Throws: `MTLFastError` of kind `writeFailed`; `usage` where a name comes twice or is `__metadata__`, or where the
  ///   number of values isn't what the shape says.
  public func write(to path: String) throws {
    let file = try DurableFile(replacing: path)
    try header().withUnsafeBytes { try file.append($0) }
    try forEachValues { try file.append($0) }
    try file.commit()
  }

  /// The file up to the data: length, JSON, spaces.
  func header() throws -> [UInt8] {
    var text = "{"
    if !metadata.isEmpty {
      let texts = metadata.mapValues { JSONValue.string($0) }
      text += "\"\(SafetensorsHeader.metadataKey)\":\(JSONValue.object(texts).text)"
    }
    var names: Set<String> = [SafetensorsHeader.metadataKey]
    var offset = 0
    for tensor in tensors {
      guard names.insert(tensor.name).inserted else {
        throw MTLFastError(.usage, "Tensor \(inQuotes(tensor.name)): the name is taken. Give each tensor its own.")
      }
      guard let bytes = Self.byteCount(tensor.dimensions), bytes == 4 * tensor.values.count else {
        throw MTLFastError(
          .usage,
          "Tensor \(inQuotes(tensor.name)): \(tensor.values.count) values can't have the shape \(tensor.dimensions).")
      }
      if text.utf8.count > 1 { text += "," }
      JSONValue.string(tensor.name).write(to: &text)
      text += ":"
      JSONValue.object([
        "dtype": "F32", "shape": .array(tensor.dimensions.map { .integer($0) }),
        "data_offsets": .array([.integer(offset), .integer(offset + bytes)]),
      ]).write(to: &text)
      offset += bytes
    }
    text += "}"
    text += String(repeating: " ", count: (8 - text.utf8.count % 8) % 8)
    guard text.utf8.count <= Self.maximumHeaderBytes else {
      throw MTLFastError(
        .usage, "The safetensors header has \(text.utf8.count) bytes; at most \(Self.maximumHeaderBytes) can be read.")
    }
    return withUnsafeBytes(of: UInt64(text.utf8.count).littleEndian, Array.init) + Array(text.utf8)
  }

  /// Calls `body` with each tensor's values as the file holds them, in order.
  func forEachValues(_ body: (UnsafeRawBufferPointer) throws -> Void) rethrows {
    for tensor in tensors {
      #if _endian(little)
        try tensor.values.withUnsafeBytes(body)
      #else
        try tensor.values.map(\.bitPattern.littleEndian).withUnsafeBytes(body)
      #endif
    }
  }

  /// nil where the product is too large or a dimension negative.
  private static func byteCount(_ dimensions: [Int]) -> Int? {
    var bytes = 4
    for dimension in dimensions {
      let (product, overflow) = bytes.multipliedReportingOverflow(by: dimension)
      guard dimension >= 0, !overflow else { return nil }
      bytes = product
    }
    return bytes
  }

  // MARK: Reading

  /// Reads a file strictly: what isn't exactly the format, or not F32, is refused. No size that the file claims is
  /// believed before it was compared with the file's own.
  ///
  /// - Throws: `MTLFastError` of kind `missingInput` where the file can't be opened, `badData` where it can't be used.
  public static func read(from path: String) throws -> Safetensors {
    let file = try WholeFile(path: path)
    return try withExtendedLifetime(file) { try Safetensors(file.bytes, path: path) }
  }

  /// - Parameters:
  ///   - bytes: the whole file.
  ///   - path: its name, for errors.
  init(_ bytes: UnsafeRawBufferPointer, path: String) throws {
    let range = try Self.headerRange(bytes, path: path)
    let header = try SafetensorsHeader(UnsafeRawBufferPointer(rebasing: bytes[range]), path: path)
    let data = UnsafeRawBufferPointer(rebasing: bytes[range.upperBound...])
    for entry in header.entries { try Self.check(entry, dataBytes: data.count, path: path) }
    try Self.checkCoverage(header.entries, dataBytes: data.count, path: path)
    metadata = header.metadata
    tensors = try header.entries.map { entry in
      Tensor(
        name: entry.name, dimensions: entry.dimensions,
        values: try Self.values(UnsafeRawBufferPointer(rebasing: data[entry.begin..<entry.end]), path: path))
    }
  }

  /// Where the JSON is.
  static func headerRange(_ bytes: UnsafeRawBufferPointer, path: String) throws -> Range<Int> {
    guard bytes.count >= 8 else {
      throw MTLFastError(
        .badData,
        "\(path): has \(bytes.count) bytes, fewer than the 8 that a safetensors file starts with. It is damaged.")
    }
    let claimed = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
    guard claimed <= UInt64(bytes.count - 8) else {
      throw MTLFastError(
        .badData,
        "\(path): the header claims \(claimed) bytes but \(bytes.count - 8) follow. The file is damaged or no safetensors file."
      )
    }
    guard claimed <= UInt64(maximumHeaderBytes) else {
      throw MTLFastError(
        .badData, "\(path): the header claims \(claimed) bytes; at most \(maximumHeaderBytes) can be read.")
    }
    return 8..<8 + Int(claimed)
  }

  private static func check(_ entry: SafetensorsHeader.Entry, dataBytes: Int, path: String) throws {
    func refused(_ what: String) -> MTLFastError {
      MTLFastError(.badData, "\(path): tensor \(inQuotes(entry.name)) \(what)")
    }
    let offsets = "data_offsets [\(entry.begin), \(entry.end)]"
    guard entry.type == "F32" else { throw refused("is of type \(inQuotes(entry.type)). Only F32 can be read.") }
    guard entry.begin <= entry.end else { throw refused("has \(offsets), which end before they begin.") }
    guard entry.end <= dataBytes else { throw refused("has \(offsets) but the file has \(dataBytes) bytes of data.") }
    guard byteCount(entry.dimensions) == entry.end - entry.begin else {
      // Bounded, since a header may name a million dimensions.
      let sizes = entry.dimensions.prefix(8).map(String.init) + (entry.dimensions.count > 8 ? ["..."] : [])
      let bytes = byteCount(entry.dimensions).map { "is \($0) bytes" } ?? "is too large"
      throw refused("has the shape [\(sizes.joined(separator: ", "))], which \(bytes), and \(offsets).")
    }
  }

  /// Every byte of the data belongs to exactly one tensor.
  private static func checkCoverage(_ entries: [SafetensorsHeader.Entry], dataBytes: Int, path: String) throws {
    var end = 0
    for entry in entries.sorted(by: { ($0.begin, $0.end) < ($1.begin, $1.end) }) {
      guard entry.begin == end else {
        throw MTLFastError(
          .badData,
          "\(path): tensor \(inQuotes(entry.name)) begins at byte \(entry.begin) of the data but the one before ends at \(end)."
        )
      }
      end = entry.end
    }
    guard end == dataBytes else {
      throw MTLFastError(.badData, "\(path): \(dataBytes - end) bytes follow the last tensor.")
    }
  }

  private static func values(_ bytes: UnsafeRawBufferPointer, path: String) throws -> [Float] {
    guard !bytes.isEmpty else { return [] }
    try Memory.require(bytes.count, for: path, remedy: "Close other programs.")
    let count = bytes.count / 4
    let values = [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
      UnsafeMutableRawBufferPointer(buffer).copyMemory(from: bytes)
      initialized = count
    }
    #if _endian(little)
      return values
    #else
      return values.map { Float(bitPattern: UInt32(littleEndian: $0.bitPattern)) }
    #endif
  }
}
