/* SPDX-License-Identifier: Apache-2.0
 * 2-D convolution, its gradients, and its fusion with ReLU and 2x2 max-pool, as plain loops in double precision. */
#include <string.h>

#include "creference.h"

/* A convolution's tap (r, s) of output pixel (oh, ow): the input pixel's index h * W + w, or -1 outside the image. */
static int64_t tap(const mtlf_conv2d *conv, int32_t oh, int32_t ow, int32_t r, int32_t s) {
  const int32_t h = oh * conv->stride_h + r - conv->pad_top, w = ow * conv->stride_w + s - conv->pad_left;
  return h < 0 || h >= conv->height || w < 0 || w >= conv->width ? -1 : (int64_t)h * conv->width + w;
}

/* Runs BODY for each output pixel and tap inside the image: `out` and `in` are the indices of their channel 0, `row` is
 * that of the filter's element [r, s, 0, 0]. */
#define FOR_EACH_TAP(conv, BODY)                                                                     \
  do {                                                                                               \
    const int32_t oh_end = mtlf_conv2d_output_height(conv), ow_end = mtlf_conv2d_output_width(conv); \
    const int32_t c_in = (conv)->channels_in, c_out = (conv)->channels_out;                          \
    for (int32_t n = 0; n < (conv)->batch; n++) {                                                    \
      for (int32_t oh = 0; oh < oh_end; oh++) {                                                      \
        for (int32_t ow = 0; ow < ow_end; ow++) {                                                    \
          for (int32_t r = 0; r < (conv)->kernel_h; r++) {                                           \
            for (int32_t s = 0; s < (conv)->kernel_w; s++) {                                         \
              const int64_t pixel = tap(conv, oh, ow, r, s);                                         \
              if (pixel < 0) continue;                                                               \
              const int64_t out = (((int64_t)n * oh_end + oh) * ow_end + ow) * c_out;                \
              const int64_t in = ((int64_t)n * (conv)->height * (conv)->width + pixel) * c_in;       \
              const int64_t row = ((int64_t)r * (conv)->kernel_w + s) * c_in * c_out;                \
              BODY                                                                                   \
            }                                                                                        \
          }                                                                                          \
        }                                                                                            \
      }                                                                                              \
    }                                                                                                \
  } while (0)

static int64_t output_pixels(const mtlf_conv2d *conv) {
  return (int64_t)conv->batch * mtlf_conv2d_output_height(conv) * mtlf_conv2d_output_width(conv);
}

void reference_conv2d_forward(const mtlf_conv2d *conv, const double *input, const double *filter, const double *bias,
                              int relu, double *output) {
  const int64_t count = output_pixels(conv) * conv->channels_out;
  for (int64_t i = 0; i < count; i++) output[i] = bias ? bias[i % conv->channels_out] : 0.0;
  FOR_EACH_TAP(conv, {
    for (int32_t c = 0; c < c_in; c++) {
      for (int32_t k = 0; k < c_out; k++) output[out + k] += input[in + c] * filter[row + (int64_t)c * c_out + k];
    }
  });
  if (relu) reference_relu_forward(count, output, output);
}

void reference_conv2d_d_input(const mtlf_conv2d *conv, const double *filter, const double *d_output, double *d_input) {
  memset(d_input, 0,
         (size_t)conv->batch * (size_t)conv->height * (size_t)conv->width * (size_t)conv->channels_in *
             sizeof *d_input);
  FOR_EACH_TAP(conv, {
    for (int32_t c = 0; c < c_in; c++) {
      for (int32_t k = 0; k < c_out; k++) d_input[in + c] += d_output[out + k] * filter[row + (int64_t)c * c_out + k];
    }
  });
}

void reference_conv2d_d_filter(const mtlf_conv2d *conv, const double *input, const double *d_output, double *d_filter,
                               double *d_bias) {
  memset(d_filter, 0,
         (size_t)conv->kernel_h * (size_t)conv->kernel_w * (size_t)conv->channels_in * (size_t)conv->channels_out *
             sizeof *d_filter);
  FOR_EACH_TAP(conv, {
    for (int32_t c = 0; c < c_in; c++) {
      for (int32_t k = 0; k < c_out; k++) d_filter[row + (int64_t)c * c_out + k] += input[in + c] * d_output[out + k];
    }
  });
  if (!d_bias) return;
  for (int32_t k = 0; k < conv->channels_out; k++) {
    d_bias[k] = 0.0;
    for (int64_t p = 0; p < output_pixels(conv); p++) d_bias[k] += d_output[p * conv->channels_out + k];
  }
}

/* Runs BODY for each pooled element: `to` is its index, `from[q]` the index of the window's element q, row-major. */
#define FOR_EACH_WINDOW(conv, BODY)                                                                  \
  do {                                                                                               \
    const int32_t oh_end = mtlf_conv2d_output_height(conv), ow_end = mtlf_conv2d_output_width(conv); \
    const int32_t c_out = (conv)->channels_out, high = oh_end / 2, wide = ow_end / 2;                \
    for (int32_t n = 0; n < (conv)->batch; n++) {                                                    \
      for (int32_t y = 0; y < high; y++) {                                                           \
        for (int32_t x = 0; x < wide; x++) {                                                         \
          for (int32_t k = 0; k < c_out; k++) {                                                      \
            const int64_t to = (((int64_t)n * high + y) * wide + x) * c_out + k;                     \
            const int64_t first = (((int64_t)n * oh_end + 2 * y) * ow_end + 2 * x) * c_out + k;      \
            const int64_t below = first + (int64_t)ow_end * c_out;                                   \
            const int64_t from[4] = {first, first + c_out, below, below + c_out};                    \
            BODY                                                                                     \
          }                                                                                          \
        }                                                                                            \
      }                                                                                              \
    }                                                                                                \
  } while (0)

void reference_conv2d_max_pool2d_forward(const mtlf_conv2d *conv, const double *unpooled, int relu, double *output,
                                         uint8_t *gate) {
  FOR_EACH_WINDOW(conv, {
    uint8_t best = 0;
    for (uint8_t q = 1; q < 4; q++) {
      const double x = unpooled[from[q]];
      const double max = unpooled[from[best]];
      if (x > max || (x != x && max == max)) best = q;
    }
    const double max = unpooled[from[best]];
    const int is_cut = relu && !(max > 0.0);
    output[to] = is_cut && max == max ? 0.0 : max;
    gate[to] = is_cut ? 4 : best;
  });
}

void reference_conv2d_max_pool2d_backward(const mtlf_conv2d *conv, const double *d_output, const uint8_t *gate,
                                          double *d_unpooled) {
  memset(d_unpooled, 0, (size_t)(output_pixels(conv) * conv->channels_out) * sizeof *d_unpooled);
  FOR_EACH_WINDOW(conv, {
    if (gate[to] < 4) d_unpooled[from[gate[to]]] = d_output[to];
  });
}
