// SPDX-License-Identifier: Apache-2.0
// The safetensors format: bytes, round trips, and everything that is refused.

import Files
import Foundation
import MTLFast
import MTLFastTraining
import TestSupport
import Testing

@Suite struct SafetensorsTests {
  let folder: TemporaryFolder
  let path: String
  let cure = "Check the folder and its permissions, or name another one."

  init() throws {
    folder = try TemporaryFolder()
    path = "\(folder.path)/a.safetensors"
  }

  @Test func theBytesOfASmallFile() throws {
    let file = Safetensors(
      metadata: ["b": "2", "a": "\"\n\u{1}é"],
      tensors: [
        .init(name: "w", dimensions: [2, 1], values: [1, -2]), .init(name: "b", dimensions: [], values: [0.5]),
      ])
    try file.write(to: path)
    let json =
      #"{"__metadata__":{"a":"\"\n\u0001é","b":"2"},"w":{"data_offsets":[0,8],"dtype":"F32","shape":[2,1]},"#
      + #""b":{"data_offsets":[8,12],"dtype":"F32","shape":[]}}"#
    let padded = json + String(repeating: " ", count: 7 - (json.utf8.count + 7) % 8)
    let length: [UInt8] = [UInt8(padded.utf8.count), 0, 0, 0, 0, 0, 0, 0]
    let values: [UInt8] = [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0, 0x3f]
    #expect(try #require(folder.bytes(of: "a.safetensors")) == length + Array(padded.utf8) + values)
    #expect(padded.utf8.count % 8 == 0)
    #expect(folder.names == ["a.safetensors"])
  }

  @Test func valuesComeBackBitForBit() throws {
    let tensors: [Safetensors.Tensor] = [
      .init(name: "z", dimensions: [3, 4], values: awkwardValues),
      .init(name: "empty", dimensions: [0, 7], values: []),
      .init(name: "a \"quoted\" 漢字\n", dimensions: [1, 1, 1, 2], values: [3, 4]),
    ]
    let metadata = ["recipe": smallRecipe, "": "", "é": "😀"]
    try Safetensors(metadata: metadata, tensors: tensors).write(to: path)
    let file = try Safetensors.read(from: path)
    #expect(file.metadata == metadata)
    #expect(file.tensors.map(\.name) == tensors.map(\.name))
    #expect(file.tensors.map(\.dimensions) == tensors.map(\.dimensions))
    #expect(file.tensors.map { $0.values.map(\.bitPattern) } == tensors.map { $0.values.map(\.bitPattern) })
    #expect((try #require(folder.bytes(of: "a.safetensors")).count - 14 * 4) % 8 == 0)
  }

  @Test func nothingAtAllIsAFileToo() throws {
    try Safetensors(tensors: []).write(to: path)
    #expect(try #require(folder.bytes(of: "a.safetensors")) == [8, 0, 0, 0, 0, 0, 0, 0] + Array("{}      ".utf8))
    #expect(try Safetensors.read(from: path) == Safetensors(tensors: []))
  }

  @Test func headersOfOtherWritersAreRead() throws {
    let header = #"""
       {"b" : {"dtype":"F32", "shape":[1],"data_offsets":[4,8]},
      "a\u00e9\ud83d\ude00\/\t":{"shape": [ ] ,"dtype":"F\u00332","data_offsets":[0,4]}, "__metadata__":{ } }
      """#
    try folder.writeSafetensors(header, data: [0, 0, 0x80, 0x3f, 0, 0, 0, 0x40], to: "a.safetensors")
    let file = try Safetensors.read(from: path)
    #expect(file.metadata == [:])
    #expect(
      file.tensors == [
        .init(name: "b", dimensions: [1], values: [2]), .init(name: "aé😀/\t", dimensions: [], values: [1]),
      ])
  }

  // MARK: What can't be written

  static let unwritable: [([(String, [Int], Int)], String)] = [
    ([("a", [1], 1), ("a", [1], 1)], "Tensor 'a': the name is taken. Give each tensor its own."),
    ([("__metadata__", [1], 1)], "Tensor '__metadata__': the name is taken. Give each tensor its own."),
    ([("a", [2, 3], 5)], "Tensor 'a': 5 values can't have the shape [2, 3]."),
    ([("a", [-1, -1], 1)], "Tensor 'a': 1 values can't have the shape [-1, -1]."),
    ([("a", [1 << 40, 1 << 40], 0)], "Tensor 'a': 0 values can't have the shape [1099511627776, 1099511627776]."),
  ]

  @Test(arguments: unwritable)
  func contentThatTheFormatCannotHold(tensors: [(String, [Int], Int)], message: String) {
    let file = Safetensors(
      tensors: tensors.map { .init(name: $0, dimensions: $1, values: [Float](repeating: 0, count: $2)) })
    #expect(throws: MTLFastError(.usage, message)) { try file.write(to: path) }
    #expect(folder.names == [])
  }

  @Test func aFolderThatIsNotThere() {
    let path = "\(folder.path)/no/a"
    let message = "\(path): can't be written: No such file or directory. \(cure)"
    #expect(throws: MTLFastError(.writeFailed, message)) { try Safetensors(tensors: []).write(to: path) }
  }

  @Test func devicesAndFoldersAreNotReplaced() throws {
    for path in ["/dev/full", folder.path] {
      let message = "\(path): is a folder or device, not a file. Name another one."
      #expect(throws: MTLFastError(.writeFailed, message)) { try Safetensors(tensors: []).write(to: path) }
    }
    #expect(folder.names == [])
  }

  @Test(.enabled(if: geteuid() != 0, "root may write everywhere"))
  func aFolderThatMayNotBeWritten() throws {
    try FileManager.default.setAttributes([.posixPermissions: 0o500], ofItemAtPath: folder.path)
    let message = "\(path): can't be written: Permission denied. \(cure)"
    #expect(throws: MTLFastError(.writeFailed, message)) { try Safetensors(tensors: []).write(to: path) }
  }

  // MARK: What can't be read

  @Test func filesThatCannotBeOpened() throws {
    #expect(
      throws: MTLFastError(.missingInput, "\(path): can't be opened (No such file or directory). Check the path.")
    ) { try Safetensors.read(from: path) }
    #expect(
      throws: MTLFastError(.badData, "\(folder.path): is a folder or device, not a file. Check the path.")
    ) { try Safetensors.read(from: folder.path) }
    #expect(mkfifo(path, 0o600) == 0)
    #expect(throws: MTLFastError(.badData, "\(path): is a folder or device, not a file. Check the path.")) {
      try Safetensors.read(from: path)
    }
  }

  static let impossibleLengths: [([UInt8], String)] = [
    ([], "has 0 bytes, fewer than the 8 that a safetensors file starts with. It is damaged."),
    ([8, 0, 0], "has 3 bytes, fewer than the 8 that a safetensors file starts with. It is damaged."),
    (
      [3, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d],
      "the header claims 3 bytes but 2 follow. The file is damaged or no safetensors file."
    ),
    (
      [255, 255, 255, 255, 255, 255, 255, 255, 0x7b, 0x7d],
      "the header claims 18446744073709551615 bytes but 2 follow. The file is damaged or no safetensors file."
    ),
  ]

  @Test(arguments: impossibleLengths)
  func lengthsThatCannotBe(bytes: [UInt8], message: String) throws {
    try folder.write(bytes, to: "a.safetensors")
    #expect(throws: MTLFastError(.badData, "\(path): \(message)")) { try Safetensors.read(from: path) }
  }

  @Test func aHeaderAboveTheLimit() throws {
    // Sparse: it takes no space on the disk.
    try folder.write([1, 0xe1, 0xf5, 5, 0, 0, 0, 0], to: "a.safetensors")
    #expect(truncate(path, 100_000_009) == 0)
    #expect(
      throws: MTLFastError(.badData, "\(path): the header claims 100000001 bytes; at most 100000000 can be read.")
    ) { try Safetensors.read(from: path) }
  }

  static let incomplete = "tensor 'a' must have a dtype, a shape and two data_offsets"
  static let malformedHeaders: [(String, Int, String)] = [
    ("", 0, "expected '{'"),
    ("[]", 0, "expected '{'"),
    ("{", 1, #"expected '"'"#),
    ("{}x", 2, "something follows the closing '}'"),
    ("{}\0", 2, "something follows the closing '}'"),
    (#"{"a""#, 4, "expected ':'"),
    (#"{"a"#, 3, "the text has no end"),
    (#"{"a\"#, 4, "the text has no end"),
    (#"{"\x"#, 4, "an unknown escape"),
    ("{\"\n", 3, "a control character in a text"),
    (#"{"\u12g4"#, 6, "expected four hexadecimal digits"),
    (#"{"\ud800""#, 8, "half a surrogate pair"),
    (#"{"\ud800\n"#, 9, "half a surrogate pair"),
    (#"{"\ud800\u0041"#, 14, "half a surrogate pair"),
    (#"{"\udc00""#, 8, "half a surrogate pair"),
    (#"{"__metadata__":1}"#, 16, "expected '{'"),
    (#"{"__metadata__":{"a":1}}"#, 21, #"expected '"'"#),
    (#"{"__metadata__":{"a":"b","a":"b"}}"#, 32, "'a' comes twice"),
    (#"{"__metadata__":{},"__metadata__":{}}"#, 34, "'__metadata__' comes twice"),
    (#"{"a":[]}"#, 5, "expected '{'"),
    (#"{"a":{}}"#, 7, incomplete),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#, 51, incomplete),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}"#, 55, incomplete),
    (#"{"a":{"dtype":"F32","dtype":"F32"}}"#, 28, "'dtype' comes twice"),
    (#"{"a":{"strides":[1]}}"#, 16, "tensor 'a' has an unknown key 'strides'"),
    (#"{"a":{"shape":[-1]}}"#, 15, "expected a whole number"),
    (#"{"a":{"shape":[1.0]}}"#, 16, "expected ']'"),
    (#"{"a":{"shape":[1e3]}}"#, 16, "expected ']'"),
    (#"{"a":{"shape":[01]}}"#, 17, "expected a whole number"),
    (#"{"a":{"shape":[1,]}}"#, 17, "expected a whole number"),
    (#"{"a":{"shape":[9223372036854775808]}}"#, 33, "the number is too large"),
    (#"{"a":{"shape":[99999999999999999999999]}}"#, 33, "the number is too large"),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},}"#, 54, #"expected '"'"#),
    (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{}}"#, 58, "'a' comes twice"),
  ]

  @Test(arguments: malformedHeaders)
  func headersThatAreMalformed(header: String, position: Int, what: String) throws {
    try folder.writeSafetensors(header, data: [0, 0, 0, 0], to: "a.safetensors")
    let end = "The file is damaged or no safetensors file."
    #expect(
      throws: MTLFastError(.badData, "\(path): the header is malformed at byte \(8 + position): \(what). \(end)")
    ) { try Safetensors.read(from: path) }
  }

  @Test func aTextThatIsNoUTF8() throws {
    let header: [UInt8] = [0x7b, 0x22, 0xc3, 0x28, 0x22]
    try folder.write([5, 0, 0, 0, 0, 0, 0, 0] + header, to: "a.safetensors")
    let message = "the header is malformed at byte 13: the text is no UTF-8."
    let end = "The file is damaged or no safetensors file."
    #expect(throws: MTLFastError(.badData, "\(path): \(message) \(end)")) { try Safetensors.read(from: path) }
  }

  @Test func aHeaderThatIsVeryDeep() throws {
    try folder.writeSafetensors(#"{"a":"# + String(repeating: "[{", count: 1 << 20), to: "a.safetensors")
    #expect(throws: MTLFastError.self) { try Safetensors.read(from: path) }
  }

  static let misfits: [(String, String)] = [
    (#""a":{"dtype":"F16","shape":[4],"data_offsets":[0,8]}"#, "tensor 'a' is of type 'F16'. Only F32 can be read."),
    (
      #""a\n\u0007":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}"#,
      "tensor 'a??' has data_offsets [8, 0], which end before they begin."
    ),
    (
      #""a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}"#,
      "tensor 'a' has data_offsets [0, 12] but the file has 8 bytes of data."
    ),
    (
      #""a":{"dtype":"F32","shape":[9223372036854775807],"data_offsets":[0,9223372036854775807]}"#,
      "tensor 'a' has data_offsets [0, 9223372036854775807] but the file has 8 bytes of data."
    ),
    (
      #""a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}"#,
      "tensor 'a' has the shape [3], which is 12 bytes, and data_offsets [0, 8]."
    ),
    (
      #""a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}"#,
      "tensor 'a' has the shape [4294967296, 4294967296], which is too large, and data_offsets [0, 8]."
    ),
    (
      #""a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,9],"data_offsets":[0,8]}"#,
      "tensor 'a' has the shape [1, 1, 1, 1, 1, 1, 1, 1, ...], which is 36 bytes, and data_offsets [0, 8]."
    ),
    (
      #""a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}"#,
      "tensor 'a' begins at byte 4 of the data but the one before ends at 0."
    ),
    (
      #""a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}"#,
      "tensor 'b' begins at byte 4 of the data but the one before ends at 8."
    ),
    (
      #""a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[0],"data_offsets":[4,4]}"#,
      "tensor 'b' begins at byte 4 of the data but the one before ends at 8."
    ),
    (#""a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#, "4 bytes follow the last tensor."),
    ("", "8 bytes follow the last tensor."),
  ]

  @Test(arguments: misfits)
  func tensorsThatDoNotFitTheData(entries: String, message: String) throws {
    try folder.writeSafetensors("{\(entries)}", data: [UInt8](repeating: 0, count: 8), to: "a.safetensors")
    #expect(throws: MTLFastError(.badData, "\(path): \(message)")) { try Safetensors.read(from: path) }
  }

  @Test func namesInMessagesAreBounded() throws {
    let name = String(repeating: "n", count: 1000)
    try folder.writeSafetensors(#"{"\#(name)":{"dtype":"I8","shape":[],"data_offsets":[0,0]}}"#, to: "a.safetensors")
    let message = "\(path): tensor '\(name.prefix(80))...' is of type 'I8'. Only F32 can be read."
    #expect(throws: MTLFastError(.badData, message)) { try Safetensors.read(from: path) }
  }

  @Test func everyTruncationIsRefused() throws {
    try Safetensors(
      metadata: ["a": "b"], tensors: [.init(name: "w", dimensions: [2, 3], values: [1, 2, 3, 4, 5, 6])]
    ).write(to: path)
    let bytes = try #require(folder.bytes(of: "a.safetensors"))
    for count in 0..<bytes.count {
      try folder.write(Array(bytes[..<count]), to: "cut")
      let error = #expect(throws: MTLFastError.self) { try Safetensors.read(from: "\(folder.path)/cut") }
      #expect(error?.kind == .badData)
    }
  }

  /// Without a checksum a flip may change a value unseen; it must never end the program.
  @Test func noBitFlipTraps() throws {
    try Safetensors(
      metadata: ["a": "b\n"],
      tensors: [
        .init(name: "w", dimensions: [2, 3], values: [1, 2, 3, 4, 5, 6]), .init(name: "v", dimensions: [], values: [7]),
      ]
    ).write(to: path)
    let bytes = try #require(folder.bytes(of: "a.safetensors"))
    for position in bytes.indices {
      for bit in 0..<8 {
        var flipped = bytes
        flipped[position] ^= 1 << bit
        try folder.write(flipped, to: "flipped")
        do { _ = try Safetensors.read(from: "\(folder.path)/flipped") } catch let error as MTLFastError {
          #expect(error.kind == .badData)
        }
      }
    }
  }
}
