// SPDX-License-Identifier: Apache-2.0
// IDX files: what they hold is read exactly, and whatever is wrong with one is one clear line.

import Files
import MTLFast
import TestSupport
import Testing

@testable import MTLFastData

struct IDXTests {
  let folder: TemporaryFolder
  init() throws { folder = try TemporaryFolder() }

  @Test(arguments: [false, true]) func readsImagesAndLabels(compressed: Bool) throws {
    let images = TinyIDX.images(4)
    let labels = TinyIDX.labels([1, 0, 2, 1])
    let dataset = try IDX.dataset(
      name: "tiny", images: folder.write(compressed ? gzip(images) : images, to: "images"),
      labels: folder.write(compressed ? gzip(labels) : labels, to: "labels"), classNames: ["x", "y", "z"])
    #expect(dataset.count == 4)
    #expect(dataset.labels["label"]?.values == [1, 0, 2, 1])
    #expect(dataset.labels["label"]?.classNames == ["x", "y", "z"])
    guard case .bytes(let shape, let values) = dataset.inputs["image"] else {
      Issue.record("images are not bytes")
      return
    }
    #expect(shape == [2, 3, 1])
    #expect(values == Array(0..<24))
  }

  /// Larger than every buffer on the way, and incompressible, so that chunks of the file end inside the data.
  @Test(arguments: [false, true]) func readsWhatIsLargerThanItsBuffers(compressed: Bool) throws {
    let pixels = noise(1_500_000)
    let file = TinyIDX.header(0x0803, 1500, 40, 25) + pixels
    let column = try IDX.readImages(at: folder.write(compressed ? gzip(file) : file, to: "images"))
    guard case .bytes(let shape, let values) = column else {
      Issue.record("images are not bytes")
      return
    }
    #expect(shape == [40, 25, 1])
    #expect(values == pixels)
  }

  @Test func readsSeveralGzipMembersAsOne() throws {
    let labels = TinyIDX.labels([0, 1, 2, 3, 4])
    let path = try folder.write(gzip(Array(labels[..<10])) + gzip(Array(labels[10...])), to: "labels")
    #expect(try IDX.readLabels(at: path).values == [0, 1, 2, 3, 4])
  }

  @Test func namesClassesByNumberWhereNobodyNamesThem() throws {
    let path = try folder.write(TinyIDX.labels([2, 0]), to: "labels")
    #expect(try IDX.readLabels(at: path).classNames == ["0", "1", "2"])
  }

  // MARK: Errors

  @Test func missingFile() {
    let path = "\(folder.path)/none"
    expectError(.missingInput, "\(path): can't be opened (No such file or directory). Check the path.") {
      try IDX.readImages(at: path)
    }
  }

  @Test func folderInsteadOfFile() {
    expectError(.badData, "\(folder.path): is a folder or device, not a file. Check the path.") {
      try IDX.readImages(at: folder.path)
    }
  }

  @Test func swappedPaths() throws {
    let path = try folder.write(TinyIDX.labels([0]), to: "labels")
    expectError(
      .badData,
      "\(path): starts with 0x00000801 but IDX images start with 0x00000803. "
        + "These are labels: the two paths may be swapped."
    ) { try IDX.readImages(at: path) }
  }

  @Test func otherKindOfFile() throws {
    let path = try folder.write(Array("<!DOCTYPE html>".utf8), to: "labels")
    expectError(
      .badData,
      "\(path): starts with 0x3c21444f but IDX labels start with 0x00000801. "
        + "It is another kind of file: check the path."
    ) { try IDX.readLabels(at: path) }
  }

  @Test(arguments: [0, 1, 3, 4, 15]) func cutInsideTheHeader(length: Int) throws {
    let path = try folder.write(Array(TinyIDX.images(1)[..<length]), to: "images")
    expectError(
      .badData,
      "\(path): holds \(length) bytes, less than the 16 of an IDX header for images. "
        + "The file was cut short: get it again."
    ) { try IDX.readImages(at: path) }
  }

  @Test func noImages() throws {
    let path = try folder.write(TinyIDX.images(0), to: "images")
    expectError(
      .badData, "\(path): the header says 0 x 2 x 3 images, which are none or too many. Get the file again."
    ) { try IDX.readImages(at: path) }
  }

  @Test func sizesThatOverflow() throws {
    let path = try folder.write(TinyIDX.header(0x0803, .max, .max, .max), to: "images")
    expectError(
      .badData,
      "\(path): the header says 4294967295 x 4294967295 x 4294967295 images, which are none or too many. "
        + "Get the file again."
    ) { try IDX.readImages(at: path) }
  }

  @Test func plainFileThatHoldsLessThanItsHeaderSays() throws {
    let path = try folder.write(TinyIDX.header(0x0803, 60000, 28, 28) + [1, 2, 3], to: "images")
    expectError(
      .badData,
      "\(path): the header promises 60000 x 28 x 28 = 47040000 bytes of images but the file has only 19 bytes. "
        + "It is damaged: get it again."
    ) { try IDX.readImages(at: path) }
  }

  @Test func gzipThatIsTooSmallForItsHeader() throws {
    let bytes = try gzip(TinyIDX.header(0x0801, 4_000_000_000) + [1, 2, 3])
    let path = try folder.write(bytes, to: "labels")
    expectError(
      .badData,
      "\(path): the header promises 4000000000 = 4000000000 bytes of labels but the file has only \(bytes.count) "
        + "compressed bytes. It is damaged: get it again."
    ) { try IDX.readLabels(at: path) }
  }

  @Test func gzipThatHoldsLessThanItsHeaderSays() throws {
    let path = try folder.write(gzip(TinyIDX.header(0x0801, 100) + [1, 2, 3]), to: "labels")
    expectError(
      .badData,
      "\(path): the header promises 100 bytes of labels but 3 follow. The file was cut short: get it again."
    ) { try IDX.readLabels(at: path) }
  }

  @Test(arguments: [false, true]) func bytesAfterTheContent(compressed: Bool) throws {
    let bytes = TinyIDX.labels([1, 2, 3]) + [0]
    let path = try folder.write(compressed ? gzip(bytes) : bytes, to: "labels")
    expectError(
      .badData,
      "\(path): goes on after the 3 bytes of labels that its header promises. The file is damaged: get it again."
    ) { try IDX.readLabels(at: path) }
  }

  @Test(arguments: [[0], [0x1f], [0x1f, 0x8b, 0, 0, 0, 0, 0, 0, 0, 0, 0]] as [[UInt8]])
  func bytesAfterTheGzipData(surplus: [UInt8]) throws {
    let bytes = try gzip(TinyIDX.labels([1, 2, 3])) + surplus
    let path = try folder.write(bytes, to: "labels")
    let expected =
      surplus == [0x1f]
      // One byte of what could be another member.
      ? "\(path): the gzip data break off at the end of the file, \(bytes.count) bytes. Get the file again."
      : "\(path): other bytes follow the end of its gzip data (\(bytes.count) bytes in all). Get the file again."
    expectError(.badData, expected) { try IDX.readLabels(at: path) }
  }

  @Test func truncatedGzip() throws {
    let whole = try gzip(TinyIDX.header(0x0801, 5000) + noise(5000).map { $0 % 10 })
    for length in [2, 9, 10, 30, whole.count / 2, whole.count - 8, whole.count - 1] {
      let path = try folder.write(Array(whole[..<length]), to: "labels-\(length)")
      expectError(
        .badData, "\(path): the gzip data break off at the end of the file, \(length) bytes. Get the file again."
      ) { try IDX.readLabels(at: path) }
    }
  }

  @Test func wrongChecksum() throws {
    var bytes = try gzip(TinyIDX.labels([1, 2, 3]))
    bytes[bytes.count - 8] ^= 1
    let path = try folder.write(bytes, to: "labels")
    expectError(
      .badData,
      "\(path): the gzip data are damaged at byte \(bytes.count - 4) of \(bytes.count) (incorrect data check). "
        + "Get the file again."
    ) { try IDX.readLabels(at: path) }
  }

  /// Whichever bit of a gzip file flips, the reader answers with an error or, where the bit means nothing, the data.
  @Test func everyFlippedBitIsNoticedOrHarmless() throws {
    let labels: [UInt8] = (0..<40).map { $0 % 10 }
    let whole = try gzip(TinyIDX.labels(labels))
    for bit in 0..<whole.count * 8 {
      var bytes = whole
      bytes[bit / 8] ^= 1 << (bit % 8)
      let path = try folder.write(bytes, to: "labels")
      do {
        #expect(try IDX.readLabels(at: path).values == labels.map(Int32.init), "bit \(bit)")
      } catch {
        #expect(error is MTLFastError, "bit \(bit)")
      }
    }
  }

  @Test func labelOutOfRange() throws {
    let path = try folder.write(TinyIDX.labels([0, 9, 10, 3]), to: "labels")
    expectError(
      .badData,
      "\(path): the label at row 2 is 10 but there are 10 classes (0...9). The file is damaged or of another data set."
    ) { try IDX.readLabels(at: path, classNames: (0..<10).map(String.init)) }
  }

  @Test func countsThatDiffer() throws {
    let images = try folder.write(gzip(TinyIDX.images(3)), to: "images")
    let labels = try folder.write(gzip(TinyIDX.labels([0, 1])), to: "labels")
    expectError(
      .badData,
      "\(images) holds 3 images but \(labels) holds 2 labels. The files don't belong together: check the paths."
    ) { try IDX.dataset(name: "tiny", images: images, labels: labels) }
  }
}
