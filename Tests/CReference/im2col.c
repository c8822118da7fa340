/* SPDX-License-Identifier: Apache-2.0
 * Windows as rows and back, element by element in double precision. */
#include "creference.h"

/* Runs BODY for each element of columns, number `i`; `at` is its index in the image, or -1 outside. */
#define FOR_EACH_ELEMENT(conv, BODY)                                                                          \
  do {                                                                                                        \
    const int32_t oh_end = mtlf_conv2d_output_height(conv), ow_end = mtlf_conv2d_output_width(conv);          \
    int64_t i = 0;                                                                                            \
    for (int32_t oh = 0; oh < oh_end; oh++) {                                                                 \
      for (int32_t ow = 0; ow < ow_end; ow++) {                                                               \
        for (int32_t r = 0; r < (conv)->kernel_h; r++) {                                                      \
          for (int32_t s = 0; s < (conv)->kernel_w; s++) {                                                    \
            for (int32_t c = 0; c < (conv)->channels_in; c++, i++) {                                          \
              const int32_t h = oh * (conv)->stride_h + r - (conv)->pad_top;                                  \
              const int32_t w = ow * (conv)->stride_w + s - (conv)->pad_left;                                 \
              const int is_inside = h >= 0 && h < (conv)->height && w >= 0 && w < (conv)->width;              \
              const int64_t at = is_inside ? ((int64_t)h * (conv)->width + w) * (conv)->channels_in + c : -1; \
              BODY                                                                                            \
            }                                                                                                 \
          }                                                                                                   \
        }                                                                                                     \
      }                                                                                                       \
    }                                                                                                         \
  } while (0)

void reference_im2col(const mtlf_conv2d *conv, const double *image, double *columns) {
  FOR_EACH_ELEMENT(conv, { columns[i] = at < 0 ? 0.0 : image[at]; });
}

void reference_col2im(const mtlf_conv2d *conv, const double *columns, double *image) {
  FOR_EACH_ELEMENT(conv, {
    if (at >= 0) image[at] += columns[i];
  });
}
