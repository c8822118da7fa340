/* SPDX-License-Identifier: Apache-2.0
 * Convolutions, pools and upsampling. */
#include <string.h>

#include "check.h"

static void check_conv2d(const mtlf_conv2d *c, const mtlf_context *context) {
  const int64_t oh = mtlf_conv2d_output_height(c), ow = mtlf_conv2d_output_width(c), units = c->channels_out;
  const int64_t in = (int64_t)c->batch * c->height * c->width * c->channels_in, out = c->batch * oh * ow * units;
  const int64_t taps = (int64_t)c->kernel_h * c->kernel_w * c->channels_in,
                pooled = c->batch * (oh / 2) * (ow / 2) * units;
  const float *input = integers(in, 1), *filter = integers(taps * units, 2), *bias = integers(units, 3);
  const float *d_output = integers(out, 4);
  const double *wide_input = wide(in, input), *wide_filter = wide(taps * units, filter), *wide_bias = wide(units, bias);
  const double *wide_d_output = wide(out, d_output);
  const size_t bytes = mtlf_conv2d_workspace_bytes(c, context);
  void *workspace = allocate(bytes);
  double *expected = doubles(out), *expected_d_input = doubles(in), *expected_d_filter = doubles(taps * units);
  double *expected_d_bias = doubles(units);
  float *output = floats(out), *d_input = floats(in), *d_filter = floats(taps * units), *d_bias = floats(units);
  for (int relu = 0; relu < 2; relu++) {
    expect_ok(mtlf_conv2d_forward_f32(c, input, filter, relu ? NULL : bias, relu, output, workspace, bytes, context),
              "conv2d forward");
    reference_conv2d_forward(c, wide_input, wide_filter, relu ? NULL : wide_bias, relu, expected);
    expect_equal(out, output, expected, "conv2d output");
  }
  if (pooled > 0) {
    float *pooled_output = floats(pooled);
    double *expected_pooled = doubles(pooled);
    uint8_t *gate = allocate((size_t)pooled), *expected_gate = allocate((size_t)pooled);
    reference_conv2d_forward(c, wide_input, wide_filter, wide_bias, 0, expected);
    for (int relu = 0; relu < 2; relu++) {
      expect_ok(mtlf_conv2d_max_pool2d_forward_f32(c, input, filter, bias, relu, pooled_output, gate, workspace, bytes,
                                                   context),
                "conv2d + max-pool");
      reference_conv2d_max_pool2d_forward(c, expected, relu, expected_pooled, expected_gate);
      expect_equal(pooled, pooled_output, expected_pooled, "pooled output");
      expect(memcmp(gate, expected_gate, (size_t)pooled) == 0, "gate");
    }
  }
  memset(workspace, 0xff, bytes);
  expect_ok(mtlf_conv2d_d_input_f32(c, filter, d_output, d_input, workspace, bytes, context), "conv2d d_input");
  reference_conv2d_d_input(c, wide_filter, wide_d_output, expected_d_input);
  expect_equal(in, d_input, expected_d_input, "conv2d d_input");
  memset(workspace, 0xff, bytes);
  expect_ok(mtlf_conv2d_d_filter_f32(c, input, d_output, d_filter, d_bias, workspace, bytes, context),
            "conv2d d_filter");
  reference_conv2d_d_filter(c, wide_input, wide_d_output, expected_d_filter, expected_d_bias);
  expect_equal(taps * units, d_filter, expected_d_filter, "conv2d d_filter");
  expect_equal(units, d_bias, expected_d_bias, "conv2d d_bias");
}

static void check_depthwise_conv2d(const mtlf_conv2d *c, const mtlf_context *context) {
  const int64_t pixels = (int64_t)mtlf_conv2d_output_height(c) * mtlf_conv2d_output_width(c), channels = c->channels_in;
  const int64_t in = (int64_t)c->batch * c->height * c->width * channels, out = c->batch * pixels * channels;
  const int64_t taps = (int64_t)c->kernel_h * c->kernel_w * channels;
  const float *input = integers(in, 1), *filter = integers(taps, 2), *bias = integers(channels, 3);
  const float *d_output = integers(out, 4);
  const double *wide_input = wide(in, input), *wide_filter = wide(taps, filter), *wide_bias = wide(channels, bias);
  const double *wide_d_output = wide(out, d_output);
  const size_t bytes = mtlf_depthwise_conv2d_workspace_bytes(c, context);
  void *workspace = allocate(bytes);
  double *expected = doubles(out), *expected_d_input = doubles(in), *expected_d_filter = doubles(taps);
  double *expected_d_bias = doubles(channels);
  float *output = floats(out), *d_input = floats(in), *d_filter = floats(taps), *d_bias = floats(channels);
  for (int relu = 0; relu < 2; relu++) {
    expect_ok(mtlf_depthwise_conv2d_forward_f32(c, input, filter, relu ? NULL : bias, relu, output, workspace, bytes,
                                                context),
              "depthwise forward");
    reference_depthwise_conv2d_forward(c, wide_input, wide_filter, relu ? NULL : wide_bias, relu, expected);
    expect_equal(out, output, expected, "depthwise output");
  }
  memset(workspace, 0xff, bytes);
  expect_ok(mtlf_depthwise_conv2d_d_input_f32(c, filter, d_output, d_input, workspace, bytes, context),
            "depthwise d_input");
  reference_depthwise_conv2d_d_input(c, wide_filter, wide_d_output, expected_d_input);
  expect_equal(in, d_input, expected_d_input, "depthwise d_input");
  memset(workspace, 0xff, bytes);
  expect_ok(mtlf_depthwise_conv2d_d_filter_f32(c, input, d_output, d_filter, d_bias, workspace, bytes, context),
            "depthwise d_filter");
  reference_depthwise_conv2d_d_filter(c, wide_input, wide_d_output, expected_d_filter, expected_d_bias);
  expect_equal(taps, d_filter, expected_d_filter, "depthwise d_filter");
  expect_equal(channels, d_bias, expected_d_bias, "depthwise d_bias");
}

static void check_pool2d(const mtlf_pool2d *p, const mtlf_context *context) {
  const int64_t in = (int64_t)p->batch * p->height * p->width * p->channels;
  const int64_t out = (int64_t)p->batch * mtlf_pool2d_output_height(p) * mtlf_pool2d_output_width(p) * p->channels;
  const float *input = integers(in, 1), *d_output = integers(out, 2);
  const double *wide_input = wide(in, input), *wide_d_output = wide(out, d_output);
  float *output = floats(out), *d_input = floats(in);
  double *expected = doubles(out), *expected_d_input = doubles(in);
  int32_t *argmax = allocate((size_t)out * sizeof *argmax), *expected_argmax = allocate((size_t)out * sizeof *argmax);
  expect_ok(mtlf_max_pool2d_forward_f32(p, input, output, argmax, context), "max_pool2d forward");
  reference_max_pool2d_forward(p, wide_input, expected, expected_argmax);
  expect_equal(out, output, expected, "max_pool2d output");
  expect(memcmp(argmax, expected_argmax, (size_t)out * sizeof *argmax) == 0, "argmax");
  expect_ok(mtlf_max_pool2d_backward_f32(p, d_output, argmax, d_input, context), "max_pool2d backward");
  reference_max_pool2d_backward(p, wide_d_output, expected_argmax, expected_d_input);
  expect_equal(in, d_input, expected_d_input, "max_pool2d d_input");
  expect_ok(mtlf_avg_pool2d_forward_f32(p, input, output, context), "avg_pool2d forward");
  reference_avg_pool2d_forward(p, wide_input, expected);
  expect_near(out, output, expected, 4 * 0x1p-23, "avg_pool2d output");
  expect_ok(mtlf_avg_pool2d_backward_f32(p, d_output, d_input, context), "avg_pool2d backward");
  reference_avg_pool2d_backward(p, wide_d_output, expected_d_input);
  expect_near(in, d_input, expected_d_input, 16 * 0x1p-23, "avg_pool2d d_input");
}

static void check_upsample2d(const mtlf_upsample2d *u, const mtlf_context *context) {
  const int64_t in = (int64_t)u->batch * u->height * u->width * u->channels, out = in * u->scale_h * u->scale_w;
  const float *input = integers(in, 1), *d_output = integers(out, 2);
  float *output = floats(out), *d_input = floats(in);
  double *expected = doubles(out), *expected_d_input = doubles(in);
  expect_ok(mtlf_upsample2d_forward_f32(u, input, output, context), "upsample2d forward");
  reference_upsample2d_forward(u, wide(in, input), expected);
  expect_equal(out, output, expected, "upsample2d output");
  expect_ok(mtlf_upsample2d_backward_f32(u, d_output, d_input, context), "upsample2d backward");
  reference_upsample2d_backward(u, wide(out, d_output), expected_d_input);
  expect_equal(in, d_input, expected_d_input, "upsample2d d_input");
}

/* ---- shapes ---- */

/* batch, height, width, channels_in, channels_out; kernel; stride; pads */
static const mtlf_conv2d convs[] = {
    {1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0},     {2, 1, 1, 3, 2, 3, 3, 1, 1, 1, 1, 1, 1},
    {3, 3, 3, 1, 7, 3, 3, 1, 1, 0, 0, 0, 0},     {1, 5, 5, 2, 8, 3, 3, 1, 1, 1, 1, 1, 1},
    {2, 6, 5, 3, 9, 3, 2, 1, 1, 1, 1, 0, 1},     {17, 5, 5, 8, 10, 3, 3, 1, 1, 0, 0, 0, 0},
    {2, 9, 11, 5, 20, 5, 5, 1, 1, 2, 2, 2, 2},   {1, 13, 13, 16, 50, 3, 3, 1, 1, 0, 0, 0, 0},
    {3, 8, 7, 3, 33, 2, 2, 3, 3, 0, 0, 0, 0},    {2, 10, 9, 4, 16, 4, 4, 2, 2, 1, 2, 1, 2},
    {1, 7, 12, 3, 17, 3, 4, 2, 1, 2, 0, 3, 0},   {1, 12, 1, 2, 5, 3, 1, 1, 1, 1, 1, 0, 0},
    {1, 1, 13, 1, 15, 1, 1, 1, 2, 0, 0, 0, 0},   {33, 4, 4, 2, 4, 3, 3, 1, 1, 1, 1, 1, 1},
    {2, 14, 15, 10, 100, 3, 3, 1, 1, 0, 0, 0, 0}};
/* batch, height, width, channels; window; stride; pads */
static const mtlf_pool2d pools[] = {{1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0},
                                    {2, 4, 6, 3, 2, 2, 2, 2, 0, 0, 0, 0},
                                    {3, 7, 5, 5, 3, 3, 2, 2, 1, 1, 1, 1},
                                    {1, 5, 7, 17, 2, 3, 1, 2, 0, 1, 1, 1},
                                    {17, 3, 3, 4, 2, 2, 3, 3, 0, 0, 0, 0}};

static const mtlf_upsample2d upsamples[] = {
    {1, 1, 1, 1, 1, 1}, {2, 3, 4, 5, 2, 2}, {17, 2, 3, 4, 1, 3}, {1, 5, 2, 17, 3, 2}};

void check_windows(const mtlf_context *given) {
  mtlf_context copy = *given;
  const mtlf_context *context = &copy;
  for (int path = 0; path < 2; path++) {
    copy.conv_path = path ? MTLF_CONV_IM2COL : MTLF_CONV_DIRECT;
    for (size_t i = 0; i < sizeof convs / sizeof *convs; i++) {
      name_place(context, path ? "im2col conv" : "direct conv", (int64_t)i);
      check_conv2d(convs + i, context);
      free_all();
    }
  }
  for (size_t i = 0; i < sizeof convs / sizeof *convs; i++) {
    mtlf_conv2d c = convs[i];
    c.channels_in = c.channels_out;
    name_place(context, "depthwise conv", (int64_t)i);
    check_depthwise_conv2d(&c, context);
    free_all();
  }
  for (size_t i = 0; i < sizeof pools / sizeof *pools; i++) {
    name_place(context, "pool", (int64_t)i);
    check_pool2d(pools + i, context);
    free_all();
  }
  for (size_t i = 0; i < sizeof upsamples / sizeof *upsamples; i++) {
    name_place(context, "upsample", (int64_t)i);
    check_upsample2d(upsamples + i, context);
    free_all();
  }
}
