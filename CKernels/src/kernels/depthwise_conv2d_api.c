/* SPDX-License-Identifier: Apache-2.0
 * Depthwise convolutions of plain tensors: checks, packs the filter, puts zeros around images, and calls the passes of
 * depthwise_conv2d.h.
 *
 * A batch is cut into groups of neighbouring images, as many as MTLF_MAX_GROUPS at most; d_filter is summed per group and
 * the groups in a fixed tree. Within a group images are worked on one after the other, in the padded image of a thread. */
#include "mtlf/depthwise_conv2d.h"

#include <string.h>

#include "../base/arithmetic.h"
#include "../base/context.h"
#include "../base/parallel.h"
#include "depthwise_conv2d.h"
#include "rearrange.h"

/* Floats of the parts of a workspace, each rounded up to the alignment. */
typedef struct {
  size_t image;            /* of a thread */
  size_t kernel, gradient; /* packed; of a group, the packed d_filter and then d_bias */
} parts;

static int has_padding(const mtlf_conv2d *c) { return (c->pad_top | c->pad_bottom | c->pad_left | c->pad_right) != 0; }

/* a * b * c, or 0 where that is too much to count bytes of. */
static int64_t product(int64_t a, int64_t b, int64_t c) {
  int64_t result;
  if (__builtin_mul_overflow(a, b, &result) || __builtin_mul_overflow(result, c, &result) || result > INT64_MAX / 64) {
    return 0;
  }
  return result;
}

/* 0 where the descriptor is wrong. */
static int measure(const mtlf_conv2d *c, const mtlf_context *context, parts *p, size_t *bytes) {
  const int64_t output_h = mtlf_conv2d_output_height(c), output_w = mtlf_conv2d_output_width(c);
  if (output_h < 1 || output_w < 1 || c->channels_in != c->channels_out) return 0;
  const int64_t height = c->height + c->pad_top + c->pad_bottom, width = c->width + c->pad_left + c->pad_right;
  const int64_t image = product(height, width, c->channels_in), row = MTLF_ALIGNMENT / (int64_t)sizeof(float);
  const int64_t kernel = product(c->kernel_h, c->kernel_w, mtlf_round_up(c->channels_in, context->kernels->panel));
  if (!image || !kernel || !product(image, c->batch, 1) ||
      !product(product(output_h, output_w, c->channels_in), c->batch, 1)) {
    return 0;
  }
  p->image = has_padding(c) ? (size_t)mtlf_round_up(image, row) : 0;
  p->kernel = (size_t)mtlf_round_up(kernel, row);
  p->gradient = p->kernel + (size_t)mtlf_round_up(c->channels_in, row);
  const int64_t images = p->image ? product((int64_t)p->image, context->threads, 1) : 0;
  const int64_t gradients = product((int64_t)p->gradient, mtlf_least(MTLF_MAX_GROUPS, c->batch), 1);
  if ((p->image && !images) || !gradients) return 0;
  *bytes = (size_t)(images + gradients) * sizeof(float);
  return 1;
}

size_t mtlf_depthwise_conv2d_workspace_bytes(const mtlf_conv2d *conv, const mtlf_context *context) {
  mtlf_context resolved;
  parts p;
  size_t bytes;
  if (!conv || mtlf_resolve(context, &resolved) != MTLF_OK) return 0;
  return measure(conv, &resolved, &p, &bytes) ? bytes : 0;
}

/* A checked call with its workspace laid out. */
typedef struct {
  const mtlf_conv2d *conv;
  mtlf_context context;
  mtlf_window window;
  int32_t output_h, output_w;
  parts parts;
  int32_t groups;
  size_t input_floats, output_floats; /* of one image */
  const float *input, *bias, *d_output;
  float *output, *d_input, *d_bias;
  int relu;
  float *images;             /* [threads][parts.image] */
  float *kernel, *gradients; /* packed, or [groups][parts.gradient]: in one place */
} call;

static mtlf_status prepare(call *k, const mtlf_conv2d *conv, void *workspace, size_t workspace_bytes,
                           const mtlf_context *context) {
  size_t bytes;
  if (!conv || !workspace) return MTLF_ERR_NULL_POINTER;
  const mtlf_status status = mtlf_resolve(context, &k->context);
  if (status != MTLF_OK) return status;
  if (!measure(conv, &k->context, &k->parts, &bytes)) return MTLF_ERR_BAD_SHAPE;
  if ((uintptr_t)workspace % MTLF_ALIGNMENT) return MTLF_ERR_MISALIGNED;
  if (workspace_bytes < bytes) return MTLF_ERR_WORKSPACE_TOO_SMALL;
  k->conv = conv;
  k->window = (mtlf_window){.kernel_h = conv->kernel_h,
                            .kernel_w = conv->kernel_w,
                            .stride_h = conv->stride_h,
                            .stride_w = conv->stride_w,
                            .pad_top = conv->pad_top,
                            .pad_left = conv->pad_left};
  k->output_h = mtlf_conv2d_output_height(conv);
  k->output_w = mtlf_conv2d_output_width(conv);
  k->groups = (int32_t)mtlf_least(MTLF_MAX_GROUPS, conv->batch);
  k->input_floats = (size_t)conv->height * (size_t)conv->width * (size_t)conv->channels_in;
  k->output_floats = (size_t)k->output_h * (size_t)k->output_w * (size_t)conv->channels_in;
  k->images = workspace;
  k->gradients = k->images + k->parts.image * (size_t)k->context.threads;
  k->kernel = k->gradients;
  return MTLF_OK;
}

/* Of one image. */
static mtlf_view input_of(const call *k, const float *data, int64_t n) {
  const mtlf_conv2d *c = k->conv;
  return mtlf_plain_view(data + (size_t)n * k->input_floats, c->height, c->width, c->channels_in);
}

static mtlf_view output_of(const call *k, const float *data, int64_t n) {
  return mtlf_plain_view(data + (size_t)n * k->output_floats, k->output_h, k->output_w, k->conv->channels_in);
}

/* The thread's image, all zeros, with room for a halo. */
static mtlf_view padded(const call *k, int thread) {
  const mtlf_conv2d *c = k->conv;
  float *memory = k->images + k->parts.image * (size_t)thread;
  mtlf_view image = mtlf_plain_view(NULL, c->height, c->width, c->channels_in);
  image.row_stride = (ptrdiff_t)(c->width + c->pad_left + c->pad_right) * c->channels_in;
  image.data = memory + c->pad_top * image.row_stride + (ptrdiff_t)c->pad_left * c->channels_in;
  memset(memory, 0, k->parts.image * sizeof *memory);
  return image;
}

static mtlf_view load_image(const call *k, int64_t n, int thread) {
  const mtlf_view from = input_of(k, k->input, n);
  if (!has_padding(k->conv)) return from;
  const mtlf_view image = padded(k, thread);
  mtlf_copy(1, &from, &image);
  return image;
}

static void pack(const call *k, const float *filter) {
  const mtlf_conv2d *c = k->conv;
  (void)mtlf_pack_f32((int64_t)c->kernel_h * c->kernel_w, c->channels_in, filter, k->kernel, &k->context);
}

static void forward_image(void *argument, int64_t n, int thread) {
  const call *k = argument;
  const mtlf_view input = load_image(k, n, thread), output = output_of(k, k->output, n);
  mtlf_depthwise_forward(k->context.kernels, &k->window, 1, &input, k->kernel, k->bias, k->relu, &output);
}

mtlf_status mtlf_depthwise_conv2d_forward_f32(const mtlf_conv2d *conv, const float *input, const float *filter,
                                              const float *bias, int32_t relu, float *output, void *workspace,
                                              size_t workspace_bytes, const mtlf_context *context) {
  call k = {.input = input, .bias = bias, .relu = relu, .output = output};
  if (!input || !filter || !output) return MTLF_ERR_NULL_POINTER;
  const mtlf_status status = prepare(&k, conv, workspace, workspace_bytes, context);
  if (status != MTLF_OK) return status;
  if (relu != 0 && relu != 1) return MTLF_ERR_BAD_VALUE;
  pack(&k, filter);
  mtlf_run_units(&k.context, conv->batch, forward_image, &k);
  return MTLF_OK;
}

static void d_input_image(void *argument, int64_t n, int thread) {
  const call *k = argument;
  const mtlf_view d_output = output_of(k, k->d_output, n), to = input_of(k, k->d_input, n);
  if (!has_padding(k->conv)) {
    memset(to.data, 0, k->input_floats * sizeof(float));
    mtlf_depthwise_d_input(k->context.kernels, &k->window, 1, &d_output, k->kernel, &to);
    return;
  }
  const mtlf_view image = padded(k, thread);
  mtlf_depthwise_d_input(k->context.kernels, &k->window, 1, &d_output, k->kernel, &image);
  mtlf_copy(1, &image, &to);
}

mtlf_status mtlf_depthwise_conv2d_d_input_f32(const mtlf_conv2d *conv, const float *filter, const float *d_output,
                                              float *d_input, void *workspace, size_t workspace_bytes,
                                              const mtlf_context *context) {
  call k = {.d_output = d_output, .d_input = d_input};
  if (!filter || !d_output || !d_input) return MTLF_ERR_NULL_POINTER;
  const mtlf_status status = prepare(&k, conv, workspace, workspace_bytes, context);
  if (status != MTLF_OK) return status;
  pack(&k, filter);
  mtlf_run_units(&k.context, conv->batch, d_input_image, &k);
  return MTLF_OK;
}

static void d_filter_group(void *argument, int64_t group, int thread) {
  const call *k = argument;
  const int64_t batch = k->conv->batch, first = batch * group / k->groups, end = batch * (group + 1) / k->groups;
  float *gradient = k->gradients + (size_t)group * k->parts.gradient;
  for (int64_t n = first; n < end; n++) {
    const mtlf_view input = load_image(k, n, thread), d_output = output_of(k, k->d_output, n);
    mtlf_depthwise_d_filter(k->context.kernels, &k->window, 1, &input, &d_output, gradient,
                            k->d_bias ? gradient + k->parts.kernel : NULL, n > first);
  }
}

/* The groups' gradients into the first group's, and d_bias. */
static void sum_groups(void *argument, int64_t unit, int thread) {
  const call *k = argument;
  const mtlf_kernels *kernels = k->context.kernels;
  const size_t stride = k->parts.gradient, bias_at = k->parts.kernel;
  const size_t taps = (size_t)k->conv->kernel_h * (size_t)k->conv->kernel_w, channels = (size_t)k->conv->channels_in;
  (void)unit, (void)thread;
  kernels->sum_copies(k->gradients, stride, k->groups, k->gradients,
                      taps * (size_t)mtlf_round_up((int64_t)channels, kernels->panel));
  if (k->d_bias) kernels->sum_copies(k->gradients + bias_at, stride, k->groups, k->d_bias, channels);
}

mtlf_status mtlf_depthwise_conv2d_d_filter_f32(const mtlf_conv2d *conv, const float *input, const float *d_output,
                                               float *d_filter, float *d_bias, void *workspace, size_t workspace_bytes,
                                               const mtlf_context *context) {
  call k = {.input = input, .d_output = d_output, .d_bias = d_bias};
  if (!input || !d_output || !d_filter) return MTLF_ERR_NULL_POINTER;
  const mtlf_status status = prepare(&k, conv, workspace, workspace_bytes, context);
  if (status != MTLF_OK) return status;
  mtlf_run_units(&k.context, k.groups, d_filter_group, &k);
  mtlf_run_units(&k.context, 1, sum_groups, &k);
  return mtlf_unpack_f32((int64_t)conv->kernel_h * conv->kernel_w, conv->channels_in, k.gradients, d_filter,
                         &k.context);
}
