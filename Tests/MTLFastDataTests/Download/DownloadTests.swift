// SPDX-License-Identifier: Apache-2.0
// Downloads from a server on this machine: whole, resumed, refused, damaged, stopped.

import Files
import Foundation
import MTLFast
import TestSupport
import Testing

@testable import MTLFastData

struct DownloadTests {
  let folder: TemporaryFolder
  let server: LoopbackServer
  let content: [UInt8]
  let body: [UInt8]
  let download: Download

  init() throws {
    folder = try TemporaryFolder()
    server = try LoopbackServer()
    content = noise(300_000)
    body = try gzip(content)
    download = Download(
      url: server.url + "file.gz", destination: "\(folder.path)/new/folder/file.gz",
      file: KnownDataset.File(
        name: "file.gz", content: "noise", sampleCount: 1, downloadBytes: body.count, byteCount: content.count,
        sha256: try sha256(content)))
  }

  private func expectInPlace(sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(folder.bytes(of: "new/folder/file.gz") == body, sourceLocation: sourceLocation)
    #expect(folder.bytes(of: "new/folder/file.gz.part") == nil, sourceLocation: sourceLocation)
  }

  /// The reason in parentheses is libcurl's, whose words differ from version to version.
  private func expectInterruption(
    _ next: String, url: String? = nil, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> Download.Outcome
  ) {
    let error = #expect(throws: MTLFastError.self, sourceLocation: sourceLocation) { _ = try body() }
    let message = error?.message ?? ""
    #expect(error?.kind == .missingInput, sourceLocation: sourceLocation)
    #expect(
      message.hasPrefix("\(url ?? download.url): the download failed (") && message.hasSuffix("). \(next)")
        && !message.contains("()"), "\(message)", sourceLocation: sourceLocation)
  }

  private func expectNothingKept(sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(folder.bytes(of: "new/folder/file.gz") == nil, sourceLocation: sourceLocation)
    #expect(folder.bytes(of: "new/folder/file.gz.part") == nil, sourceLocation: sourceLocation)
  }

  @Test func downloadsAndReports() throws {
    server.serve(body, at: "file.gz")
    var last = (received: 0, total: Int?.none)
    let outcome = try download.run { received, total in
      #expect(received >= last.received)
      last = (received, total)
      return true
    }
    #expect(outcome == .finished)
    expectInPlace()
    #expect(last.received == body.count)
    #expect(last.total == body.count)
    #expect(server.requests == [.init(path: "/file.gz", rangeStart: nil, servedBytes: body.count)])
  }

  @Test func followsRedirects() throws {
    server.serve([], at: "file.gz", .redirects(to: "elsewhere"))
    server.serve(body, at: "elsewhere")
    #expect(try download.run() == .finished)
    expectInPlace()
  }

  @Test func goesOnWhereItBrokeOff() throws {
    server.serve(body, at: "file.gz", .breaksOff(after: 100_000))
    expectInterruption("Start the download again: it goes on after the 100000 bytes that are there.") {
      try download.run()
    }
    #expect(folder.bytes(of: "new/folder/file.gz.part") == Array(body[..<100_000]))
    #expect(folder.bytes(of: "new/folder/file.gz") == nil)

    server.serve(body, at: "file.gz")
    var first: Int?
    var total: Int?
    let outcome = try download.run {
      first = first ?? $0
      total = $1
      return true
    }
    #expect(outcome == .finished)
    expectInPlace()
    #expect(first == 100_000)
    #expect(total == body.count)
    #expect(
      server.requests == [
        .init(path: "/file.gz", rangeStart: nil, servedBytes: 100_000),
        .init(path: "/file.gz", rangeStart: 100_000, servedBytes: body.count - 100_000),
      ])
  }

  @Test(arguments: [LoopbackServer.Behaviour.ignoresRanges, .servesWrongRange])
  func startsOverWhereTheServerKnowsNoRanges(behaviour: LoopbackServer.Behaviour) throws {
    // So much that this and the whole body are more than the file can have.
    try folder.write(Array(body[..<100_000]), to: "new/folder/file.gz.part")
    server.serve(body, at: "file.gz", behaviour)
    #expect(try download.run() == .finished)
    expectInPlace()
    #expect(server.requests.first?.rangeStart == 100_000)
  }

  @Test func takesAPartThatWasWholeAlready() throws {
    try folder.write(body, to: "new/folder/file.gz.part")
    server.serve(body, at: "file.gz")
    #expect(try download.run() == .finished)
    expectInPlace()
    #expect(server.requests == [.init(path: "/file.gz", rangeStart: body.count, servedBytes: 0)])
  }

  /// 416, and what is there is not the file: from the start, without a range.
  @Test func startsOverWhereThePartIsTooLong() throws {
    try folder.write(body + [0], to: "new/folder/file.gz.part")
    server.serve(body, at: "file.gz")
    #expect(try download.run() == .finished)
    expectInPlace()
    #expect(server.requests.map(\.rangeStart) == [body.count + 1, nil])
  }

  @Test func startsOverWhereThePartIsOfAnotherVersion() throws {
    try folder.write([UInt8](repeating: 7, count: 1000), to: "new/folder/file.gz.part")
    server.serve(body, at: "file.gz")
    #expect(try download.run() == .finished)
    expectInPlace()
    #expect(server.requests.map(\.rangeStart) == [1000, nil])
  }

  @Test(arguments: [404, 403, 500]) func serverRefuses(status: Int) {
    server.serve([], at: "file.gz", .refuses(status: status))
    expectError(
      .missingInput,
      "\(download.url): the server answered \(status), not with the file. Check the address, or use a mirror."
    ) { try download.run() }
    #expect(folder.bytes(of: "new/folder/file.gz") == nil)
  }

  @Test func aRefusalKeepsWhatIsThere() throws {
    try folder.write(Array(body[..<1000]), to: "new/folder/file.gz.part")
    server.serve([], at: "file.gz", .refuses(status: 503))
    #expect(throws: MTLFastError.self) { try download.run() }
    #expect(folder.bytes(of: "new/folder/file.gz.part") == Array(body[..<1000]))
  }

  @Test func wrongContent() throws {
    var other = content
    other[5] ^= 1
    server.serve(try gzip(other), at: "file.gz")
    expectError(
      .badData,
      "\(download.url): is not the published file: the SHA-256 of its content is \(try sha256(other)), "
        + "the published SHA-256 is \(try #require(download.file.sha256)). Nothing was kept. Use a mirror, or try later."
    ) { try download.run() }
    expectNothingKept()
    #expect(server.requests.count == 1)
  }

  /// Where only an MD5 of the download itself is published, that is what is compared.
  @Test func comparesAnMD5() throws {
    server.serve(body, at: "file.gz")
    let md5 = try Digest.of(.md5, fileAt: folder.write(body, to: "copy"))
    var download = download
    func expect(_ md5: String) {
      download.file = KnownDataset.File(
        name: "file.gz", content: "noise", sampleCount: 1, downloadBytes: body.count, byteCount: body.count,
        sha256: nil, md5: md5)
    }
    let other = String(repeating: "0", count: 32)
    expect(other)
    expectError(
      .badData,
      "\(download.url): is not the published file: its MD5 is \(md5), the published MD5 is \(other). "
        + "Nothing was kept. Use a mirror, or try later."
    ) { try download.run() }
    expectNothingKept()
    expect(md5)
    #expect(try download.run() == .finished)
    expectInPlace()
  }

  @Test func wrongContentLeavesAnEarlierFileAlone() throws {
    try folder.write([1, 2, 3], to: "new/folder/file.gz")
    server.serve(Array("<html>log in first</html>".utf8), at: "file.gz")
    #expect(throws: MTLFastError.self) { try download.run() }
    #expect(folder.bytes(of: "new/folder/file.gz") == [1, 2, 3])
  }

  @Test func damagedContent() throws {
    var damaged = body
    damaged[body.count - 6] ^= 1
    server.serve(damaged, at: "file.gz")
    expectError(
      .badData,
      "\(download.url): is not the published file: its content is damaged or larger than 300000 bytes, "
        + "the published SHA-256 is \(try #require(download.file.sha256)). Nothing was kept. Use a mirror, or try later."
    ) { try download.run() }
    expectNothingKept()
  }

  /// Small on the way and huge when decompressed: reading stops at the size that it may have.
  @Test func contentThatNeverEnds() throws {
    server.serve(try gzip([UInt8](repeating: 0, count: 50_000_000)), at: "file.gz")
    #expect(throws: MTLFastError.self) { try download.run() }
    expectNothingKept()
  }

  @Test func bodyThatIsTooLarge() {
    server.serve(noise(1_000_000), at: "file.gz")
    expectError(
      .badData, "\(download.url): sends more than the 341596 bytes that the file can have. Check the address."
    ) { try download.run() }
    expectNothingKept()
  }

  @Test func stalledTransfer() throws {
    try folder.write(Array(body[..<5000]), to: "new/folder/file.gz.part")
    server.serve(body, at: "file.gz", .stalls(after: 0))
    var impatient = download
    impatient.stallSeconds = 1
    expectInterruption("Start the download again: it goes on after the 5000 bytes that are there.") {
      try impatient.run()
    }
  }

  @Test func noServer() throws {
    var nowhere = download
    // Port 1 belongs to a service that nobody runs.
    nowhere.url = "http://127.0.0.1:1/file.gz"
    expectInterruption("Check the connection and the address, or use a mirror.", url: nowhere.url) {
      try nowhere.run()
    }
  }

  @Test(arguments: ["file:///etc/hostname", "ftp://127.0.0.1/file.gz"]) func otherProtocols(url: String) {
    var other = download
    other.url = url
    #expect(throws: MTLFastError.self) { try other.run() }
    #expect(folder.bytes(of: "new/folder/file.gz") == nil)
  }

  @Test func stopsWhereProgressSaysSo() throws {
    server.serve(body, at: "file.gz", .stalls(after: 50_000))
    #expect(try download.run { received, _ in received < 50_000 } == .stopped(receivedBytes: 50_000))
    server.serve(body, at: "file.gz")
    #expect(try download.run() == .finished)
    expectInPlace()
    #expect(server.requests.last?.servedBytes == body.count - 50_000)
  }

  // MARK: Writing

  @Test func aFileStandsWhereTheFolderShouldBe() throws {
    let path = try folder.write([], to: "new")
    server.serve(body, at: "file.gz")
    expectError(
      .writeFailed,
      "\(path)/folder: can't be created: Not a directory. Check the folder and its permissions, or name another one."
    ) { try download.run() }
    #expect(server.requests.isEmpty)
  }

  @Test func anotherDownloadIsWriting() throws {
    let other = try PartialFile(for: download.destination)
    expectError(
      .writeFailed, "\(download.destination).part: another process is writing it. Wait until it has ended."
    ) { try download.run() }
    #expect(other.size == 0)
  }

  #if os(Linux)
    @Test func diskFull() throws {
      try folder.write([], to: "new/folder/x")
      let part = "\(download.destination).part"
      try FileManager.default.createSymbolicLink(atPath: part, withDestinationPath: "/dev/full")
      server.serve(body, at: "file.gz")
      expectError(
        .writeFailed,
        "\(part): can't be written: No space left on device. Free some space, or name a folder on another disk."
      ) { try download.run() }
      #expect(folder.bytes(of: "new/folder/file.gz") == nil)
    }
  #endif
}
