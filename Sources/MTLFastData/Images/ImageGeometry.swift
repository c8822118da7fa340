// SPDX-License-Identifier: Apache-2.0
// Which part of an image goes where in an output of another size: the same for an image and for its mask.

/// How an image of one aspect ratio fills a shape of another.
public enum ImageFit: String, CaseIterable, Sendable {
  /// Resized until the shorter side fits; what sticks out of the longer one is cut off, half on either side.
  case crop
  /// Resized until the longer side fits; black bars fill the rest, half on either side (the odd pixel goes to the
  /// bottom and right).
  case letterbox
  /// Resized to the shape whatever the aspect ratio.
  case stretch
}

/// A rectangle of pixels, half-open: columns `x0..<x1` of rows `y0..<y1`.
public struct ImageBox: Hashable, Sendable, CustomStringConvertible {
  public let x0: Int
  public let y0: Int
  public let x1: Int
  public let y1: Int

  public init(x0: Int, y0: Int, x1: Int, y1: Int) {
    self.x0 = x0
    self.y0 = y0
    self.x1 = x1
    self.y1 = y1
  }

  /// `(10,20)-(30,40)`
  public var description: String { "(\(x0),\(y0))-(\(x1),\(y1))" }

  /// Whether it holds at least one pixel and none outside an image of that size.
  func lies(inWidth width: Int, height: Int) -> Bool {
    x0 >= 0 && y0 >= 0 && x0 < x1 && y0 < y1 && x1 <= width && y1 <= height
  }
}

/// The pixels of an output that show the image; the others are the bars of a letterbox.
public struct PixelRegion: Hashable, Sendable {
  public let top: Int
  public let left: Int
  public let height: Int
  public let width: Int

  public init(top: Int, left: Int, height: Int, width: Int) {
    self.top = top
    self.left = left
    self.height = height
    self.width = width
  }

  /// No pixel at all.
  public static let empty = PixelRegion(top: 0, left: 0, height: 0, width: 0)
}

/// The part of an image that is shown, in fractions of its pixels, and the part of the output that shows it.
struct ImageGeometry: Equatable {
  /// The pixels of the image that may be looked at: what lies outside the box must not leak in.
  let bounds: ImageBox
  let x: Double
  let y: Double
  let width: Double
  let height: Double
  let region: PixelRegion

  private init(bounds: ImageBox, x: Double, y: Double, width: Double, height: Double, region: PixelRegion) {
    self.bounds = bounds
    self.x = x
    self.y = y
    self.width = width
    self.height = height
    self.region = region
  }

  /// - Parameter box: lies in the image. Sides are at most `ImageFile.largestSide`, so that no product overflows.
  init(of box: ImageBox, outputHeight: Int, outputWidth: Int, fit: ImageFit) {
    let boxWidth = box.x1 - box.x0
    let boxHeight = box.y1 - box.y0
    // Aspect ratios compared without division.
    let isWider = boxWidth * outputHeight > boxHeight * outputWidth
    var shownWidth = Double(boxWidth)
    var shownHeight = Double(boxHeight)
    var regionWidth = outputWidth
    var regionHeight = outputHeight
    switch fit {
    case .stretch: break
    case .crop:
      if isWider {
        shownWidth = Double(boxHeight * outputWidth) / Double(outputHeight)
      } else {
        shownHeight = Double(boxWidth * outputHeight) / Double(outputWidth)
      }
    case .letterbox:
      // Rounded to the nearest, at least one pixel.
      if isWider {
        regionHeight = max(1, (2 * boxHeight * outputWidth + boxWidth) / (2 * boxWidth))
      } else {
        regionWidth = max(1, (2 * boxWidth * outputHeight + boxHeight) / (2 * boxHeight))
      }
    }
    bounds = box
    x = Double(box.x0) + (Double(boxWidth) - shownWidth) / 2
    y = Double(box.y0) + (Double(boxHeight) - shownHeight) / 2
    width = shownWidth
    height = shownHeight
    region = PixelRegion(
      top: (outputHeight - regionHeight) / 2, left: (outputWidth - regionWidth) / 2, height: regionHeight,
      width: regionWidth)
  }

  /// The same view of the image after it was shrunk to 1/`divisor`, rounded up to whole pixels.
  func shrunk(by divisor: Int, imageWidth: Int, imageHeight: Int) -> ImageGeometry {
    guard divisor > 1 else { return self }
    // A shrunk pixel that is partly outside the box is left out; the last one of the image has nothing outside.
    func shrink(_ low: Int, _ high: Int, of size: Int) -> (Int, Int) {
      let inner = ((low + divisor - 1) / divisor, high == size ? (size + divisor - 1) / divisor : high / divisor)
      return inner.0 < inner.1 ? inner : (low / divisor, (high + divisor - 1) / divisor)
    }
    let columns = shrink(bounds.x0, bounds.x1, of: imageWidth)
    let rows = shrink(bounds.y0, bounds.y1, of: imageHeight)
    let scale = 1 / Double(divisor)
    return ImageGeometry(
      bounds: ImageBox(x0: columns.0, y0: rows.0, x1: columns.1, y1: rows.1), x: x * scale, y: y * scale,
      width: width * scale, height: height * scale, region: region)
  }

  /// The column of the image that is nearest to each column of the region.
  var nearestColumns: [Int] { Self.nearest(x, width, region.width, bounds.x0..<bounds.x1) }
  /// The row of the image that is nearest to each row of the region.
  var nearestRows: [Int] { Self.nearest(y, height, region.height, bounds.y0..<bounds.y1) }

  private static func nearest(_ start: Double, _ length: Double, _ count: Int, _ limits: Range<Int>) -> [Int] {
    (0..<count).map { index in
      let centre = start + (Double(index) + 0.5) * length / Double(count)
      return min(max(Int(centre), limits.lowerBound), limits.upperBound - 1)
    }
  }
}
