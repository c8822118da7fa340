/* SPDX-License-Identifier: Apache-2.0
 * Max and average pooling of any window and stride, one image at a time. Channels are the inner loop. */
#include <string.h>

#include "impl.h"

/* The rows (or columns) of one window that lie inside the image. */
typedef struct {
  int32_t first, end;
} range;

static range clip(int32_t position, int32_t stride, int32_t pad, int32_t pool, int32_t size) {
  const int32_t start = position * stride - pad;
  return (range){start < 0 ? 0 : start, (int32_t)mtlf_least(size, start + pool)};
}

void mtlf_max_pool(const mtlf_pool_shape *s, const float *input, ptrdiff_t input_row, float *output,
                   ptrdiff_t output_row, int32_t *argmax) {
  for (int32_t oh = 0; oh < s->output_h; oh++) {
    const range rows = clip(oh, s->stride_h, s->pad_top, s->pool_h, s->height);
    for (int32_t ow = 0; ow < s->output_w; ow++) {
      const range columns = clip(ow, s->stride_w, s->pad_left, s->pool_w, s->width);
      float *best = output + oh * output_row + (ptrdiff_t)ow * s->channels;
      int32_t *at = argmax ? argmax + ((ptrdiff_t)oh * s->output_w + ow) * s->channels : NULL;
      for (int32_t h = rows.first; h < rows.end; h++) {
        for (int32_t w = columns.first; w < columns.end; w++) {
          const float *x = input + h * input_row + (ptrdiff_t)w * s->channels;
          const int is_first = h == rows.first && w == columns.first;
          for (int32_t c = 0; c < s->channels; c++) {
            if (is_first || x[c] > best[c] || (x[c] != x[c] && best[c] == best[c])) {
              best[c] = x[c];
              if (at) at[c] = h * s->width + w;
            }
          }
        }
      }
    }
  }
}

void mtlf_max_pool_backward(const mtlf_pool_shape *s, const float *d_output, ptrdiff_t d_output_row,
                            const int32_t *argmax, float *d_input, ptrdiff_t d_input_row) {
  for (int32_t oh = 0; oh < s->output_h; oh++) {
    for (int32_t ow = 0; ow < s->output_w; ow++, argmax += s->channels) {
      const float *d = d_output + oh * d_output_row + (ptrdiff_t)ow * s->channels;
      for (int32_t c = 0; c < s->channels; c++) {
        const int32_t h = argmax[c] / s->width, w = argmax[c] % s->width;
        d_input[h * d_input_row + (ptrdiff_t)w * s->channels + c] += d[c];
      }
    }
  }
}

void mtlf_avg_pool(const mtlf_pool_shape *s, const float *input, ptrdiff_t input_row, float *output,
                   ptrdiff_t output_row) {
  for (int32_t oh = 0; oh < s->output_h; oh++) {
    const range rows = clip(oh, s->stride_h, s->pad_top, s->pool_h, s->height);
    for (int32_t ow = 0; ow < s->output_w; ow++) {
      const range columns = clip(ow, s->stride_w, s->pad_left, s->pool_w, s->width);
      float *mean = output + oh * output_row + (ptrdiff_t)ow * s->channels;
      const float share = 1.0f / (float)((rows.end - rows.first) * (columns.end - columns.first));
      memset(mean, 0, (size_t)s->channels * sizeof *mean);
      for (int32_t h = rows.first; h < rows.end; h++) {
        for (int32_t w = columns.first; w < columns.end; w++) {
          const float *x = input + h * input_row + (ptrdiff_t)w * s->channels;
          for (int32_t c = 0; c < s->channels; c++) mean[c] += x[c];
        }
      }
      for (int32_t c = 0; c < s->channels; c++) mean[c] *= share;
    }
  }
}

void mtlf_avg_pool_backward(const mtlf_pool_shape *s, const float *d_output, ptrdiff_t d_output_row, float *d_input,
                            ptrdiff_t d_input_row) {
  for (int32_t oh = 0; oh < s->output_h; oh++) {
    const range rows = clip(oh, s->stride_h, s->pad_top, s->pool_h, s->height);
    for (int32_t ow = 0; ow < s->output_w; ow++) {
      const range columns = clip(ow, s->stride_w, s->pad_left, s->pool_w, s->width);
      const float *d = d_output + oh * d_output_row + (ptrdiff_t)ow * s->channels;
      const float share = 1.0f / (float)((rows.end - rows.first) * (columns.end - columns.first));
      for (int32_t h = rows.first; h < rows.end; h++) {
        for (int32_t w = columns.first; w < columns.end; w++) {
          float *to = d_input + h * d_input_row + (ptrdiff_t)w * s->channels;
          for (int32_t c = 0; c < s->channels; c++) to[c] += share * d[c];
        }
      }
    }
  }
}

/* ---- over a batch ---- */

static mtlf_status check(const mtlf_pool2d *p, mtlf_pool_shape *s) {
  enum { LARGEST = 1 << 20 };
  if (!p) return MTLF_ERR_NULL_POINTER;
  const int32_t sizes[] = {p->batch, p->height, p->width, p->channels, p->pool_h, p->pool_w, p->stride_h, p->stride_w};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    if (sizes[i] < 1 || sizes[i] > LARGEST) return MTLF_ERR_BAD_SHAPE;
  }
  const int32_t vertical[] = {p->pad_top, p->pad_bottom}, horizontal[] = {p->pad_left, p->pad_right};
  for (int i = 0; i < 2; i++) {
    if (vertical[i] < 0 || vertical[i] >= p->pool_h || horizontal[i] < 0 || horizontal[i] >= p->pool_w) {
      return MTLF_ERR_BAD_SHAPE;
    }
  }
  if (p->height + p->pad_top + p->pad_bottom < p->pool_h || p->width + p->pad_left + p->pad_right < p->pool_w) {
    return MTLF_ERR_BAD_SHAPE;
  }
  /* argmax numbers an image's pixels. No padding is as wide as the window: no window lies outside the image. */
  int64_t values = (int64_t)p->height * p->width;
  if (values > INT32_MAX || __builtin_mul_overflow(values * p->channels, p->batch, &values) ||
      values > INT64_MAX / 64) {
    return MTLF_ERR_BAD_SHAPE;
  }
  *s = (mtlf_pool_shape){.height = p->height,
                         .width = p->width,
                         .channels = p->channels,
                         .output_h = (p->height + p->pad_top + p->pad_bottom - p->pool_h) / p->stride_h + 1,
                         .output_w = (p->width + p->pad_left + p->pad_right - p->pool_w) / p->stride_w + 1,
                         .pool_h = p->pool_h,
                         .pool_w = p->pool_w,
                         .stride_h = p->stride_h,
                         .stride_w = p->stride_w,
                         .pad_top = p->pad_top,
                         .pad_left = p->pad_left};
  return MTLF_OK;
}

int32_t mtlf_pool2d_output_height(const mtlf_pool2d *p) {
  mtlf_pool_shape s;
  return check(p, &s) == MTLF_OK ? s.output_h : 0;
}

int32_t mtlf_pool2d_output_width(const mtlf_pool2d *p) {
  mtlf_pool_shape s;
  return check(p, &s) == MTLF_OK ? s.output_w : 0;
}

typedef struct {
  mtlf_pool_shape shape;
  const float *from;
  float *to;
  int32_t *argmax;
  const int32_t *taken;
  size_t input_floats, output_floats;
} pool_call;

static void max_forward(void *argument, int64_t n, int thread) {
  const pool_call *call = argument;
  const size_t out = (size_t)n * call->output_floats;
  (void)thread;
  mtlf_max_pool(&call->shape, call->from + (size_t)n * call->input_floats,
                (ptrdiff_t)call->shape.width * call->shape.channels, call->to + out,
                (ptrdiff_t)call->shape.output_w * call->shape.channels, call->argmax ? call->argmax + out : NULL);
}

static void max_backward(void *argument, int64_t n, int thread) {
  const pool_call *call = argument;
  const size_t out = (size_t)n * call->output_floats, in = (size_t)n * call->input_floats;
  (void)thread;
  memset(call->to + in, 0, call->input_floats * sizeof(float));
  mtlf_max_pool_backward(&call->shape, call->from + out, (ptrdiff_t)call->shape.output_w * call->shape.channels,
                         call->taken + out, call->to + in, (ptrdiff_t)call->shape.width * call->shape.channels);
}

static void avg_forward(void *argument, int64_t n, int thread) {
  const pool_call *call = argument;
  (void)thread;
  mtlf_avg_pool(&call->shape, call->from + (size_t)n * call->input_floats,
                (ptrdiff_t)call->shape.width * call->shape.channels, call->to + (size_t)n * call->output_floats,
                (ptrdiff_t)call->shape.output_w * call->shape.channels);
}

static void avg_backward(void *argument, int64_t n, int thread) {
  const pool_call *call = argument;
  (void)thread;
  memset(call->to + (size_t)n * call->input_floats, 0, call->input_floats * sizeof(float));
  mtlf_avg_pool_backward(&call->shape, call->from + (size_t)n * call->output_floats,
                         (ptrdiff_t)call->shape.output_w * call->shape.channels,
                         call->to + (size_t)n * call->input_floats,
                         (ptrdiff_t)call->shape.width * call->shape.channels);
}

static mtlf_status run(const mtlf_pool2d *pool, const float *from, float *to, int32_t *argmax, const int32_t *taken,
                       mtlf_unit_body body, const mtlf_context *context) {
  pool_call call = {.from = from, .to = to, .argmax = argmax, .taken = taken};
  mtlf_context resolved;
  mtlf_status status = check(pool, &call.shape);
  if (status != MTLF_OK) return status;
  if (!from || !to) return MTLF_ERR_NULL_POINTER;
  status = mtlf_resolve(context, &resolved);
  if (status != MTLF_OK) return status;
  call.input_floats = (size_t)pool->height * (size_t)pool->width * (size_t)pool->channels;
  call.output_floats = (size_t)call.shape.output_h * (size_t)call.shape.output_w * (size_t)pool->channels;
  mtlf_run_units(&resolved, pool->batch, body, &call);
  return MTLF_OK;
}

mtlf_status mtlf_max_pool2d_forward_f32(const mtlf_pool2d *pool, const float *input, float *output, int32_t *argmax,
                                        const mtlf_context *context) {
  return run(pool, input, output, argmax, NULL, max_forward, context);
}

mtlf_status mtlf_max_pool2d_backward_f32(const mtlf_pool2d *pool, const float *d_output, const int32_t *argmax,
                                         float *d_input, const mtlf_context *context) {
  if (!argmax) return MTLF_ERR_NULL_POINTER;
  return run(pool, d_output, d_input, NULL, argmax, max_backward, context);
}

mtlf_status mtlf_avg_pool2d_forward_f32(const mtlf_pool2d *pool, const float *input, float *output,
                                        const mtlf_context *context) {
  return run(pool, input, output, NULL, NULL, avg_forward, context);
}

mtlf_status mtlf_avg_pool2d_backward_f32(const mtlf_pool2d *pool, const float *d_output, float *d_input,
                                         const mtlf_context *context) {
  return run(pool, d_output, d_input, NULL, NULL, avg_backward, context);
}
