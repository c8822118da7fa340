/* SPDX-License-Identifier: Apache-2.0
 * Max and average pooling of any window and stride, one image at a time. Channels are the inner loop. */
#include "pool2d.h"

#include <string.h>

#include "../base/arithmetic.h"
#include "../base/context.h"
#include "../base/parallel.h"
#include "mtlf/pool2d.h"

/* The rows (or columns) of one window that lie inside the image. */
typedef struct {
  int32_t first, end;
} range;

static range clip(int32_t position, int32_t stride, int32_t pad, int32_t pool, int32_t size) {
  const int32_t start = position * stride - pad;
  return (range){start < 0 ? 0 : start, (int32_t)mtlf_least(size, start + pool)};
}

static void max_pool(const mtlf_window *window, const mtlf_view *from, const mtlf_view *to, int32_t *argmax) {
  const int32_t output_w = to->width, channels = from->channels, width = from->width;
  const float *input = mtlf_floats(from);
  float *output = mtlf_floats(to);
  for (int32_t oh = 0; oh < to->height; oh++) {
    const range rows = clip(oh, window->stride_h, window->pad_top, window->kernel_h, from->height);
    for (int32_t ow = 0; ow < output_w; ow++) {
      const range columns = clip(ow, window->stride_w, window->pad_left, window->kernel_w, width);
      float *best = output + oh * to->row_stride + (ptrdiff_t)ow * channels;
      int32_t *at = argmax ? argmax + ((ptrdiff_t)oh * output_w + ow) * channels : NULL;
      for (int32_t h = rows.first; h < rows.end; h++) {
        for (int32_t w = columns.first; w < columns.end; w++) {
          const float *x = input + h * from->row_stride + (ptrdiff_t)w * channels;
          const int is_first = h == rows.first && w == columns.first;
          for (int32_t c = 0; c < channels; c++) {
            if (is_first || x[c] > best[c] || (x[c] != x[c] && best[c] == best[c])) {
              best[c] = x[c];
              if (at) at[c] = h * width + w;
            }
          }
        }
      }
    }
  }
}

void mtlf_max_pool(const mtlf_window *window, int32_t samples, const mtlf_view *input, const mtlf_view *output,
                   int32_t *argmax) {
  const size_t elements = mtlf_sample_elements(output);
  for (int32_t n = 0; n < samples; n++) {
    const mtlf_view from = mtlf_view_from(*input, n), to = mtlf_view_from(*output, n);
    max_pool(window, &from, &to, argmax ? argmax + (size_t)n * elements : NULL);
  }
}

void mtlf_max_pool_backward(int32_t samples, const mtlf_view *d_output, const int32_t *argmax,
                            const mtlf_view *d_input) {
  const int32_t channels = d_output->channels, width = d_input->width;
  for (int32_t n = 0; n < samples; n++) {
    float *to = mtlf_floats(d_input) + n * d_input->sample_stride;
    for (int32_t oh = 0; oh < d_output->height; oh++) {
      const float *d = mtlf_floats(d_output) + n * d_output->sample_stride + oh * d_output->row_stride;
      for (int32_t ow = 0; ow < d_output->width; ow++, d += channels, argmax += channels) {
        for (int32_t c = 0; c < channels; c++) {
          const int32_t h = argmax[c] / width, w = argmax[c] % width;
          to[h * d_input->row_stride + (ptrdiff_t)w * channels + c] += d[c];
        }
      }
    }
  }
}

static void avg_pool(const mtlf_window *window, const mtlf_view *from, const mtlf_view *to) {
  const int32_t channels = from->channels;
  const float *input = mtlf_floats(from);
  float *output = mtlf_floats(to);
  for (int32_t oh = 0; oh < to->height; oh++) {
    const range rows = clip(oh, window->stride_h, window->pad_top, window->kernel_h, from->height);
    for (int32_t ow = 0; ow < to->width; ow++) {
      const range columns = clip(ow, window->stride_w, window->pad_left, window->kernel_w, from->width);
      float *mean = output + oh * to->row_stride + (ptrdiff_t)ow * channels;
      const float share = 1.0f / (float)((rows.end - rows.first) * (columns.end - columns.first));
      memset(mean, 0, (size_t)channels * sizeof *mean);
      for (int32_t h = rows.first; h < rows.end; h++) {
        for (int32_t w = columns.first; w < columns.end; w++) {
          const float *x = input + h * from->row_stride + (ptrdiff_t)w * channels;
          for (int32_t c = 0; c < channels; c++) mean[c] += x[c];
        }
      }
      for (int32_t c = 0; c < channels; c++) mean[c] *= share;
    }
  }
}

void mtlf_avg_pool(const mtlf_window *window, int32_t samples, const mtlf_view *input, const mtlf_view *output) {
  for (int32_t n = 0; n < samples; n++) {
    const mtlf_view from = mtlf_view_from(*input, n), to = mtlf_view_from(*output, n);
    avg_pool(window, &from, &to);
  }
}

static void avg_pool_backward(const mtlf_window *window, const mtlf_view *from, const mtlf_view *target) {
  const int32_t channels = from->channels;
  for (int32_t oh = 0; oh < from->height; oh++) {
    const range rows = clip(oh, window->stride_h, window->pad_top, window->kernel_h, target->height);
    for (int32_t ow = 0; ow < from->width; ow++) {
      const range columns = clip(ow, window->stride_w, window->pad_left, window->kernel_w, target->width);
      const float *d = mtlf_floats(from) + oh * from->row_stride + (ptrdiff_t)ow * channels;
      const float share = 1.0f / (float)((rows.end - rows.first) * (columns.end - columns.first));
      for (int32_t h = rows.first; h < rows.end; h++) {
        for (int32_t w = columns.first; w < columns.end; w++) {
          float *to = mtlf_floats(target) + h * target->row_stride + (ptrdiff_t)w * channels;
          for (int32_t c = 0; c < channels; c++) to[c] += share * d[c];
        }
      }
    }
  }
}

void mtlf_avg_pool_backward(const mtlf_window *window, int32_t samples, const mtlf_view *d_output,
                            const mtlf_view *d_input) {
  for (int32_t n = 0; n < samples; n++) {
    const mtlf_view from = mtlf_view_from(*d_output, n), to = mtlf_view_from(*d_input, n);
    avg_pool_backward(window, &from, &to);
  }
}

/* ---- over a batch ---- */

/* The checked sizes of a call. */
typedef struct {
  mtlf_window window;
  int32_t height, width, channels, output_h, output_w;
} pool_shape;

static mtlf_status check(const mtlf_pool2d *p, pool_shape *s) {
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
  *s = (pool_shape){.window = {.kernel_h = p->pool_h,
                               .kernel_w = p->pool_w,
                               .stride_h = p->stride_h,
                               .stride_w = p->stride_w,
                               .pad_top = p->pad_top,
                               .pad_left = p->pad_left},
                    .height = p->height,
                    .width = p->width,
                    .channels = p->channels,
                    .output_h = (p->height + p->pad_top + p->pad_bottom - p->pool_h) / p->stride_h + 1,
                    .output_w = (p->width + p->pad_left + p->pad_right - p->pool_w) / p->stride_w + 1};
  return MTLF_OK;
}

int32_t mtlf_pool2d_output_height(const mtlf_pool2d *p) {
  pool_shape s;
  return check(p, &s) == MTLF_OK ? s.output_h : 0;
}

int32_t mtlf_pool2d_output_width(const mtlf_pool2d *p) {
  pool_shape s;
  return check(p, &s) == MTLF_OK ? s.output_w : 0;
}

typedef struct {
  pool_shape shape;
  const float *from;
  float *to;
  int32_t *argmax;
  const int32_t *taken;
  size_t input_floats, output_floats;
} pool_call;

static mtlf_view large(const pool_call *call, const float *data, int64_t n) {
  return mtlf_plain_view(data + (size_t)n * call->input_floats, call->shape.height, call->shape.width,
                         call->shape.channels);
}

static mtlf_view small(const pool_call *call, const float *data, int64_t n) {
  return mtlf_plain_view(data + (size_t)n * call->output_floats, call->shape.output_h, call->shape.output_w,
                         call->shape.channels);
}

static void max_forward(void *argument, int64_t n, int thread) {
  const pool_call *call = argument;
  const mtlf_view input = large(call, call->from, n), output = small(call, call->to, n);
  (void)thread;
  mtlf_max_pool(&call->shape.window, 1, &input, &output,
                call->argmax ? call->argmax + (size_t)n * call->output_floats : NULL);
}

static void max_backward(void *argument, int64_t n, int thread) {
  const pool_call *call = argument;
  const mtlf_view d_output = small(call, call->from, n), d_input = large(call, call->to, n);
  (void)thread;
  memset(d_input.data, 0, call->input_floats * sizeof(float));
  mtlf_max_pool_backward(1, &d_output, call->taken + (size_t)n * call->output_floats, &d_input);
}

static void avg_forward(void *argument, int64_t n, int thread) {
  const pool_call *call = argument;
  const mtlf_view input = large(call, call->from, n), output = small(call, call->to, n);
  (void)thread;
  mtlf_avg_pool(&call->shape.window, 1, &input, &output);
}

static void avg_backward(void *argument, int64_t n, int thread) {
  const pool_call *call = argument;
  const mtlf_view d_output = small(call, call->from, n), d_input = large(call, call->to, n);
  (void)thread;
  memset(d_input.data, 0, call->input_floats * sizeof(float));
  mtlf_avg_pool_backward(&call->shape.window, 1, &d_output, &d_input);
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
