// SPDX-License-Identifier: Apache-2.0
// The cache saves decoding and never changes a result, whatever happens to its file or to the images.

import Files
import Foundation
import MTLFast
import TestSupport
import Testing

@testable import MTLFastData

struct ImageCacheTests {
  let folder: TemporaryFolder
  let cache: ImageCache
  init() throws {
    folder = try TemporaryFolder()
    cache = ImageCache(folder: "\(folder.path)/caches/images")
    for index in 0..<5 { try write(UInt8(index * 10), to: index) }
  }

  private func write(_ value: UInt8, to index: Int) throws {
    try folder.write(TinyPNG.grey([value, value + 1], width: 2).encoded(), to: "\(index).png")
  }

  private func load(
    files: [String] = (0..<5).map { "\($0).png" }, boxes: [ImageBox?]? = nil, shape: Shape = [1, 2, 1],
    fit: ImageFit = .crop, skipsBad: Bool = false, cache: ImageCache? = nil
  ) throws -> LoadedImages {
    try ImageFolder(folder: folder.path, files: files, boxes: boxes)
      .load(shape: shape, fit: fit, skipsBad: skipsBad, cache: cache ?? self.cache, threads: 3)
  }

  private var cacheFiles: [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: cache.folder).sorted()) ?? []
  }
  private let values: [UInt8] = [0, 1, 10, 11, 20, 21, 30, 31, 40, 41]

  @Test func decodesOnce() throws {
    let cold = try load()
    #expect(cold.decodedCount == 5 && cold.values == values && cold.cacheNote == nil)
    #expect(cacheFiles.count == 1)
    #expect(cacheFiles[0].hasSuffix(".cache") && cacheFiles[0].count == 64 + 6)
    let warm = try load()
    #expect(warm.decodedCount == 0 && warm.values == values && warm.cacheNote == nil)
  }

  @Test func anotherRequestIsAnotherFile() throws {
    _ = try load()
    #expect(try load(fit: .stretch).decodedCount == 5)
    #expect(try load(shape: [1, 1, 1]).decodedCount == 5)
    #expect(try load(files: ["1.png", "0.png"]).values == [10, 11, 0, 1])
    let box = ImageBox(x0: 0, y0: 0, x1: 1, y1: 1)
    #expect(try load(boxes: [nil, nil, box, nil, nil]).values == [0, 1, 10, 11, 20, 20, 30, 31, 40, 41])
    #expect(cacheFiles.count == 5)
    #expect(try load().decodedCount == 0)
  }

  @Test func onlyChangedFilesAreDecodedAgain() throws {
    _ = try load()
    try write(77, to: 3)
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1_000_000_000)], ofItemAtPath: "\(folder.path)/3.png")
    let changed = try load()
    #expect(changed.decodedCount == 1)
    #expect(changed.values == [0, 1, 10, 11, 20, 21, 77, 78, 40, 41])
    #expect(try load().decodedCount == 0)
  }

  @Test func deletedAndBadFiles() throws {
    _ = try load()
    try FileManager.default.removeItem(atPath: "\(folder.path)/1.png")
    #expect(throws: MTLFastError.self) { try load() }
    let skipped = try load(skipsBad: true)
    #expect(skipped.values == [0, 1, 20, 21, 30, 31, 40, 41] && skipped.decodedCount == 0)
    // Put back, it is decoded; the others are not.
    try write(50, to: 1)
    #expect(try load().values[2...3] == [50, 51])
    #expect(try load().decodedCount == 0)
    // Images that are bad from the start stay out of the cache.
    try folder.write([1, 2, 3], to: "bad.png")
    let files = ["0.png", "bad.png", "2.png"]
    #expect(try load(files: files, skipsBad: true).decodedCount == 2)
    let again = try load(files: files, skipsBad: true)
    #expect(again.decodedCount == 0 && again.kept == [0, 2] && again.values == [0, 1, 20, 21])
    #expect(again.bad.map(\.index) == [1])
  }

  @Test func damageIsNeverTrusted() throws {
    _ = try load()
    let path = "\(cache.folder)/\(cacheFiles[0])"
    let whole = try #require(FileManager.default.contents(atPath: path)).map { $0 }
    for index in whole.indices where index % 3 == 0 || index > whole.count - 15 {
      var bytes = whole
      bytes[index] ^= 0x10
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      let loaded = try load()
      #expect(loaded.values == values, "byte \(index)")
      // Damaged pixels cost one image, a damaged index all.
      #expect(loaded.decodedCount == (index < whole.count - 10 ? 5 : 1), "byte \(index)")
    }
    for length in [0, 7, 8, 80, whole.count - 11, whole.count - 1] {
      try Data(whole[..<length]).write(to: URL(fileURLWithPath: path))
      let loaded = try load()
      #expect(loaded.values == values && loaded.decodedCount == 5, "\(length)")
    }
    try Data(whole + [0]).write(to: URL(fileURLWithPath: path))
    #expect(try load().decodedCount == 5)
    #expect(try load().decodedCount == 0)
  }

  @Test func goesOnWithoutACacheThatCannotBeWritten() throws {
    let file = try folder.write([1], to: "file")
    let loaded = try load(cache: ImageCache(folder: "\(file)/images"))
    #expect(loaded.values == values)
    #expect(
      loaded.cacheNote
        == "The image cache was not written, so images will be decoded again next time. \(file)/images: can't be created: "
        + "Not a directory. Check the folder and its permissions, or name another one.")
    // A folder of the cache's own name.
    _ = try load()
    let path = "\(cache.folder)/\(cacheFiles[0])"
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let blocked = try load()
    #expect(blocked.values == values && blocked.decodedCount == 5 && blocked.cacheNote != nil)
    #expect(!cacheFiles.contains { $0.hasSuffix(".part") })
  }

  @Test func largeRequestsAreNotKept() throws {
    var cache = cache
    cache.largestRequest = 9
    let loaded = try load(cache: cache)
    #expect(loaded.values == values && loaded.cacheNote == nil && cacheFiles.isEmpty)
    cache.largestRequest = 10
    _ = try load(cache: cache)
    #expect(cacheFiles.count == 1)
  }

  @Test func theOldestFilesMakeRoom() throws {
    _ = try load()
    let first = try #require(cacheFiles.first)
    let attributes = try FileManager.default.attributesOfItem(atPath: "\(cache.folder)/\(first)")
    let size = try #require(attributes[.size] as? Int)
    try folder.write([1], to: "caches/images/other.txt")
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1_000_000_000)], ofItemAtPath: "\(cache.folder)/\(first)")
    var cache = cache
    cache.largestTotal = 2 * size
    _ = try load(fit: .stretch, cache: cache)
    #expect(cacheFiles.count == 3 && cacheFiles.contains(first))
    _ = try load(fit: .letterbox, cache: cache)
    #expect(cacheFiles.count == 3 && !cacheFiles.contains(first) && cacheFiles.contains("other.txt"))
    // What is written anew counts once.
    try write(99, to: 2)
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1_000_000_000)], ofItemAtPath: "\(folder.path)/2.png")
    #expect(try load(fit: .letterbox, cache: cache).decodedCount == 1)
    #expect(cacheFiles.count == 3)
  }

  @Test func userFolder() {
    func folder(_ environment: [String: String]) -> String? {
      ImageCache(search: DatasetSearch { environment[$0] })?.folder
    }
    #expect(folder(["XDG_CACHE_HOME": "/caches"]) == "/caches/mtl-fast/images")
    #if os(Linux)
      #expect(folder(["HOME": "/home/a"]) == "/home/a/.cache/mtl-fast/images")
    #endif
    #expect(folder([:]) == nil)
  }
}
