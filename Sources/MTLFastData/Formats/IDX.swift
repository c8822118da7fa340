// SPDX-License-Identifier: Apache-2.0
// The IDX format: images and labels of the MNIST family, one unsigned byte a value, plain or gzip.

import Files
import MTLFast

/// Reads IDX files of unsigned bytes.
///
/// An IDX file is a big-endian header and then the values, row-major: `00 00 08 D`, D sizes of 4 bytes each, and
/// their product in bytes. Images have D = 3, `[N, H, W]`; labels have D = 1, `[N]`.
/// Source: Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits", 1998.
///
/// Nothing that a header claims is believed: sizes are multiplied with overflow checks and compared with what the file
/// can hold before memory is asked for, and the content must end where the header says.
public enum IDX {
  /// The samples of an image file and its label file.
  ///
  ///     let digits = try IDX.dataset(name: "digits", images: "images.gz", labels: "labels.gz")
  ///     digits.inputs["image"]?.shape   // 28x28x1
  ///
  /// - Parameters:
  ///   - images: path of the images, `[N, H, W]`; they become the input column `image`, `[N, H, W, 1]`.
  ///   - labels: path of the labels, `[N]`; they become the label column `label`.
  ///   - classNames: one for each class; nil names the classes `0`, `1`, ... up to the largest label.
  /// - Throws: `MTLFastError` of kind `missingInput` where a file can't be opened, `badData` where one is wrong.
  public static func dataset(
    name: String, images: String, labels: String, classNames: [String]? = nil
  ) throws -> Dataset {
    let labelColumn = try readLabels(at: labels, classNames: classNames)
    let imageFile = try IDXFile(path: images, content: .images)
    guard imageFile.count == labelColumn.values.count else {
      throw MTLFastError(
        .badData,
        "\(images) holds \(imageFile.count) images but \(labels) holds \(labelColumn.values.count) labels. "
          + "The files don't belong together: check the paths.")
    }
    return try Dataset(
      name: name, inputs: ["image": .bytes(shape: imageFile.shape, values: try imageFile.values())],
      labels: ["label": labelColumn])
  }

  /// Images `[N, H, W]` as a column of shape `[H, W, 1]`.
  ///
  /// - Throws: `MTLFastError` of kind `missingInput` where the file can't be opened, `badData` where it is wrong.
  public static func readImages(at path: String) throws -> InputColumn {
    let file = try IDXFile(path: path, content: .images)
    return .bytes(shape: file.shape, values: try file.values())
  }

  /// Labels `[N]`, each below the number of classes; nil names the classes `0`, `1`, ... up to the largest label.
  ///
  /// - Throws: `MTLFastError` of kind `missingInput` where the file can't be opened, `badData` where it is wrong or
  ///   a label has no class.
  public static func readLabels(at path: String, classNames: [String]? = nil) throws -> LabelColumn {
    let labels = try IDXFile(path: path, content: .labels).values()
    let names = classNames ?? (0...Int(labels.max() ?? 0)).map(String.init)
    if let row = labels.firstIndex(where: { Int($0) >= names.count }) {
      throw MTLFastError(
        .badData,
        "\(path): the label at row \(row) is \(labels[row]) but there are \(names.count) classes"
          + "\(names.isEmpty ? "" : " (0...\(names.count - 1))"). The file is damaged or of another data set.")
    }
    return LabelColumn(values: labels.map(Int32.init), classNames: names)
  }
}

/// An open IDX file whose header was read and found possible.
struct IDXFile {
  enum Content: String {
    case images
    case labels

    /// The third byte says unsigned bytes, the fourth the number of dimensions.
    var magic: UInt32 { self == .images ? 0x0803 : 0x0801 }
    var headerBytes: Int { self == .images ? 16 : 8 }
  }

  /// N.
  let count: Int
  /// Of one image, `[H, W, 1]`; `[1]` for labels.
  let shape: Shape

  private let file: InflatingFile
  private let content: Content
  private let valueBytes: Int

  init(path: String, content: Content) throws {
    file = try InflatingFile(path: path)
    self.content = content
    let header = try Self.readHeader(of: file, content: content)
    count = header[0]
    shape = content == .images ? .image(height: header[1], width: header[2], channels: 1) : .vector(1)
    let sizes = header.map(String.init).joined(separator: " x ")
    guard let product = Shape(header).checkedElementCount else {
      throw MTLFastError(
        .badData,
        "\(path): the header says \(sizes) \(content.rawValue), which are none or too many. Get the file again.")
    }
    guard product <= file.contentBound - content.headerBytes else {
      throw MTLFastError(
        .badData,
        "\(path): the header promises \(sizes) = \(product) bytes of \(content.rawValue) but the file has only "
          + "\(file.sizeOnDisk)\(file.isCompressed ? " compressed" : "") bytes. It is damaged: get it again.")
    }
    valueBytes = product
  }

  /// The values, `[N, H, W]` or `[N]`: inflated straight into the array, which is the only copy.
  func values() throws -> [UInt8] {
    try Memory.require(valueBytes, for: file.path, remedy: "Use fewer samples.")
    let values = try [UInt8](unsafeUninitializedCapacity: valueBytes) { buffer, initializedCount in
      initializedCount = try file.read(
        into: UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: valueBytes))
    }
    guard values.count == valueBytes else {
      throw MTLFastError(
        .badData,
        "\(file.path): the header promises \(valueBytes) bytes of \(content.rawValue) but \(values.count) follow. "
          + "The file was cut short: get it again.")
    }
    // Asking for one byte more also makes zlib check the CRC at the end.
    let surplus = try withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { try file.read(into: $0) }
    guard surplus == 0 else {
      throw MTLFastError(
        .badData,
        "\(file.path): goes on after the \(valueBytes) bytes of \(content.rawValue) that its header promises. "
          + "The file is damaged: get it again.")
    }
    return values
  }

  private static func readHeader(of file: InflatingFile, content: Content) throws -> [Int] {
    let header = try [UInt8](unsafeUninitializedCapacity: content.headerBytes) { buffer, initializedCount in
      initializedCount = try file.read(
        into: UnsafeMutableRawBufferPointer(start: buffer.baseAddress, count: content.headerBytes))
    }
    func word(_ index: Int) -> UInt32 { header[index * 4..<index * 4 + 4].reduce(0) { $0 << 8 | UInt32($1) } }
    if header.count >= 4, word(0) != content.magic {
      let other: Content = content == .images ? .labels : .images
      throw MTLFastError(
        .badData,
        "\(file.path): starts with \(hexadecimal(word(0))) but IDX \(content.rawValue) start with "
          + "\(hexadecimal(content.magic)). "
          + (word(0) == other.magic
            ? "These are \(other.rawValue): the two paths may be swapped."
            : "It is another kind of file: check the path."))
    }
    guard header.count == content.headerBytes else {
      throw MTLFastError(
        .badData,
        "\(file.path): holds \(header.count) bytes, less than the \(content.headerBytes) of an IDX header for "
          + "\(content.rawValue). The file was cut short: get it again.")
    }
    return (1..<content.headerBytes / 4).map { Int(word($0)) }
  }

  private static func hexadecimal(_ word: UInt32) -> String {
    let digits = String(word, radix: 16)
    return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
  }
}
