// SPDX-License-Identifier: Apache-2.0
// Padding and window arithmetic that convolution and pooling share.

import Files

/// Zeros around an image. `same` is Keras's: the odd pixel goes to the bottom and right.
public enum Padding: Hashable, Sendable, CustomStringConvertible {
  case valid
  case same
  case explicit(top: Int, bottom: Int, left: Int, right: Int)

  /// `valid`, `same` or `[top, bottom, left, right]`.
  public var description: String {
    switch self {
    case .valid: "valid"
    case .same: "same"
    case .explicit(let top, let bottom, let left, let right): "[\(top), \(bottom), \(left), \(right)]"
    }
  }
}

/// A window that slides over an image: kernel, stride and padding, with the sizes that follow for one input.
public struct WindowGeometry: Hashable, Sendable {
  public let inputHeight: Int, inputWidth: Int
  public let kernelHeight: Int, kernelWidth: Int
  public let strideHeight: Int, strideWidth: Int
  public let padTop: Int, padBottom: Int, padLeft: Int, padRight: Int
  public let outputHeight: Int, outputWidth: Int

  /// - Throws: `MTLFastError` of kind `usage` where the window does not fit into the padded image.
  public init(
    input: Shape, kernelSize: (height: Int, width: Int), stride: (height: Int, width: Int), padding: Padding,
    of layer: String
  ) throws {
    guard input.isImage else {
      throw MTLFastError(
        .usage, "\(layer): needs an image [H, W, C] but its input is \(input). Put it before 'flatten' or 'dense'.")
    }
    guard kernelSize.height > 0, kernelSize.width > 0, stride.height > 0, stride.width > 0 else {
      throw MTLFastError(
        .usage,
        "\(layer): window \(kernelSize.height)x\(kernelSize.width) with stride \(stride.height)x\(stride.width): both must be 1 or more."
      )
    }
    func padded(_ size: Int, _ kernel: Int, _ stride: Int) -> (before: Int, after: Int) {
      let output = (size + stride - 1) / stride
      let total = max(0, (output - 1) * stride + kernel - size)
      return (total / 2, total - total / 2)
    }
    switch padding {
    case .valid: (padTop, padBottom, padLeft, padRight) = (0, 0, 0, 0)
    case .same:
      (padTop, padBottom) = padded(input.height, kernelSize.height, stride.height)
      (padLeft, padRight) = padded(input.width, kernelSize.width, stride.width)
    case .explicit(let top, let bottom, let left, let right):
      guard min(top, bottom, left, right) >= 0, max(top, bottom) < kernelSize.height,
        max(left, right) < kernelSize.width
      else {
        throw MTLFastError(
          .usage,
          "\(layer): padding \(padding) with a \(kernelSize.height)x\(kernelSize.width) window: each side must be 0 or more and smaller than the window."
        )
      }
      (padTop, padBottom, padLeft, padRight) = (top, bottom, left, right)
    }
    inputHeight = input.height
    inputWidth = input.width
    (kernelHeight, kernelWidth) = kernelSize
    (strideHeight, strideWidth) = stride
    let spareHeight = inputHeight + padTop + padBottom - kernelHeight
    let spareWidth = inputWidth + padLeft + padRight - kernelWidth
    guard spareHeight >= 0, spareWidth >= 0 else {
      throw MTLFastError(
        .usage,
        "\(layer): a \(kernelHeight)x\(kernelWidth) window does not fit into the \(inputHeight)x\(inputWidth) image with \(padding) padding. Use a smaller window, 'same' padding or fewer pools before it."
      )
    }
    outputHeight = spareHeight / strideHeight + 1
    outputWidth = spareWidth / strideWidth + 1
  }

  /// Window positions x taps that lie inside the image: what FLOPs are counted over.
  public var validTaps: Int {
    func count(_ output: Int, _ stride: Int, _ kernel: Int, _ pad: Int, _ size: Int) -> Int {
      var taps = 0
      for position in 0..<output {
        let start = position * stride - pad
        taps += max(0, min(size, start + kernel) - max(0, start))
      }
      return taps
    }
    return count(outputHeight, strideHeight, kernelHeight, padTop, inputHeight)
      * count(outputWidth, strideWidth, kernelWidth, padLeft, inputWidth)
  }
}
