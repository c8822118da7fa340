// SPDX-License-Identifier: Apache-2.0
// What a program links that trains on samples of its own.

import Foundation
import Testing

@Suite struct LinkedLibrariesTests {
  /// The program `training-alone` depends on MTLFastTraining and nothing else of this package.
  private func program() throws -> URL {
    let folders =
      Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent() }
      + [URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()]
    return try #require(
      folders.map { $0.appendingPathComponent("training-alone") }
        .first { FileManager.default.isExecutableFile(atPath: $0.path) })
  }

  private func output(of arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0)
    return String(decoding: data, as: UTF8.self)
  }

  @Test func trainingLinksNoReaders() throws {
    #if os(Linux)
      let libraries = try output(of: ["ldd", try program().path])
    #else
      let libraries = try output(of: ["otool", "-L", try program().path])
    #endif
    #expect(libraries.contains("libcrypto"))
    for reader in ["libcurl", "libarchive", "libturbojpeg", "libpng", "libyaml"] {
      #expect(!libraries.contains(reader), "\(libraries)")
    }
  }

  @Test func itTrains() throws {
    let accuracy = try #require(Double(output(of: [program().path]).trimmingCharacters(in: .newlines)))
    #expect(accuracy > 0.9)
  }
}
