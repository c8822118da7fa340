// SPDX-License-Identifier: Apache-2.0
// Records of event files: round trip, torn and damaged files.

import Testing

@testable import MTLFastTraining

@Suite struct RecordFramingTests {
  private let data: [[UInt8]] = [Array("first".utf8), [], Array(repeating: 7, count: 300)]
  private var file: [UInt8] { data.flatMap(RecordFraming.record) }

  private func read(_ file: [UInt8]) -> (records: [[UInt8]], end: Int) {
    file.withUnsafeBytes { bytes in
      var reader = RecordReader(bytes)
      var records: [[UInt8]] = []
      while let record = reader.next() { records.append(Array(record)) }
      return (records, reader.offset)
    }
  }

  @Test func recordsComeBack() {
    let (records, end) = read(file)
    #expect(records == data)
    #expect(end == file.count && end == data.reduce(0) { $0 + $1.count + 16 })
  }

  @Test func everyTornFileEndsAfterItsLastWholeRecord() {
    let ends = [0, 21, 37, 353]
    for count in 0...file.count {
      let (records, end) = read(Array(file.prefix(count)))
      #expect(end == ends.last { $0 <= count }, "\(count) bytes")
      #expect(records == Array(data.prefix(records.count)))
    }
  }

  @Test func everyChangedByteIsFound() {
    let ends = [21, 37, 353]
    for place in file.indices {
      var file = file
      file[place] ^= 0x40
      let before = ends.last { $0 <= place } ?? 0
      #expect(read(file).end == before, "byte \(place)")
    }
  }

  @Test func aLengthBeyondTheFile() {
    for length in [UInt64.max, UInt64(Int64.max), 1 << 40, 100] {
      var file: [UInt8] = []
      withUnsafeBytes(of: length.littleEndian) { length in
        file += length
        withUnsafeBytes(of: CRC32C.masked(length).littleEndian) { file += $0 }
      }
      file += [UInt8](repeating: 0, count: 50)
      #expect(read(file).end == 0)
    }
  }
}
