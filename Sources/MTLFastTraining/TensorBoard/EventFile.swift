// SPDX-License-Identifier: Apache-2.0
// An event file of TensorBoard that grows event by event.

import Files
import MTLFast
import SwiftProtobuf

/// A file of records, each an event; the first one tells the format.
///
/// Every error is an `MTLFastError` of kind `writeFailed`, or as `WholeFile` throws.
final class EventFile {
  private static let version = "brain.Event:2"
  private let file: AppendFile
  /// Whether events of a training were there and are kept.
  let goesOn: Bool

  /// Opens a file and keeps its first events, as long as they are whole and `keeps` agrees.
  ///
  /// An event that is torn or damaged ends what TensorBoard reads, so nothing behind it is kept either.
  init(path: String, keepingWhile keeps: (TensorBoardEvent) -> Bool = { _ in false }) throws {
    file = try AppendFile(path: path)
    let whole = try WholeFile(path: path)
    // The reader only knows its bytes.
    defer { withExtendedLifetime(whole) {} }
    var (kept, count) = (0, 0)
    var reader = RecordReader(whole.bytes)
    while let data = reader.next(), let event = try? TensorBoardEvent(serializedBytes: Array(data)),
      count == 0 ? event.fileVersion == Self.version : keeps(event)
    {
      kept = reader.offset
      count += 1
    }
    goesOn = count > 1
    try file.cut(at: kept)
    if count == 0 { try append(step: 0, .fileVersion(Self.version)) }
  }

  /// - Parameter step: optimizer steps taken.
  func append(step: Int, _ what: TensorBoardEvent.OneOf_What) throws {
    var event = TensorBoardEvent()
    event.wallTime = Self.secondsSince1970()
    event.step = Int64(step)
    event.what = what
    try file.append(RecordFraming.record(try event.bytes()))
  }

  func flush() throws { try file.flush() }
  func synchronize() throws { try file.synchronize() }

  static func secondsSince1970() -> Double {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Double(now.tv_sec) + 1e-9 * Double(now.tv_nsec)
  }
}

extension Message {
  /// Serialized, maps in the order of their keys.
  func bytes<Bytes: SwiftProtobufContiguousBytes>() throws -> Bytes {
    var options = BinaryEncodingOptions()
    options.useDeterministicOrdering = true
    do {
      return try serializedBytes(options: options)
    } catch {
      throw MTLFastError(.writeFailed, "An event of TensorBoard can't be written: \(error).")
    }
  }
}
