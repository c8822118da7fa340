// SPDX-License-Identifier: Apache-2.0
// Fetching all files of a data set into a folder.

import Files
import MTLFast
import TestSupport
import Testing

@testable import MTLFastData

struct DatasetFetchTests {
  let folder: TemporaryFolder
  let server: LoopbackServer
  let dataset: KnownDataset
  let contents: [String: [UInt8]]

  init() throws {
    folder = try TemporaryFolder()
    server = try LoopbackServer()
    (dataset, contents) = try KnownDataset.tiny(downloadURL: server.url)
    for (name, bytes) in contents { server.serve(bytes, at: name) }
  }

  private func fetched(_ outcome: FetchOutcome) -> [String]? {
    if case .finished(_, let fetched) = outcome { fetched } else { nil }
  }

  @Test func fetchesOnlyWhatIsMissingOrDamaged() throws {
    let all = ["train-images.gz", "train-labels.gz", "test-images.gz", "test-labels.gz"]
    #expect(fetched(try dataset.fetch(into: folder.path)) == all)
    #expect(folder.names == all.sorted())
    #expect(fetched(try dataset.fetch(into: folder.path)) == [])
    #expect(server.requests.count == 4)

    try folder.write([1, 2, 3], to: "test-images.gz")
    #expect(fetched(try dataset.fetch(into: folder.path)) == ["test-images.gz"])
    let located = try #require(LocatedDataset(dataset: dataset, folder: folder.path))
    #expect(located.check().isGood)
  }

  @Test func reportsFileByFile() throws {
    var seen: [String] = []
    _ = try dataset.fetch(into: folder.path) { progress in
      let line = "\(progress.fileIndex + 1)/\(progress.fileCount) \(progress.fileName)"
      if seen.last != line { seen.append(line) }
      #expect(progress.totalBytes == contents[progress.fileName]?.count)
      return true
    }
    #expect(
      seen == ["1/4 train-images.gz", "2/4 train-labels.gz", "3/4 test-images.gz", "4/4 test-labels.gz"])
  }

  @Test func takesAMirror() throws {
    for (name, bytes) in contents { server.serve(bytes, at: "mirror/\(name)") }
    #expect(fetched(try dataset.fetch(into: folder.path, mirror: server.url + "mirror"))?.count == 4)
    #expect(server.requests.allSatisfy { $0.path.hasPrefix("/mirror/") })
  }

  @Test func stopsBetweenFiles() throws {
    let outcome = try dataset.fetch(into: folder.path) { $0.fileIndex < 1 }
    guard case .stopped(let name, _) = outcome else {
      Issue.record("was not stopped")
      return
    }
    #expect(name == "train-labels.gz")
    #expect(folder.bytes(of: "train-images.gz") == contents["train-images.gz"])
  }

  @Test func refusesAFolderWithoutAName() {
    expectError(.usage, "tiny: the folder to fetch into has no name.") { try dataset.fetch(into: "") }
  }

  @Test func aFileThatTheServerLacks() throws {
    server.serve([], at: "test-images.gz", .refuses(status: 404))
    expectError(
      .missingInput,
      "\(server.url)test-images.gz: the server answered 404, not with the file. Check the address, or use a mirror."
    ) { try dataset.fetch(into: folder.path) }
    #expect(folder.bytes(of: "train-labels.gz") == contents["train-labels.gz"])
  }
}
