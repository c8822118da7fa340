// SPDX-License-Identifier: Apache-2.0
// What several tests of this target need: tiny IDX and gzip files, errors by their exact text.

import CArchive
import Files
import Foundation
import MTLFast
import Testing

@testable import MTLFastData

enum TinyIDX {
  static func word(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }

  static func header(_ words: UInt32...) -> [UInt8] { words.flatMap(word) }

  /// `count` images whose bytes count up from 0.
  static func images(_ count: Int, height: Int = 2, width: Int = 3) -> [UInt8] {
    header(0x0803, UInt32(count), UInt32(height), UInt32(width))
      + (0..<count * height * width).map { UInt8(truncatingIfNeeded: $0) }
  }

  static func labels(_ values: [UInt8]) -> [UInt8] { header(0x0801, UInt32(values.count)) + values }
}

/// The bytes as one gzip member, written by libarchive.
func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
  let archive = try #require(archive_write_new())
  defer { archive_write_free(archive) }
  var output = [UInt8](repeating: 0, count: bytes.count + bytes.count / 8 + 1024)
  var used = 0
  try output.withUnsafeMutableBytes { buffer in
    archive_write_add_filter_gzip(archive)
    archive_write_set_format_raw(archive)
    // No padding to a block of 10 KiB after the end.
    archive_write_set_bytes_in_last_block(archive, 1)
    try #require(archive_write_open_memory(archive, buffer.baseAddress, buffer.count, &used) == ARCHIVE_OK)
    let entry = try #require(archive_entry_new())
    defer { archive_entry_free(entry) }
    // A regular file; the name S_IFREG is ambiguous between two modules.
    archive_entry_set_filetype(entry, 0o100000)
    try #require(archive_write_header(archive, entry) == ARCHIVE_OK)
    try #require(archive_write_data(archive, bytes, bytes.count) == bytes.count)
    try #require(archive_write_close(archive) == ARCHIVE_OK)
  }
  return Array(output[..<used])
}

/// Kinds of archive that `archive` writes.
enum ArchiveKind: CaseIterable {
  case tarGzip, zipStored, zipDeflated
}

/// An archive of files, written by libarchive.
func archive(_ members: [(name: String, bytes: [UInt8])], _ kind: ArchiveKind) throws -> [UInt8] {
  let archive = try #require(archive_write_new())
  defer { archive_write_free(archive) }
  let total = members.reduce(0) { $0 + $1.bytes.count }
  var output = [UInt8](repeating: 0, count: 2 * total + 2048 * members.count + 65536)
  var used = 0
  try output.withUnsafeMutableBytes { buffer in
    switch kind {
    case .tarGzip:
      archive_write_add_filter_gzip(archive)
      archive_write_set_format_ustar(archive)
    case .zipStored, .zipDeflated:
      archive_write_set_format_zip(archive)
      _ =
        kind == .zipStored
        ? archive_write_zip_set_compression_store(archive) : archive_write_zip_set_compression_deflate(archive)
    }
    archive_write_set_bytes_in_last_block(archive, 1)
    try #require(archive_write_open_memory(archive, buffer.baseAddress, buffer.count, &used) == ARCHIVE_OK)
    for member in members {
      let entry = try #require(archive_entry_new())
      defer { archive_entry_free(entry) }
      archive_entry_set_pathname(entry, member.name)
      archive_entry_set_filetype(entry, member.name.hasSuffix("/") ? 0o040000 : 0o100000)
      archive_entry_set_perm(entry, 0o644)
      archive_entry_set_size(entry, Int64(member.bytes.count))
      try #require(archive_write_header(archive, entry) == ARCHIVE_OK)
      try #require(archive_write_data(archive, member.bytes, member.bytes.count) == member.bytes.count)
    }
    try #require(archive_write_close(archive) == ARCHIVE_OK)
  }
  return Array(output[..<used])
}

/// Bytes that look random and are the same in every run, so that gzip can't shrink them.
func noise(_ count: Int) -> [UInt8] {
  var state: UInt64 = 1
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return UInt8(truncatingIfNeeded: state >> 33)
  }
}

func sha256(_ bytes: [UInt8]) throws -> String { try Digest.of(.sha256, bytes) }

/// Expects an error of that kind with exactly that text and remedy.
func expectError<Value>(
  _ kind: MTLFastError.Kind, _ message: String, remedy: MTLFastError.Remedy? = nil,
  sourceLocation: SourceLocation = #_sourceLocation,
  _ body: () throws -> Value
) {
  #expect(throws: MTLFastError(kind, message, remedy: remedy), sourceLocation: sourceLocation) { _ = try body() }
}

extension KnownDataset {
  /// A data set of 3 + 2 images of 2x3 in 4 classes, and its files by name, compressed.
  static func tiny(
    downloadURL: String = "", hasHashes: Bool = true
  ) throws -> (dataset: KnownDataset, contents: [String: [UInt8]]) {
    var contents: [String: [UInt8]] = [:]
    func file(_ name: String, _ content: [UInt8], samples: Int) throws -> File {
      let compressed = try gzip(content)
      contents[name] = compressed
      return File(
        name: name, content: "\(samples) samples", sampleCount: samples, downloadBytes: compressed.count,
        byteCount: content.count, sha256: hasHashes ? try sha256(content) : nil)
    }
    let dataset = KnownDataset(
      name: "tiny", title: "Tiny", summary: "For tests.", licence: "Apache-2.0", source: "", homepage: "",
      downloadURL: downloadURL, debianPackage: "dataset-tiny", inputColumn: "image",
      inputShape: .image(height: 2, width: 3, channels: 1),
      labels: [Labels(column: "label", classNames: ["a", "b", "c", "d"])],
      layout: .idx(
        training: (
          images: try file("train-images.gz", TinyIDX.images(3), samples: 3),
          labels: try file("train-labels.gz", TinyIDX.labels([3, 0, 1]), samples: 3)
        ),
        test: (
          images: try file("test-images.gz", TinyIDX.images(2), samples: 2),
          labels: try file("test-labels.gz", TinyIDX.labels([2, 2]), samples: 2)
        )))
    return (dataset, contents)
  }
}
