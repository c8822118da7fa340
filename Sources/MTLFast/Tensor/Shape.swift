// SPDX-License-Identifier: Apache-2.0
// The shape of one sample's tensor, without the batch dimension.

import Files

/// The dimensions of one sample: `[H, W, C]` for images, `[K]` for vectors. The batch dimension is never part of it.
public struct Shape: Hashable, Sendable, CustomStringConvertible, ExpressibleByArrayLiteral {
  public let dimensions: [Int]

  public init(_ dimensions: [Int]) { self.dimensions = dimensions }
  public init(arrayLiteral elements: Int...) { dimensions = elements }

  /// A vector of `count` values, `[K]`.
  public static func vector(_ count: Int) -> Shape { [count] }
  /// An image, `[H, W, C]`.
  public static func image(height: Int, width: Int, channels: Int) -> Shape { [height, width, channels] }

  public var rank: Int { dimensions.count }
  public var isImage: Bool { rank == 3 }
  public var isVector: Bool { rank == 1 }
  public var height: Int { isImage ? dimensions[0] : 1 }
  public var width: Int { isImage ? dimensions[1] : 1 }
  /// C of an image, K of a vector.
  public var channels: Int { dimensions.last ?? 1 }

  /// The number of elements of one sample, or nil where the product overflows or a dimension is not positive.
  public var checkedElementCount: Int? {
    var product = 1
    for dimension in dimensions {
      guard dimension > 0 else { return nil }
      let (value, overflow) = product.multipliedReportingOverflow(by: dimension)
      guard !overflow else { return nil }
      product = value
    }
    return product
  }

  /// The number of elements of one sample. A shape that a model or a data set holds was checked when it was built.
  public var elementCount: Int { checkedElementCount ?? 0 }

  /// `28x28x1`
  public var description: String { dimensions.map(String.init).joined(separator: "x") }
}
