/* SPDX-License-Identifier: Apache-2.0
 * Nearest-neighbour upsampling and its gradient, a sample at a time. */
#include <string.h>

#include "impl.h"

void mtlf_upsample(int32_t height, int32_t width, int32_t channels, int32_t scale_h, int32_t scale_w,
                   const float *input, ptrdiff_t input_row, float *output, ptrdiff_t output_row) {
  const size_t c = (size_t)channels;
  for (int32_t y = 0; y < height; y++, input += input_row) {
    float *first = output, *to = output;
    for (int32_t x = 0; x < width; x++) {
      const float *pixel = input + (size_t)x * c;
      for (int32_t s = 0; s < scale_w; s++, to += c) {
        for (size_t k = 0; k < c; k++) to[k] = pixel[k];
      }
    }
    output += output_row;
    for (int32_t s = 1; s < scale_h; s++, output += output_row) {
      memcpy(output, first, (size_t)width * (size_t)scale_w * c * sizeof *output);
    }
  }
}

void mtlf_upsample_backward(const mtlf_kernels *kernels, int32_t height, int32_t width, int32_t channels,
                            int32_t scale_h, int32_t scale_w, const float *d_output, ptrdiff_t d_output_row,
                            float *d_input, ptrdiff_t d_input_row) {
  const size_t c = (size_t)channels;
  for (int32_t y = 0; y < height; y++, d_input += d_input_row) {
    for (int32_t s = 0; s < scale_h; s++, d_output += d_output_row) {
      for (int32_t x = 0; x < width; x++) {
        kernels->column_sums(d_output + (size_t)x * (size_t)scale_w * c, channels, (size_t)scale_w,
                             d_input + (size_t)x * c, c);
      }
    }
  }
}

/* ---- over a batch ---- */

typedef struct {
  const mtlf_kernels *kernels;
  mtlf_upsample2d shape;
  const float *from;
  float *to;
  size_t small_floats, large_floats; /* of a sample before and after upsampling */
} call;

static void forward(void *argument, int64_t n, int thread) {
  const call *k = argument;
  const mtlf_upsample2d *u = &k->shape;
  (void)thread;
  mtlf_upsample(u->height, u->width, u->channels, u->scale_h, u->scale_w, k->from + (size_t)n * k->small_floats,
                (ptrdiff_t)u->width * u->channels, k->to + (size_t)n * k->large_floats,
                (ptrdiff_t)u->width * u->scale_w * u->channels);
}

static void backward(void *argument, int64_t n, int thread) {
  const call *k = argument;
  const mtlf_upsample2d *u = &k->shape;
  float *to = k->to + (size_t)n * k->small_floats;
  (void)thread;
  memset(to, 0, k->small_floats * sizeof *to);
  mtlf_upsample_backward(k->kernels, u->height, u->width, u->channels, u->scale_h, u->scale_w,
                         k->from + (size_t)n * k->large_floats, (ptrdiff_t)u->width * u->scale_w * u->channels, to,
                         (ptrdiff_t)u->width * u->channels);
}

static mtlf_status run(const mtlf_upsample2d *u, const float *from, float *to, mtlf_unit_body body,
                       const mtlf_context *context) {
  enum { LARGEST = 1 << 20 };
  mtlf_context resolved;
  if (!u || !from || !to) return MTLF_ERR_NULL_POINTER;
  const int32_t sizes[] = {u->batch, u->height, u->width, u->channels, u->scale_h, u->scale_w};
  int64_t floats = 1;
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    if (sizes[i] < 1 || sizes[i] > LARGEST || __builtin_mul_overflow(floats, sizes[i], &floats)) {
      return MTLF_ERR_BAD_SHAPE;
    }
  }
  if (floats > INT64_MAX / 64) return MTLF_ERR_BAD_SHAPE;
  const mtlf_status status = mtlf_resolve(context, &resolved);
  if (status != MTLF_OK) return status;
  call k = {.kernels = resolved.kernels, .shape = *u, .from = from, .to = to};
  k.small_floats = (size_t)u->height * (size_t)u->width * (size_t)u->channels;
  k.large_floats = k.small_floats * (size_t)u->scale_h * (size_t)u->scale_w;
  mtlf_run_units(&resolved, u->batch, body, &k);
  return MTLF_OK;
}

mtlf_status mtlf_upsample2d_forward_f32(const mtlf_upsample2d *upsample, const float *input, float *output,
                                        const mtlf_context *context) {
  return run(upsample, input, output, forward, context);
}

mtlf_status mtlf_upsample2d_backward_f32(const mtlf_upsample2d *upsample, const float *d_output, float *d_input,
                                         const mtlf_context *context) {
  return run(upsample, d_output, d_input, backward, context);
}
