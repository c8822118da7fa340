// SPDX-License-Identifier: Apache-2.0
// .npy and .npz: every element type to the value, and what is refused.

import Files
import MTLFast
import TestSupport
import Testing

@testable import MTLFastData

/// A .npy file as numpy.save writes it.
func npy(_ descr: String, _ shape: String, _ data: [UInt8], fortran: String = "False", version: UInt8 = 1) -> [UInt8] {
  npy(header: "{'descr': \(descr), 'fortran_order': \(fortran), 'shape': \(shape), }", data, version: version)
}

func npy(header: String, _ data: [UInt8], version: UInt8 = 1) -> [UInt8] {
  let lengthBytes = version == 1 ? 2 : 4
  var text = Array(header.utf8)
  while (8 + lengthBytes + text.count + 1) % 64 != 0 { text.append(0x20) }
  text.append(0x0a)
  let length = (0..<lengthBytes).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
  return [0x93] + Array("NUMPY".utf8) + [version, 0] + length + text + data
}

struct NumPyFileTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  private func little<Value>(_ values: [Value]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }

  private func read(_ bytes: [UInt8]) throws -> NumPyArray {
    try #require(try NumPyFile.read(folder.write(bytes, to: "a.npy")).first)
  }

  private func integers(_ descr: String, _ data: [UInt8]) throws -> [Int64]? {
    let array = try read(npy(descr, "(2,)", data))
    #expect(array.name == "a")
    #expect(array.shape == [2])
    if case .integers(let values) = array.storage { return values }
    return nil
  }

  private func floats(_ descr: String, _ data: [UInt8], count: Int) throws -> [Float]? {
    if case .floats(let values) = try read(npy(descr, "(\(count),)", data)).storage { return values }
    return nil
  }

  @Test func readsEveryInteger() throws {
    #expect(try integers("'|i1'", little([Int8.min, 5])) == [-128, 5])
    #expect(try integers("'<i2'", little([Int16.min, 5])) == [-32768, 5])
    #expect(try integers("'<u2'", little([UInt16.max, 5])) == [65535, 5])
    #expect(try integers("'<i4'", little([Int32.min, 5])) == [-2_147_483_648, 5])
    #expect(try integers("'<u4'", little([UInt32.max, 5])) == [4_294_967_295, 5])
    #expect(try integers("'<i8'", little([Int64.min, 5])) == [.min, 5])
    #expect(try integers("'<u8'", little([UInt64(Int64.max), 5])) == [.max, 5])
    guard case .bytes(let bytes) = try read(npy("'|u1'", "(2, 2)", [0, 1, 254, 255])).storage else {
      Issue.record("not bytes")
      return
    }
    #expect(bytes == [0, 1, 254, 255])
    guard case .bytes(let booleans) = try read(npy("'|b1'", "(2,)", [0, 1])).storage else {
      Issue.record("not bytes")
      return
    }
    #expect(booleans == [0, 1])
  }

  @Test func readsEveryFloat() throws {
    #expect(try floats("'<f4'", little([Float(1.5), -0.25]), count: 2) == [1.5, -0.25])
    #expect(try floats("'<f8'", little([1.5, 0.1]), count: 2) == [1.5, Float(0.1)])
    // 1, -2, largest, smallest subnormal, smallest normal, infinity
    let halves: [UInt16] = [0x3c00, 0xc000, 0x7bff, 0x0001, 0x0400, 0x7c00]
    #expect(
      try floats("'<f2'", little(halves), count: 6) == [1, -2, 65504, 0x1p-24, 0x1p-14, .infinity])
    #expect(NumPyFile.float(half: 0x7e00).isNaN)
    #expect(NumPyFile.float(half: 0x8000).sign == .minus)
  }

  @Test(arguments: [1, 2, 3] as [UInt8]) func readsEveryVersion(version: UInt8) throws {
    #expect(try read(npy("'|u1'", "(3, 0)", [], version: version)).shape == [3, 0])
    #expect(try read(npy("'<f8'", "()", little([3.0]), version: version)).shape == [])
    let reordered = "{\"shape\":(1,2,),'descr':'|u1','fortran_order':False}"
    #expect(try read(npy(header: reordered, [1, 2], version: version)).shape == [1, 2])
  }

  @Test(arguments: [ArchiveKind.zipStored, .zipDeflated]) func readsArchives(kind: ArchiveKind) throws {
    let members = [
      ("y.npy", npy("'<i4'", "(2,)", little([Int32(3), 4]))), ("x.npy", npy("'|u1'", "(2, 1)", [7, 8])),
    ]
    let arrays = try NumPyFile.read(folder.write(archive(members, kind), to: "a.npz"))
    #expect(arrays.map(\.name) == ["x", "y"])
    #expect(arrays.map(\.shape) == [[2, 1], [2]])
    if case .integers(let values) = arrays[1].storage { #expect(values == [3, 4]) }
  }

  // MARK: Errors

  private func expectRefusal(_ bytes: [UInt8], _ message: String, sourceLocation: SourceLocation = #_sourceLocation) {
    expectError(.badData, "\(folder.path)/a.npy: \(message)", sourceLocation: sourceLocation) { try read(bytes) }
  }

  @Test func fortranOrder() {
    expectRefusal(
      npy("'<f4'", "(1, 1)", [0, 0, 0, 0], fortran: "True"),
      "is in Fortran order. Save it in C order: numpy.save(file, numpy.ascontiguousarray(a)).")
  }

  @Test func otherElementTypes() {
    expectRefusal(
      npy("'>i4'", "(1,)", [0, 0, 0, 0]),
      "is big-endian ('>i4'). Save it little-endian: numpy.save(file, a.astype('<i4')).")
    expectRefusal(
      npy("'|O'", "(1,)", [0]),
      "has elements of type '|O', known are b1, u1, i1, u2, i2, f2, u4, i4, f4, u8, i8, f8. "
        + "Convert it: numpy.save(file, a.astype('<f4')).")
    expectRefusal(
      npy("[('x', '<f4')]", "(1,)", [0, 0, 0, 0]),
      "has a structured element type. Save each field as an array of its own: numpy.savez.")
    expectRefusal(
      npy("'<u8'", "(1,)", [UInt8](repeating: 255, count: 8)),
      "holds 18446744073709551615, more than 9223372036854775807. Convert it with a.astype('<f4').")
  }

  @Test func sizesThatDoNotFit() {
    expectRefusal(
      npy("'<f4'", "(2, 3)", [0, 0, 0, 0]),
      "its header promises [2, 3] of '<f4', 24 bytes, but 4 follow. The file is damaged: save it again.")
    expectRefusal(
      npy("'|u1'", "(1,)", [0, 0]),
      "its header promises [1] of '|u1', 1 bytes, but 2 follow. The file is damaged: save it again.")
    let huge = "(4611686018427387904, 4)"
    expectRefusal(
      npy("'|u1'", huge, [0]),
      "its header promises [4611686018427387904, 4] of '|u1', too many bytes, but 1 follow. "
        + "The file is damaged: save it again.")
  }

  @Test(arguments: [
    ("{'descr': '|u1', 'shape': (1,)}", "lacks one of descr, fortran_order and shape"),
    ("{'descr': '|u1', 'descr': '|u1'}", "has the key 'descr', which is unknown or there twice"),
    ("{'other': 1}", "has the key 'other', which is unknown or there twice"),
    ("{'shape': (-1,)}", "has a size at byte 11 that is no number or too large"),
    ("{'shape': (99999999999999999999,)}", "has a size at byte 11 that is no number or too large"),
    ("{'descr': '|u1", "has a text without an end"),
    ("[]", "lacks '{' at byte 0"),
    ("{'fortran_order': 0}", "lacks 'False' at byte 18"),
    ("{'descr': '|u1', 'fortran_order': False, 'shape': (1,)} x", "goes on after its dictionary"),
  ])
  func headersThatAreNone(header: String, problem: String) {
    expectRefusal(npy(header: header, [0]), "its header \(problem). The file is damaged: save it again.")
  }

  @Test func startsThatAreNone() {
    expectRefusal([], "ends inside its header, after 0 bytes. Save it again.")
    expectRefusal(Array("a,b\n1,2\n".utf8), "doesn't begin as a .npy file does. Save the array with numpy.save.")
    var other = npy("'|u1'", "(1,)", [0])
    other[6] = 4
    expectRefusal(other, "has format 4.0, known are 1.0, 2.0 and 3.0. Save it with numpy.save.")
    expectRefusal(
      Array(npy("'|u1'", "(1,)", [0])[..<40]),
      "claims a header of 118 bytes in 40. The file is damaged: save it again.")
  }

  /// Whatever a damaged file holds, it is read or refused, never a trap.
  @Test func everyByteMayBeWrong() throws {
    let good = npy("'<i2'", "(2, 3)", [UInt8](repeating: 1, count: 12))
    for index in 0..<80 {
      for value in [0, 0x27, 0x29, 0x39, 0xff] as [UInt8] {
        var bytes = good
        bytes[index] = value
        _ = try? read(bytes)
      }
    }
    for length in 0..<good.count { #expect(throws: MTLFastError.self) { try read(Array(good[..<length])) } }
  }

  @Test func archivesThatAreNone() throws {
    let path = try folder.write(archive([("x.txt", Array("hello, world".utf8))], .zipStored), to: "a.npz")
    expectError(
      .badData, "\(path): x.txt: doesn't begin as a .npy file does. Save the array with numpy.save."
    ) { try NumPyFile.read(path) }
    let twice = try folder.write(
      archive([("x.npy", npy("'|u1'", "(1,)", [0])), ("x", npy("'|u1'", "(1,)", [0]))], .zipStored), to: "a.npz")
    expectError(.badData, "\(twice): has two arrays named 'x'. Save it again.") { try NumPyFile.read(twice) }
    var damaged = try archive([("x.npy", npy("'|u1'", "(3000,)", noise(3000)))], .zipStored)
    damaged[2000] ^= 1
    let path2 = try folder.write(damaged, to: "b.npz")
    #expect(throws: MTLFastError.self) { try NumPyFile.read(path2) }
  }
}
