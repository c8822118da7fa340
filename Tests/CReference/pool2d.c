/* SPDX-License-Identifier: Apache-2.0
 * Max and average pooling and their gradients as plain loops in double precision. */
#include <assert.h>
#include <string.h>

#include "creference.h"

enum { LARGEST_WINDOW = 1024 };

/* Lists the pixels h * W + w of the window of output pixel (oh, ow) that lie inside the image; returns their number. */
static int32_t window(const mtlf_pool2d *pool, int32_t oh, int32_t ow, int32_t pixels[LARGEST_WINDOW]) {
  int32_t count = 0;
  assert(pool->pool_h * pool->pool_w <= LARGEST_WINDOW);
  for (int32_t r = 0; r < pool->pool_h; r++) {
    for (int32_t s = 0; s < pool->pool_w; s++) {
      const int32_t h = oh * pool->stride_h + r - pool->pad_top, w = ow * pool->stride_w + s - pool->pad_left;
      if (h >= 0 && h < pool->height && w >= 0 && w < pool->width) pixels[count++] = h * pool->width + w;
    }
  }
  return count;
}

/* Runs BODY for each output element: `out` is its index, `channel` the index of element (n, 0, 0, c) of the input, and
 * pixels[0...count-1] are its window's. */
#define FOR_EACH_WINDOW(pool, BODY)                                                                     \
  do {                                                                                                  \
    const int32_t oh_end = mtlf_pool2d_output_height(pool), ow_end = mtlf_pool2d_output_width(pool);    \
    int32_t pixels[LARGEST_WINDOW];                                                                     \
    int64_t out = 0;                                                                                    \
    for (int32_t n = 0; n < (pool)->batch; n++) {                                                       \
      for (int32_t oh = 0; oh < oh_end; oh++) {                                                         \
        for (int32_t ow = 0; ow < ow_end; ow++) {                                                       \
          const int32_t count = window(pool, oh, ow, pixels);                                           \
          for (int32_t c = 0; c < (pool)->channels; c++, out++) {                                       \
            const int64_t channel = (int64_t)n * (pool)->height * (pool)->width * (pool)->channels + c; \
            BODY                                                                                        \
          }                                                                                             \
        }                                                                                               \
      }                                                                                                 \
    }                                                                                                   \
  } while (0)

static size_t input_bytes(const mtlf_pool2d *pool) {
  return (size_t)pool->batch * (size_t)pool->height * (size_t)pool->width * (size_t)pool->channels * sizeof(double);
}

void reference_max_pool2d_forward(const mtlf_pool2d *pool, const double *input, double *output, int32_t *argmax) {
  FOR_EACH_WINDOW(pool, {
    int32_t best = pixels[0];
    for (int32_t i = 1; i < count; i++) {
      const double x = input[channel + (int64_t)pixels[i] * pool->channels];
      const double max = input[channel + (int64_t)best * pool->channels];
      if (x > max || (x != x && max == max)) best = pixels[i];
    }
    output[out] = input[channel + (int64_t)best * pool->channels];
    argmax[out] = best;
  });
}

void reference_max_pool2d_backward(const mtlf_pool2d *pool, const double *d_output, const int32_t *argmax,
                                   double *d_input) {
  memset(d_input, 0, input_bytes(pool));
  FOR_EACH_WINDOW(pool, {
    for (int32_t i = 0; i < count; i++) {
      if (pixels[i] == argmax[out]) d_input[channel + (int64_t)pixels[i] * pool->channels] += d_output[out];
    }
  });
}

void reference_avg_pool2d_forward(const mtlf_pool2d *pool, const double *input, double *output) {
  FOR_EACH_WINDOW(pool, {
    double sum = 0.0;
    for (int32_t i = 0; i < count; i++) sum += input[channel + (int64_t)pixels[i] * pool->channels];
    output[out] = sum / count;
  });
}

void reference_avg_pool2d_backward(const mtlf_pool2d *pool, const double *d_output, double *d_input) {
  memset(d_input, 0, input_bytes(pool));
  FOR_EACH_WINDOW(pool, {
    for (int32_t i = 0; i < count; i++) d_input[channel + (int64_t)pixels[i] * pool->channels] += d_output[out] / count;
  });
}
