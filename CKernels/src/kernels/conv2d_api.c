/* SPDX-License-Identifier: Apache-2.0
 * Convolutions of plain tensors: checks, packs the filter, puts zeros around images, and calls the passes of conv2d.h.
 *
 * A batch is cut into groups of neighbouring images, as many as MTLF_MAX_GROUPS at most; d_filter is summed per group and
 * the groups in a fixed tree. Within a group images are worked on one after the other, in the padded image of a thread. */
#include <string.h>

#include "../base/arithmetic.h"
#include "../base/context.h"
#include "../base/parallel.h"
#include "conv2d.h"
#include "mtlf/conv2d.h"

static int is_valid(const mtlf_conv2d *c) {
  enum { LARGEST = 1 << 20 };
  const int32_t sizes[] = {c->batch,    c->height,   c->width,    c->channels_in, c->channels_out,
                           c->kernel_h, c->kernel_w, c->stride_h, c->stride_w};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    if (sizes[i] < 1 || sizes[i] > LARGEST) return 0;
  }
  const int32_t vertical[] = {c->pad_top, c->pad_bottom}, horizontal[] = {c->pad_left, c->pad_right};
  for (int i = 0; i < 2; i++) {
    if (vertical[i] < 0 || vertical[i] >= c->kernel_h || horizontal[i] < 0 || horizontal[i] >= c->kernel_w) return 0;
  }
  return c->height + c->pad_top + c->pad_bottom >= c->kernel_h && c->width + c->pad_left + c->pad_right >= c->kernel_w;
}

int32_t mtlf_conv2d_output_height(const mtlf_conv2d *c) {
  return c && is_valid(c) ? (c->height + c->pad_top + c->pad_bottom - c->kernel_h) / c->stride_h + 1 : 0;
}

int32_t mtlf_conv2d_output_width(const mtlf_conv2d *c) {
  return c && is_valid(c) ? (c->width + c->pad_left + c->pad_right - c->kernel_w) / c->stride_w + 1 : 0;
}

/* Floats of the parts of a workspace, each rounded up to the alignment. */
typedef struct {
  size_t kernel, bias, gradient, image, strip;
} parts;

static int64_t times(int64_t a, int64_t b, int *overflows) {
  int64_t product;
  if (__builtin_mul_overflow(a, b, &product) || product > INT64_MAX / 64) {
    *overflows = 1;
    return 0;
  }
  return product;
}

static int measure(const mtlf_conv2d *c, const mtlf_context *context, parts *p, size_t *bytes) {
  const int64_t panel = context->kernels->panel, row = MTLF_ALIGNMENT / (int64_t)sizeof(float);
  int overflows = 0;
  const int64_t window = (int64_t)c->kernel_w * c->channels_in, inputs = times(window, c->kernel_h, &overflows);
  const int64_t units = mtlf_round_up(c->channels_out, panel);
  const int64_t packed = times(inputs, units, &overflows);
  const int64_t transposed = times((int64_t)c->kernel_h * c->channels_out, mtlf_round_up(window, panel), &overflows);
  const int64_t image =
      times((int64_t)(c->height + c->pad_top + c->pad_bottom) * (c->width + c->pad_left + c->pad_right), c->channels_in,
            &overflows);
  const int64_t pixels = (int64_t)mtlf_conv2d_output_height(c) * mtlf_conv2d_output_width(c);
  (void)times(image, c->batch, &overflows);
  (void)times(times(pixels, c->channels_out, &overflows), c->batch, &overflows);
  const int64_t strip =
      context->conv_path == MTLF_CONV_IM2COL ? times(MTLF_STRIP, inputs + c->channels_out, &overflows) : 0;
  if (overflows || inputs > INT32_MAX) return 0;
  p->kernel = (size_t)mtlf_round_up(packed > transposed ? packed : transposed, row);
  p->bias = (size_t)mtlf_round_up(units, row);
  p->gradient = (size_t)mtlf_round_up(packed, row) + p->bias;
  p->image = (size_t)mtlf_round_up(image, row);
  p->strip = (size_t)mtlf_round_up(strip, row);
  const int64_t groups = mtlf_least(MTLF_MAX_GROUPS, c->batch);
  int64_t floats = times((int64_t)(p->image + p->strip), context->threads, &overflows);
  const int64_t copies = times((int64_t)p->gradient, groups, &overflows);
  if (overflows) return 0;
  floats += copies > (int64_t)(p->kernel + p->bias) ? copies : (int64_t)(p->kernel + p->bias);
  *bytes = (size_t)floats * sizeof(float);
  return 1;
}

size_t mtlf_conv2d_workspace_bytes(const mtlf_conv2d *conv, const mtlf_context *context) {
  mtlf_context resolved;
  parts p;
  size_t bytes;
  if (!conv || !is_valid(conv) || mtlf_resolve(context, &resolved) != MTLF_OK) return 0;
  return measure(conv, &resolved, &p, &bytes) ? bytes : 0;
}

/* A checked call with its workspace laid out. */
typedef struct {
  const mtlf_conv2d *conv;
  mtlf_context context;
  const mtlf_conv_passes *passes;
  mtlf_window window;
  int32_t row_floats;         /* of a window: KW * C_in */
  int32_t output_h, output_w; /* after the pool, where there is one */
  parts parts;
  int32_t groups;
  size_t input_floats, output_floats; /* of one image */
  const float *input, *d_output;
  float *output, *d_input, *d_bias;
  uint8_t *gate;
  int relu;
  float *kernel, *bias; /* packed or transposed; padded, or NULL */
  float *gradients;     /* [groups][parts.gradient] */
  float *threads;       /* [threads][parts.image + parts.strip] */
} call;

static mtlf_status prepare(call *k, const mtlf_conv2d *conv, int pooled, void *workspace, size_t workspace_bytes,
                           const mtlf_context *context) {
  size_t bytes;
  if (!conv || !workspace) return MTLF_ERR_NULL_POINTER;
  if (!is_valid(conv)) return MTLF_ERR_BAD_SHAPE;
  const mtlf_status status = mtlf_resolve(context, &k->context);
  if (status != MTLF_OK) return status;
  if (!measure(conv, &k->context, &k->parts, &bytes)) return MTLF_ERR_BAD_SHAPE;
  if ((uintptr_t)workspace % MTLF_ALIGNMENT) return MTLF_ERR_MISALIGNED;
  if (workspace_bytes < bytes) return MTLF_ERR_WORKSPACE_TOO_SMALL;
  const int32_t output_h = mtlf_conv2d_output_height(conv), output_w = mtlf_conv2d_output_width(conv);
  if (pooled && (output_h < 2 || output_w < 2)) return MTLF_ERR_BAD_SHAPE;
  k->conv = conv;
  k->passes = mtlf_conv_passes_of(k->context.conv_path);
  k->window = (mtlf_window){.kernel_h = conv->kernel_h,
                            .kernel_w = conv->kernel_w,
                            .stride_h = conv->stride_h,
                            .stride_w = conv->stride_w,
                            .pad_top = conv->pad_top,
                            .pad_left = conv->pad_left};
  k->row_floats = conv->kernel_w * conv->channels_in;
  k->output_h = pooled ? output_h / 2 : output_h;
  k->output_w = pooled ? output_w / 2 : output_w;
  k->groups = (int32_t)mtlf_least(MTLF_MAX_GROUPS, conv->batch);
  k->input_floats = (size_t)conv->height * (size_t)conv->width * (size_t)conv->channels_in;
  k->output_floats = (size_t)k->output_h * (size_t)k->output_w * (size_t)conv->channels_out;
  k->threads = workspace;
  k->gradients = k->threads + (k->parts.image + k->parts.strip) * (size_t)k->context.threads;
  k->kernel = k->gradients;
  k->bias = k->kernel + k->parts.kernel;
  return MTLF_OK;
}

static int has_padding(const mtlf_conv2d *c) { return (c->pad_top | c->pad_bottom | c->pad_left | c->pad_right) != 0; }

static float *thread_memory(const call *k, int thread) {
  return k->threads + (k->parts.image + k->parts.strip) * (size_t)thread;
}

static mtlf_view image_of(const call *k, const float *data) {
  return mtlf_plain_view(data, k->conv->height, k->conv->width, k->conv->channels_in);
}

/* The thread's image, with room for zeros around it. */
static mtlf_view padded(const call *k, int thread) {
  const mtlf_conv2d *c = k->conv;
  mtlf_view image = image_of(k, NULL);
  image.row_stride = (ptrdiff_t)(c->width + c->pad_left + c->pad_right) * c->channels_in;
  image.data = thread_memory(k, thread) + k->conv->pad_top * image.row_stride + (ptrdiff_t)c->pad_left * c->channels_in;
  return image;
}

static void copy_rows(const mtlf_view *from, const mtlf_view *to) {
  const size_t bytes = (size_t)from->width * (size_t)from->channels * sizeof(float);
  for (int32_t h = 0; h < from->height; h++) {
    memcpy(mtlf_floats(to) + h * to->row_stride, mtlf_floats(from) + h * from->row_stride, bytes);
  }
}

static mtlf_view load_image(const call *k, int64_t n, int thread) {
  const mtlf_view from = image_of(k, k->input + (size_t)n * k->input_floats);
  if (!has_padding(k->conv)) return from;
  const mtlf_view image = padded(k, thread);
  memset(thread_memory(k, thread), 0, k->parts.image * sizeof(float));
  copy_rows(&from, &image);
  return image;
}

static float *strip_of(const call *k, int thread) { return thread_memory(k, thread) + k->parts.image; }

static void forward_image(void *argument, int64_t n, int thread) {
  const call *k = argument;
  const size_t at = (size_t)n * k->output_floats;
  const mtlf_view input = load_image(k, n, thread);
  const mtlf_view output = mtlf_plain_view(k->output + at, k->output_h, k->output_w, k->conv->channels_out);
  k->passes->forward(k->context.kernels, &k->window, 1, &input, k->kernel, k->bias, k->relu, &output,
                     k->gate ? k->gate + at : NULL, strip_of(k, thread));
}

static mtlf_status forward(call *k, const float *input, const float *filter, const float *bias, int32_t relu,
                           float *output, uint8_t *gate) {
  const mtlf_conv2d *c = k->conv;
  if (relu != 0 && relu != 1) return MTLF_ERR_BAD_VALUE;
  k->input = input;
  k->output = output;
  k->gate = gate;
  k->relu = relu;
  mtlf_pack_f32((int64_t)c->kernel_h * k->row_floats, c->channels_out, filter, k->kernel, &k->context);
  if (bias) {
    memset(k->bias, 0, k->parts.bias * sizeof(float));
    memcpy(k->bias, bias, (size_t)c->channels_out * sizeof(float));
  } else {
    k->bias = NULL;
  }
  mtlf_run_units(&k->context, c->batch, forward_image, k);
  return MTLF_OK;
}

mtlf_status mtlf_conv2d_forward_f32(const mtlf_conv2d *conv, const float *input, const float *filter, const float *bias,
                                    int32_t relu, float *output, void *workspace, size_t workspace_bytes,
                                    const mtlf_context *context) {
  call k = {0};
  if (!input || !filter || !output) return MTLF_ERR_NULL_POINTER;
  const mtlf_status status = prepare(&k, conv, 0, workspace, workspace_bytes, context);
  return status == MTLF_OK ? forward(&k, input, filter, bias, relu, output, NULL) : status;
}

mtlf_status mtlf_conv2d_max_pool2d_forward_f32(const mtlf_conv2d *conv, const float *input, const float *filter,
                                               const float *bias, int32_t relu, float *output, uint8_t *gate,
                                               void *workspace, size_t workspace_bytes, const mtlf_context *context) {
  call k = {0};
  if (!input || !filter || !output || !gate) return MTLF_ERR_NULL_POINTER;
  const mtlf_status status = prepare(&k, conv, 1, workspace, workspace_bytes, context);
  return status == MTLF_OK ? forward(&k, input, filter, bias, relu, output, gate) : status;
}

typedef struct {
  const mtlf_kernels *kernels;
  int32_t output_h, output_w, units;
  const float *d_output;
  const uint8_t *gate;
  float *d_unpooled;
} unpool_call;

static void unpool_image(void *argument, int64_t n, int thread) {
  enum { CHUNK = 64 };
  const unpool_call *k = argument;
  const int32_t high = k->output_h / 2, wide = k->output_w / 2;
  const size_t units = (size_t)k->units, row = (size_t)k->output_w * units;
  float *to = k->d_unpooled + (size_t)n * (size_t)k->output_h * row, window[4 * CHUNK];
  (void)thread;
  memset(to, 0, (size_t)k->output_h * row * sizeof(float));
  for (int32_t y = 0; y < high; y++) {
    for (int32_t x = 0; x < wide; x++) {
      const size_t at = (((size_t)n * (size_t)high + (size_t)y) * (size_t)wide + (size_t)x) * units;
      for (size_t unit = 0; unit < units; unit += CHUNK) {
        const size_t count = (size_t)mtlf_least(CHUNK, (int64_t)(units - unit));
        k->kernels->unpool(k->d_output + at + unit, k->gate + at + unit, window, count);
        for (size_t q = 0; q < 4; q++) {
          memcpy(to + ((size_t)(2 * y) + q / 2) * row + ((size_t)(2 * x) + q % 2) * units + unit, window + q * count,
                 count * sizeof(float));
        }
      }
    }
  }
}

mtlf_status mtlf_conv2d_max_pool2d_backward_f32(const mtlf_conv2d *conv, const float *d_output, const uint8_t *gate,
                                                float *d_unpooled, const mtlf_context *context) {
  mtlf_context resolved;
  if (!conv || !d_output || !gate || !d_unpooled) return MTLF_ERR_NULL_POINTER;
  unpool_call k = {.output_h = mtlf_conv2d_output_height(conv),
                   .output_w = mtlf_conv2d_output_width(conv),
                   .units = conv->channels_out,
                   .d_output = d_output,
                   .gate = gate,
                   .d_unpooled = d_unpooled};
  if (k.output_h < 2 || k.output_w < 2) return MTLF_ERR_BAD_SHAPE;
  const mtlf_status status = mtlf_resolve(context, &resolved);
  if (status != MTLF_OK) return status;
  k.kernels = resolved.kernels;
  mtlf_run_units(&resolved, conv->batch, unpool_image, &k);
  return MTLF_OK;
}

static mtlf_view d_output_of(const call *k, int64_t n) {
  return mtlf_plain_view(k->d_output + (size_t)n * k->output_floats, k->output_h, k->output_w, k->conv->channels_out);
}

static void d_input_image(void *argument, int64_t n, int thread) {
  const call *k = argument;
  const mtlf_view d_output = d_output_of(k, n), to = image_of(k, k->d_input + (size_t)n * k->input_floats);
  if (!has_padding(k->conv)) {
    memset(to.data, 0, k->input_floats * sizeof(float));
    k->passes->d_input(k->context.kernels, &k->window, 1, &d_output, NULL, k->kernel, &to, strip_of(k, thread));
    return;
  }
  const mtlf_view image = padded(k, thread);
  memset(thread_memory(k, thread), 0, k->parts.image * sizeof(float));
  k->passes->d_input(k->context.kernels, &k->window, 1, &d_output, NULL, k->kernel, &image, strip_of(k, thread));
  copy_rows(&image, &to);
}

mtlf_status mtlf_conv2d_d_input_f32(const mtlf_conv2d *conv, const float *filter, const float *d_output, float *d_input,
                                    void *workspace, size_t workspace_bytes, const mtlf_context *context) {
  call k = {0};
  if (!filter || !d_output || !d_input) return MTLF_ERR_NULL_POINTER;
  const mtlf_status status = prepare(&k, conv, 0, workspace, workspace_bytes, context);
  if (status != MTLF_OK) return status;
  const int32_t panel = k.context.kernels->panel, units = conv->channels_out;
  float row[MTLF_MAX_PANEL];
  memset(k.kernel, 0, k.parts.kernel * sizeof(float));
  for (int32_t i = 0; i < conv->kernel_h * k.row_floats; i++) {
    for (int32_t unit = 0; unit < units; unit += panel) {
      memcpy(row, filter + (size_t)i * (size_t)units + unit, (size_t)mtlf_least(panel, units - unit) * sizeof(float));
      mtlf_transpose_rows(k.context.kernels, k.row_floats, units, row, i, 1, unit / panel, k.kernel);
    }
  }
  k.d_output = d_output;
  k.d_input = d_input;
  mtlf_run_units(&k.context, conv->batch, d_input_image, &k);
  return MTLF_OK;
}

static void d_filter_group(void *argument, int64_t group, int thread) {
  const call *k = argument;
  const int64_t batch = k->conv->batch, first = batch * group / k->groups, end = batch * (group + 1) / k->groups;
  float *gradient = k->gradients + (size_t)group * k->parts.gradient;
  for (int64_t n = first; n < end; n++) {
    const mtlf_view input = load_image(k, n, thread), d_output = d_output_of(k, n);
    k->passes->d_filter(k->context.kernels, &k->window, 1, &input, &d_output, NULL, gradient,
                        gradient + k->parts.gradient - k->parts.bias, n > first, strip_of(k, thread));
  }
}

/* The groups' gradients into the first group's, and d_bias. */
static void sum_groups(void *argument, int64_t unit, int thread) {
  const call *k = argument;
  const mtlf_kernels *kernels = k->context.kernels;
  const size_t stride = k->parts.gradient, bias_at = stride - k->parts.bias;
  (void)unit, (void)thread;
  kernels->sum_copies(k->gradients, stride, k->groups, k->gradients, bias_at);
  if (k->d_bias)
    kernels->sum_copies(k->gradients + bias_at, stride, k->groups, k->d_bias, (size_t)k->conv->channels_out);
}

mtlf_status mtlf_conv2d_d_filter_f32(const mtlf_conv2d *conv, const float *input, const float *d_output,
                                     float *d_filter, float *d_bias, void *workspace, size_t workspace_bytes,
                                     const mtlf_context *context) {
  call k = {0};
  if (!input || !d_output || !d_filter) return MTLF_ERR_NULL_POINTER;
  const mtlf_status status = prepare(&k, conv, 0, workspace, workspace_bytes, context);
  if (status != MTLF_OK) return status;
  k.input = input;
  k.d_output = d_output;
  k.d_bias = d_bias;
  mtlf_run_units(&k.context, k.groups, d_filter_group, &k);
  mtlf_run_units(&k.context, 1, sum_groups, &k);
  return mtlf_unpack_f32((int64_t)conv->kernel_h * k.row_floats, conv->channels_out, k.gradients, d_filter, &k.context);
}
