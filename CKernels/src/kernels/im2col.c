/* SPDX-License-Identifier: Apache-2.0
 * Windows of an image as rows of a matrix, and back. */
#include <string.h>

#include "../base/arithmetic.h"
#include "mtlf/conv2d.h"

/* Calls copy or add for the part of each window row that lies inside the image. */
static void walk(const mtlf_conv2d *c, const float *image, float *columns, float *target) {
  const int32_t oh_end = mtlf_conv2d_output_height(c), ow_end = mtlf_conv2d_output_width(c);
  const size_t pixel = (size_t)c->channels_in, tap_row = (size_t)c->kernel_w * pixel;
  size_t row = 0;
  for (int32_t oh = 0; oh < oh_end; oh++) {
    for (int32_t ow = 0; ow < ow_end; ow++) {
      for (int32_t r = 0; r < c->kernel_h; r++, row += tap_row) {
        const int32_t h = oh * c->stride_h + r - c->pad_top, w = ow * c->stride_w - c->pad_left;
        const int32_t first = w < 0 ? -w : 0, end = (int32_t)mtlf_least(c->kernel_w, c->width - w);
        const int is_inside = h >= 0 && h < c->height && first < end;
        const size_t skip = (size_t)first * pixel, floats = is_inside ? (size_t)(end - first) * pixel : 0;
        const size_t at = is_inside ? ((size_t)h * (size_t)c->width + (size_t)(w + first)) * pixel : 0;
        if (image) {
          memset(columns + row, 0, tap_row * sizeof(float));
          memcpy(columns + row + skip, image + at, floats * sizeof(float));
        } else {
          for (size_t i = 0; i < floats; i++) target[at + i] += columns[row + skip + i];
        }
      }
    }
  }
}

mtlf_status mtlf_im2col_f32(const mtlf_conv2d *conv, const float *image, float *columns) {
  if (!conv || !image || !columns) return MTLF_ERR_NULL_POINTER;
  if (mtlf_conv2d_workspace_bytes(conv, NULL) == 0) return MTLF_ERR_BAD_SHAPE;
  walk(conv, image, columns, NULL);
  return MTLF_OK;
}

mtlf_status mtlf_col2im_f32(const mtlf_conv2d *conv, const float *columns, float *image) {
  if (!conv || !image || !columns) return MTLF_ERR_NULL_POINTER;
  if (mtlf_conv2d_workspace_bytes(conv, NULL) == 0) return MTLF_ERR_BAD_SHAPE;
  walk(conv, NULL, (float *)columns, image);
  return MTLF_OK;
}
