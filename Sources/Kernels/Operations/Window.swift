// SPDX-License-Identifier: Apache-2.0
// A window that slides over an image, as convolutions and pools have.

internal import CKernels

/// Sizes of a window; padding at the bottom and right follows from those of the images.
package struct KernelWindow {
  package var kernelHeight: Int, kernelWidth: Int
  package var strideHeight: Int, strideWidth: Int
  package var padTop: Int, padLeft: Int

  package init(
    kernelHeight: Int, kernelWidth: Int, strideHeight: Int, strideWidth: Int, padTop: Int, padLeft: Int
  ) {
    (self.kernelHeight, self.kernelWidth) = (kernelHeight, kernelWidth)
    (self.strideHeight, self.strideWidth) = (strideHeight, strideWidth)
    (self.padTop, self.padLeft) = (padTop, padLeft)
  }

  var kernel: mtlf_window {
    mtlf_window(
      kernel_h: Int32(kernelHeight), kernel_w: Int32(kernelWidth), stride_h: Int32(strideHeight),
      stride_w: Int32(strideWidth), pad_top: Int32(padTop), pad_left: Int32(padLeft))
  }
}
