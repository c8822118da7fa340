// SPDX-License-Identifier: Apache-2.0
// Checkpoints: bit for bit there and back, always the same bytes, and no damage gets through.

import Files
import Foundation
import MTLFast
import MTLFastTraining
import TestSupport
import Testing

@Suite struct CheckpointTests {
  let folder: TemporaryFolder
  let path: String

  init() throws {
    folder = try TemporaryFolder()
    path = "\(folder.path)/a.safetensors"
  }

  @Test func everythingComesBackBitForBit() throws {
    try smallCheckpoint().write(to: path)
    #expect(bits(try Checkpoint.read(from: path)) == bits(smallCheckpoint()))
    #expect(folder.names == ["a.safetensors"])
  }

  @Test func theSameStateMakesTheSameBytes() throws {
    try smallCheckpoint().write(to: path)
    // Elsewhere, over another file, under another name, by another thread.
    try folder.write("old", to: "b")
    let other = "\(folder.path)/b"
    let thread = Thread { try? smallCheckpoint().write(to: other) }
    thread.start()
    while !thread.isFinished { usleep(1000) }
    #expect(try #require(folder.bytes(of: "a.safetensors")) == folder.bytes(of: "b"))
    try Checkpoint.read(from: path).write(to: other)
    #expect(try #require(folder.bytes(of: "a.safetensors")) == folder.bytes(of: "b"))
  }

  @Test func theMetadataAreAsDocumented() throws {
    try smallCheckpoint().write(to: path)
    var metadata = try Safetensors.read(from: path).metadata
    let stored = metadata.removeValue(forKey: "sha256")
    let checksum = try #require(stored)
    #expect(
      metadata == [
        "format": "mtl-fast checkpoint 1", "version": MTLFastVersion.number, "recipe": smallRecipe, "step": "905",
        "epoch": "3", "step_in_epoch": "5", "seed": "18446744073709551615", "parameters": "2",
        "sum.0": "3fd3333333333334 408f3c0000000000 1000 731,0,269 - item",
        "sum.1": "fff8000000000000 0000000000000000 0 - 3fd0000000000000,bff0000000000000 uni sex \"group\" 2",
      ])
    let zeros = String(repeating: "0", count: 64)
    let bytes = try #require(folder.bytes(of: "a.safetensors"))
    let place = try #require(Data(bytes).range(of: Data(checksum.utf8)))
    var hasher = try Digest(.sha256)
    try (bytes[..<place.lowerBound] + Array(zeros.utf8) + bytes[place.upperBound...]).withUnsafeBytes {
      try hasher.update($0)
    }
    #expect(try hasher.finish() == checksum)
  }

  @Test func aStateWithNothingInIt() throws {
    let state = TrainingState(parameters: [], slots: [], step: 0, epoch: 0, stepInEpoch: 0, sums: [], seed: 0)
    let empty = Checkpoint(state: state, recipe: "", tasks: [])
    try empty.write(to: path)
    #expect(bits(try Checkpoint.read(from: path)) == bits(empty))
  }

  @Test func aRecipeThatLooksLikeAChecksum() throws {
    let zeros = String(repeating: "0", count: 64)
    var checkpoint = smallCheckpoint()
    checkpoint.recipe = "\"sha256\":\"\(zeros)\" \\\"sha256\":\"\(zeros)\""
    checkpoint.tasks[0] = "\"sha256\":\"\(zeros)\""
    try checkpoint.write(to: path)
    #expect(bits(try Checkpoint.read(from: path)) == bits(checkpoint))
  }

  // MARK: Damage

  @Test func everyBitFlipIsRefused() throws {
    try smallCheckpoint().write(to: path)
    let bytes = try #require(folder.bytes(of: "a.safetensors"))
    for position in bytes.indices {
      // Each bit of what steers the reading, one bit of every other byte.
      for bit in position < 16 ? Array(0..<8) : [position % 8] {
        var flipped = bytes
        flipped[position] ^= 1 << bit
        try folder.write(flipped, to: "flipped")
        let error = #expect(throws: MTLFastError.self, "bit \(bit) of byte \(position)") {
          try Checkpoint.read(from: "\(folder.path)/flipped")
        }
        #expect(error?.kind == .badData)
        #expect(error?.message.hasPrefix("\(folder.path)/flipped: ") == true)
        #expect(error?.message.contains(where: \.isNewline) == false)
      }
    }
  }

  @Test func everyTruncationIsRefused() throws {
    try smallCheckpoint().write(to: path)
    let bytes = try #require(folder.bytes(of: "a.safetensors"))
    for count in 0..<bytes.count {
      try folder.write(Array(bytes[..<count]), to: "cut")
      let error = #expect(throws: MTLFastError.self) { try Checkpoint.read(from: "\(folder.path)/cut") }
      #expect(error?.kind == .badData)
    }
  }

  @Test func theChecksumIsNamedAsStoredAndAsComputed() throws {
    try smallCheckpoint().write(to: path)
    let stored = try #require(try Safetensors.read(from: path).metadata["sha256"])
    var bytes = try #require(folder.bytes(of: "a.safetensors"))
    let place = try #require(Data(bytes).range(of: Data(stored.utf8)))
    bytes[bytes.count - 1] ^= 1
    var hasher = try Digest(.sha256)
    var zeroed = bytes
    zeroed.replaceSubrange(place, with: [UInt8](repeating: UInt8(ascii: "0"), count: 64))
    try zeroed.withUnsafeBytes { try hasher.update($0) }
    let computed = try hasher.finish()
    try folder.write(bytes, to: "a.safetensors")
    let end = "the file is damaged. Use the checkpoint before it."
    #expect(
      throws: MTLFastError(
        .badData, "\(path): the checksum doesn't match: stored \(stored), computed \(computed); \(end)")
    ) { try Checkpoint.read(from: path) }
    // A damaged checksum can't spoil the line that is printed.
    bytes[place.lowerBound] = 0x1b
    try folder.write(bytes, to: "a.safetensors")
    #expect(
      throws: MTLFastError(
        .badData, "\(path): the checksum doesn't match: stored ?\(stored.dropFirst()), computed \(computed); \(end)")
    ) { try Checkpoint.read(from: path) }
  }

  @Test func bytesAfterTheEndAreRefused() throws {
    try smallCheckpoint().write(to: path)
    try folder.write(#require(folder.bytes(of: "a.safetensors")) + [0], to: "a.safetensors")
    let error = #expect(throws: MTLFastError.self) { try Checkpoint.read(from: path) }
    #expect(error?.message.contains("the checksum doesn't match") == true)
  }

  // MARK: Whole files that are something else

  static let isNone =
    "is a safetensors file but no checkpoint of mtl-fast: its metadata names no format 'mtl-fast checkpoint 1'."
  static let otherFiles: [([String: String], String)] = [
    (
      [:],
      isNone
    ),
    (
      ["format": "pt"],
      isNone
    ),
    (
      ["format": "mtl-fast checkpoint 2"],
      "is of format 'mtl-fast checkpoint 2' but mtl-fast \(MTLFastVersion.number) reads 'mtl-fast checkpoint 1'. Use the mtl-fast that wrote it."
    ),
    (
      ["format": "mtl-fast checkpoint 1"], "has no checksum, so it may be damaged. Use the checkpoint before it."
    ),
  ]

  @Test(arguments: otherFiles)
  func otherSafetensorsFiles(metadata: [String: String], message: String) throws {
    try Safetensors(metadata: metadata, tensors: [.init(name: "w", dimensions: [1], values: [1])]).write(to: path)
    #expect(throws: MTLFastError(.badData, "\(path): \(message)")) { try Checkpoint.read(from: path) }
  }

  static let senseless: [(String, String?, String)] = [
    ("step", nil, "the metadata have no 'step'."), ("recipe", nil, "the metadata have no 'recipe'."),
    ("step", "-1", "the metadata's 'step' is '-1', which can't be read."),
    ("epoch", "1e3", "the metadata's 'epoch' is '1e3', which can't be read."),
    ("seed", "18446744073709551616", "the metadata's 'seed' is '18446744073709551616', which can't be read."),
    ("parameters", "7", "the metadata name 7 parameters but the file has 6 tensors."),
    ("sum.1", "0 0 0 a", "the metadata's 'sum.1' is '0 0 0 a', which can't be read."),
    ("sum.0", "3fd3333333333334 1 a", "the metadata's 'sum.0' is '3fd3333333333334 1 a', which can't be read."),
    (
      "sum.0", "3fd3333333333334 3ff0000000000000 1 1,-2 - a",
      "the metadata's 'sum.0' is '3fd3333333333334 3ff0000000000000 1 1,-2 - a', which can't be read."
    ),
  ]

  @Test(arguments: senseless)
  func metadataWithARightChecksumThatMakeNoSense(key: String, value: String?, message: String) throws {
    try smallCheckpoint().write(to: path)
    var file = try Safetensors.read(from: path)
    file.metadata[key] = value
    file.metadata["sha256"] = String(repeating: "0", count: 64)
    try file.write(to: path)
    // What the right checksum is, the refusal says.
    let error = try #require(throws: MTLFastError.self) { try Checkpoint.read(from: path) }
    let computed = try #require(error.message.split(separator: "computed ").last?.prefix(64))
    file.metadata["sha256"] = String(computed)
    try file.write(to: path)
    #expect(throws: MTLFastError(.badData, "\(path): \(message)")) { try Checkpoint.read(from: path) }
  }

  @Test func tasksThatDoNotMatchTheSums() {
    var checkpoint = smallCheckpoint()
    checkpoint.tasks = ["item"]
    #expect(throws: MTLFastError(.usage, "A checkpoint of 2 heads can't have 1 task names.")) {
      try checkpoint.write(to: path)
    }
    #expect(folder.names == [])
  }

  // MARK: Writing that fails

  /// In a process of its own, with a limit on the size of files and the default action for SIGXFSZ, which is to end it.
  @Test func aWriteThatFailsLeavesTheOldFileAndNothingElse() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let path = "\(folder.path)/a.safetensors"
      try smallCheckpoint(step: 1).write(to: path)
      try limitFileSize(to: 1000)
      // As in a main thread; the thread of a test has signals blocked.
      var signals = sigset_t()
      sigemptyset(&signals)
      sigaddset(&signals, SIGXFSZ)
      pthread_sigmask(SIG_UNBLOCK, &signals, nil)
      signal(SIGXFSZ, SIG_DFL)
      #expect(
        throws: MTLFastError(
          .writeFailed, "\(path): can't be written: File too large. Raise the limit on the size of files (ulimit -f).")
      ) { try smallCheckpoint(step: 2).write(to: path) }
      #expect(folder.names == ["a.safetensors"])
      #expect(try Checkpoint.read(from: path).state.step == 1)
      // The signal is as it was: neither blocked nor ignored nor waiting.
      pthread_sigmask(SIG_BLOCK, nil, &signals)
      #expect(sigismember(&signals, SIGXFSZ) == 0)
      sigpending(&signals)
      #expect(sigismember(&signals, SIGXFSZ) == 0)
    }
  }

  // MARK: Other programs

  /// The python named by MTLF_TORCH_PYTHON, where it has the safetensors package.
  static let python: String? = {
    guard let python = ProcessInfo.processInfo.environment["MTLF_TORCH_PYTHON"] else { return nil }
    return (try? run(python, ["-c", "import numpy, safetensors"])).map { _ in python }
  }()

  @Test(.enabled(if: python != nil, "MTLF_TORCH_PYTHON names no python that has numpy and safetensors"))
  func theSafetensorsPackageReadsIt() throws {
    let python = try #require(Self.python)
    try smallCheckpoint().write(to: path)
    let script = """
      import sys, numpy, safetensors
      with safetensors.safe_open(sys.argv[1], framework="numpy") as file:
          print(file.metadata()["step"], file.metadata()["recipe"].encode().hex())
          for name in \(smallState().parameters.map(\.name) + smallState().slots.map(\.name)):
              tensor = file.get_tensor(name)
              print(name, list(tensor.shape), tensor.dtype, tensor.reshape(-1).view(numpy.uint32).tolist())
          assert len(file.keys()) == 6
      """
    let recipe = smallRecipe.utf8.map { String(format: "%02x", $0) }.joined()
    let tensors = (smallState().parameters + smallState().slots).map {
      "\($0.name) \($0.dimensions) float32 \($0.values.map(\.bitPattern))\n"
    }
    #expect(try Self.run(python, ["-c", script, path]) == "905 \(recipe)\n" + tensors.joined())
  }

  @Test(.enabled(if: python != nil, "MTLF_TORCH_PYTHON names no python that has numpy and safetensors"))
  func aFileOfTheSafetensorsPackageIsReadButIsNoCheckpoint() throws {
    let python = try #require(Self.python)
    let script = """
      import sys, numpy, safetensors.numpy
      tensors = {"b": numpy.arange(6, dtype=numpy.float32).reshape(2, 3), "a": numpy.float32([7])}
      safetensors.numpy.save_file(tensors, sys.argv[1], metadata={"format": "pt"})
      """
    _ = try Self.run(python, ["-c", script, path])
    let file = try Safetensors.read(from: path)
    #expect(file.tensors.first { $0.name == "b" }?.values == [0, 1, 2, 3, 4, 5])
    #expect(file.tensors.first { $0.name == "b" }?.dimensions == [2, 3])
    #expect(throws: MTLFastError(.badData, "\(path): \(Self.isNone)")) { try Checkpoint.read(from: path) }
  }

  private struct Failed: Error {}

  private static func run(_ program: String, _ arguments: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw Failed() }
    return String(decoding: data, as: UTF8.self)
  }
}
