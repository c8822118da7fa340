/* SPDX-License-Identifier: Apache-2.0 - the C headers that CPNG exposes to Swift. Only the simplified API (png_image) is
 * for Swift: it returns its errors, where the rest of libpng jumps out of the caller.
 *
 * The formats are macros over macros, which Swift doesn't see all of. */
#include <png.h>

enum {
  mtlf_png_gray = PNG_FORMAT_GRAY,
  mtlf_png_gray_alpha = PNG_FORMAT_GA,
  mtlf_png_rgb = PNG_FORMAT_RGB,
  mtlf_png_rgba = PNG_FORMAT_RGBA,
  mtlf_png_rgb_palette = PNG_FORMAT_RGB_COLORMAP,
  mtlf_png_rgba_palette = PNG_FORMAT_RGBA_COLORMAP
};
