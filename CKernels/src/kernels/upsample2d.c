/* SPDX-License-Identifier: Apache-2.0
 * Nearest-neighbour upsampling and its gradient, a sample at a time. */
#include "upsample2d.h"

#include <string.h>

#include "../base/arithmetic.h"
#include "../base/context.h"
#include "../base/parallel.h"
#include "mtlf/upsample2d.h"

static void upsample(int32_t scale_h, int32_t scale_w, const mtlf_view *from, const mtlf_view *target) {
  const size_t c = (size_t)from->channels;
  const int32_t width = from->width;
  const float *input = mtlf_floats(from);
  float *output = mtlf_floats(target);
  for (int32_t y = 0; y < from->height; y++, input += from->row_stride) {
    float *first = output, *to = output;
    for (int32_t x = 0; x < width; x++) {
      const float *pixel = input + (size_t)x * c;
      for (int32_t s = 0; s < scale_w; s++, to += c) {
        for (size_t k = 0; k < c; k++) to[k] = pixel[k];
      }
    }
    output += target->row_stride;
    for (int32_t s = 1; s < scale_h; s++, output += target->row_stride) {
      memcpy(output, first, (size_t)width * (size_t)scale_w * c * sizeof *output);
    }
  }
}

void mtlf_upsample(int32_t scale_h, int32_t scale_w, int32_t samples, const mtlf_view *input, const mtlf_view *output) {
  for (int32_t n = 0; n < samples; n++) {
    const mtlf_view from = mtlf_view_from(*input, n), to = mtlf_view_from(*output, n);
    upsample(scale_h, scale_w, &from, &to);
  }
}

static void upsample_backward(const mtlf_kernels *kernels, int32_t scale_h, int32_t scale_w, const mtlf_view *from,
                              const mtlf_view *to) {
  const size_t c = (size_t)to->channels;
  const ptrdiff_t d_output_row = from->row_stride;
  const float *d_output = mtlf_floats(from);
  float *d_input = mtlf_floats(to);
  for (int32_t y = 0; y < to->height; y++, d_input += to->row_stride) {
    for (int32_t s = 0; s < scale_h; s++, d_output += d_output_row) {
      for (int32_t x = 0; x < to->width; x++) {
        kernels->column_sums(d_output + (size_t)x * (size_t)scale_w * c, to->channels, (size_t)scale_w,
                             d_input + (size_t)x * c, c);
      }
    }
  }
}

void mtlf_upsample_backward(const mtlf_kernels *kernels, int32_t scale_h, int32_t scale_w, int32_t samples,
                            const mtlf_view *d_output, const mtlf_view *d_input) {
  for (int32_t n = 0; n < samples; n++) {
    const mtlf_view from = mtlf_view_from(*d_output, n), to = mtlf_view_from(*d_input, n);
    upsample_backward(kernels, scale_h, scale_w, &from, &to);
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

static mtlf_view small(const call *k, const float *data, int64_t n) {
  const mtlf_upsample2d *u = &k->shape;
  return mtlf_plain_view(data + (size_t)n * k->small_floats, u->height, u->width, u->channels);
}

static mtlf_view large(const call *k, const float *data, int64_t n) {
  const mtlf_upsample2d *u = &k->shape;
  return mtlf_plain_view(data + (size_t)n * k->large_floats, u->height * u->scale_h, u->width * u->scale_w,
                         u->channels);
}

static void forward(void *argument, int64_t n, int thread) {
  const call *k = argument;
  const mtlf_view input = small(k, k->from, n), output = large(k, k->to, n);
  (void)thread;
  mtlf_upsample(k->shape.scale_h, k->shape.scale_w, 1, &input, &output);
}

static void backward(void *argument, int64_t n, int thread) {
  const call *k = argument;
  const mtlf_view d_output = large(k, k->from, n), d_input = small(k, k->to, n);
  (void)thread;
  memset(d_input.data, 0, k->small_floats * sizeof(float));
  mtlf_upsample_backward(k->kernels, k->shape.scale_h, k->shape.scale_w, 1, &d_output, &d_input);
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
