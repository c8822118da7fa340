// SPDX-License-Identifier: Apache-2.0
// Runs the built program.

import Foundation

extension Pipe {
  /// Everything that is written until the writers are gone. `readDataToEndOfFile` traps where a signal interrupts it.
  func textToEnd() -> String {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = read(fileHandleForReading.fileDescriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
      bytes += chunk[..<count]
    }
  }
}

/// One run of the program beside this test bundle.
struct ProgramRun {
  let status: Int32
  let output: String
  let errors: String

  /// Runs the program with arguments, in a folder of its own choice.
  init(_ arguments: [String], in folder: String? = nil, environment: [String: String] = [:]) throws {
    let process = Process()
    process.executableURL = try Self.program()
    process.arguments = arguments
    if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    try process.run()
    // Error texts are far smaller than a pipe's buffer, so reading one after the other can't block.
    self.output = output.textToEnd()
    self.errors = errors.textToEnd()
    process.waitUntilExit()
    status = process.terminationStatus
  }

  struct NotBuilt: Error { let looked: [String] }

  /// SwiftPM puts test bundle and program into one folder.
  static func program() throws -> URL {
    var candidates = Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent() }
    candidates.append(URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent())
    let programs = candidates.map { $0.appendingPathComponent("mtl-fast") }
    guard let program = programs.first(where: { FileManager.default.isExecutableFile(atPath: $0.path) }) else {
      throw NotBuilt(looked: programs.map(\.path))
    }
    return program
  }
}
