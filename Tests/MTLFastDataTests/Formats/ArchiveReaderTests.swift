// SPDX-License-Identifier: Apache-2.0
// Members of tar.gz and zip are read exactly; a damaged archive is one clear line.

import Files
import MTLFast
import TestSupport
import Testing

@testable import MTLFastData

struct ArchiveReaderTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func readAll(_ path: String, _ format: ArchiveReader.Format) throws -> [String: [UInt8]] {
    let reader = try ArchiveReader(path: path, format: format)
    var members: [String: [UInt8]] = [:]
    while let member = try reader.next() { members[member.name] = try reader.bytes(of: member) }
    return members
  }

  @Test(arguments: ArchiveKind.allCases) func readsMembersOfAnySize(kind: ArchiveKind) throws {
    let members = [("f/a", noise(700_000)), ("f/empty", []), ("f/b", Array("text".utf8))]
    let path = try folder.write(archive(members, kind), to: "archive")
    let read = try readAll(path, kind == .tarGzip ? .tar : .zip)
    #expect(read == ["a": members[0].1, "empty": [], "b": members[2].1])
  }

  @Test func truncated() throws {
    let bytes = try archive([("f/a", noise(3000)), ("f/b", noise(300_000))], .tarGzip)
    let path = try folder.write(Array(bytes[..<(bytes.count / 2)]), to: "a.tar.gz")
    expectError(
      .badData,
      "\(path): is damaged in or after its member 'f/b' (the gzip data break off at the end of the file, "
        + "\(bytes.count / 2) bytes). Get the file again."
    ) { try readAll(path, .tar) }
  }

  @Test func wrongCRC() throws {
    var bytes = try archive([("f/a", noise(100_000))], .tarGzip)
    bytes[bytes.count - 6] ^= 1
    let path = try folder.write(bytes, to: "a.tar.gz")
    let error = #expect(throws: MTLFastError.self) { try readAll(path, .tar) }
    let start = "\(path): is damaged in or after its member 'f/a' (the gzip data are damaged at byte "
    #expect(error?.kind == .badData)
    #expect(error?.message.hasPrefix(start) == true, "\(error?.message ?? "")")
  }

  /// Whatever a damaged archive holds, it is read or refused, never a trap; gzip and zip notice every change of content.
  @Test(arguments: ArchiveKind.allCases) func everyByteMayBeWrong(kind: ArchiveKind) throws {
    let content = noise(600)
    let good = try archive([("f/a", content), ("f/b", content)], kind)
    for index in good.indices {
      var bytes = good
      bytes[index] ^= 0x55
      let path = try folder.write(bytes, to: "archive")
      guard let read = try? readAll(path, kind == .tarGzip ? .tar : .zip) else { continue }
      #expect(read.values.allSatisfy { $0 == content }, "byte \(index)")
    }
  }

  @Test func notAnArchive() throws {
    let path = try folder.write(gzip(noise(5000)), to: "a.tar.gz")
    expectError(.badData, "\(path): is not a tar archive (Unrecognized archive format). Get the file again.") {
      try readAll(path, .tar)
    }
  }

  /// A header that claims 8 GiB with a right checksum.
  @Test func impossibleSize() throws {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at offset: Int) {
      header.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
    }
    put("huge", at: 0)
    put("0000644\0", at: 100)
    put("77777777777\0", at: 124)
    put("ustar\u{0}00", at: 257)
    header[156] = UInt8(ascii: "0")
    header.replaceSubrange(148..<156, with: [UInt8](repeating: 32, count: 8))
    let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
    put(String(repeating: "0", count: 6 - sum.count) + sum + "\0 ", at: 148)
    let path = try folder.write(header + [UInt8](repeating: 0, count: 1024), to: "a.tar")
    expectError(
      .badData,
      "\(path): member 'huge' claims 8589934591 bytes but the archive's 1536 bytes can't hold so many. "
        + "Get the file again."
    ) { try readAll(path, .tar) }
  }

  @Test func damagedZip() throws {
    var bytes = try archive([("a", noise(3000))], .zipStored)
    bytes[1000] ^= 1
    let path = try folder.write(bytes, to: "a.zip")
    let error = #expect(throws: MTLFastError.self) { try readAll(path, .zip) }
    #expect(
      error?.message.hasPrefix("\(path): is damaged in or after its member 'a' (ZIP bad CRC") == true,
      "\(error?.message ?? "")")
  }
}
