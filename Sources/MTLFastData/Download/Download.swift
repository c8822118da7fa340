// SPDX-License-Identifier: Apache-2.0
// Downloads a published file: resumed where it broke off, verified before it takes its place.

import Files
import MTLFast

/// The download of one published file to a path.
///
/// Bytes go to `<destination>.part`, which stays when the download breaks off: the next one goes on from there. The
/// content's SHA-256 is compared before the file takes its name, so what stands at `destination` is always whole.
public struct Download: Sendable {
  public enum Outcome: Equatable, Sendable {
    /// The file is in place and is the published one.
    case finished
    /// `progress` asked for it; so many bytes are kept for the next download.
    case stopped(receivedBytes: Int)
  }

  /// http or https.
  public var url: String
  public var destination: String
  public var file: KnownDataset.File
  /// How long the connection may take, and how long nothing may arrive, in seconds.
  public var stallSeconds = 30

  public init(url: String, destination: String, file: KnownDataset.File) {
    self.url = url
    self.destination = destination
    self.file = file
  }

  /// Downloads and verifies; blocks until it has ended.
  ///
  /// - Parameter progress: called often, at least about once a second, with the bytes that are there (those of an
  ///   earlier download included) and the size of the whole where the server has said it. False stops the download.
  /// - Throws: `MTLFastError` of kind `missingInput` where the server can't be reached, breaks off or has no such file,
  ///   `badData` where it sends another file (nothing is kept then), `writeFailed` where a file can't be written.
  public func run(progress: (_ receivedBytes: Int, _ totalBytes: Int?) -> Bool = { _, _ in true }) throws -> Outcome {
    try withoutActuallyEscaping(progress) { progress in
      let part = try PartialFile(for: destination)
      while true {
        switch try transfer(to: part, progress: progress) {
        case .stopped: return .stopped(receivedBytes: part.size)
        case .rangeRefused:
          // The earlier download may have ended right before it was verified.
          if try difference(of: part) == nil { return try finish(part) }
          try part.clear()
        case .complete(let resumed):
          guard let difference = try difference(of: part) else { return try finish(part) }
          // Bytes of an earlier download may be of another version of the file: one more try without them.
          if resumed {
            try part.clear()
          } else {
            part.discard()
            throw MTLFastError(
              .badData,
              "\(url): is not the published file: \(difference)\(file.publishedHash.map { ", the published \($0)" } ?? ""). "
                + "Nothing was kept. Use a mirror, or try later.")
          }
        }
      }
    }
  }

  private func transfer(
    to part: PartialFile, progress: @escaping (_ receivedBytes: Int, _ totalBytes: Int?) -> Bool
  ) throws -> HTTPTransfer.Outcome {
    // A copy may be compressed differently or not at all, but no gzip of it is much larger than its content.
    let limit = file.byteCount + file.byteCount / 8 + 4096
    let transfer = HTTPTransfer(
      url: url, file: part, limitBytes: limit, stallSeconds: stallSeconds, progress: progress)
    return try transfer.run()
  }

  private func finish(_ part: PartialFile) throws -> Outcome {
    try part.moveIntoPlace()
    return .finished
  }

  /// How the content differs from the published one; nil where it doesn't.
  private func difference(of part: PartialFile) throws -> String? {
    do {
      return try file.difference(ofFileAt: part.path, limit: file.byteCount)
    } catch let error as MTLFastError where error.kind == .badData {
      return "its content is damaged or larger than \(file.byteCount) bytes"
    }
  }
}
