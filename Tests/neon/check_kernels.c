/* SPDX-License-Identifier: Apache-2.0
 * Compares every instruction set of this machine with the double-precision reference, without Swift: for emulators. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "creference.h"
#include "mtlf.h"
#include "mtlf_plan.h"

static int passed, failed;

/* ---- memory: exact sizes between pages that trap ---- */

enum { MAX_BUFFERS = 256 };
static struct {
  void *memory;
  size_t bytes;
} buffers[MAX_BUFFERS];
static int buffer_count;
static reference_side side;

/* Filled with 0xff, which is NaN: what isn't written, or read before it is, shows. */
static void *allocate(size_t bytes) {
  void *memory = reference_guarded_allocate(bytes, side);
  if (!memory || buffer_count == MAX_BUFFERS) {
    printf("no memory\n");
    exit(1);
  }
  memset(memory, 0xff, bytes);
  buffers[buffer_count].memory = memory;
  buffers[buffer_count++].bytes = bytes;
  return memory;
}

static void free_all(void) {
  while (buffer_count > 0) {
    buffer_count--;
    reference_guarded_free(buffers[buffer_count].memory, buffers[buffer_count].bytes);
  }
}

static float *floats(int64_t n) { return allocate((size_t)n * sizeof(float)); }
static double *doubles(int64_t n) { return allocate((size_t)n * sizeof(double)); }

static float *integers(int64_t n, uint64_t seed) {
  float *values = floats(n);
  reference_fill_integers(n, seed, 4, values);
  return values;
}

static float *reals(int64_t n, uint64_t seed) {
  float *values = floats(n);
  reference_fill_reals(n, seed, values);
  return values;
}

static double *wide(int64_t n, const float *values) {
  double *result = doubles(n);
  reference_widen(n, values, result);
  return result;
}

/* ---- verdicts ---- */

static char where[200];

static void expect(int is_right, const char *what) {
  if (is_right) {
    passed++;
  } else {
    failed++;
    printf("FAILED  %s  %s\n", where, what);
  }
}

static void expect_ok(mtlf_status status, const char *what) {
  if (status != MTLF_OK) {
    failed++;
    printf("FAILED  %s  %s: %s\n", where, what, mtlf_status_text(status));
  }
}

static void expect_equal(int64_t n, const float *actual, const double *expected, const char *what) {
  const int64_t at = reference_first_difference(n, actual, expected);
  char text[160];
  if (at >= 0) snprintf(text, sizeof text, "%s[%lld] is %g, not %g", what, (long long)at, actual[at], expected[at]);
  expect(at < 0, text);
}

static void expect_near(int64_t n, const float *actual, const double *expected, double bound, const char *what) {
  double error;
  const int64_t at = reference_worst_error(n, actual, expected, &error);
  char text[200];
  snprintf(text, sizeof text, "%s[%lld] is %.9g, not %.9g: error %g > %g", what, (long long)at, actual[at],
           expected[at], error, bound);
  expect(error <= bound, text);
}

/* ---- operations ---- */

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

static void check_dense(const mtlf_dense *d, const mtlf_context *context) {
  const int64_t in = (int64_t)d->batch * d->inputs, weights = (int64_t)d->inputs * d->units;
  const int64_t out = (int64_t)d->batch * d->units;
  const float *input = integers(in, 1), *kernel = integers(weights, 2), *bias = integers(d->units, 3);
  const float *d_output = integers(out, 4);
  const double *wide_input = wide(in, input), *wide_kernel = wide(weights, kernel), *wide_bias = wide(d->units, bias);
  const double *wide_d_output = wide(out, d_output);
  const size_t bytes = mtlf_dense_workspace_bytes(d, context);
  void *workspace = allocate(bytes);
  double *expected = doubles(out), *expected_d_input = doubles(in), *expected_d_kernel = doubles(weights);
  double *expected_d_bias = doubles(d->units);
  float *output = floats(out), *d_input = floats(in), *d_kernel = floats(weights), *d_bias = floats(d->units);
  for (int relu = 0; relu < 2; relu++) {
    expect_ok(mtlf_dense_forward_f32(d, input, kernel, relu ? NULL : bias, relu, output, workspace, bytes, context),
              "dense forward");
    reference_dense_forward(d, wide_input, wide_kernel, relu ? NULL : wide_bias, relu, expected);
    expect_equal(out, output, expected, "dense output");
  }
  memset(workspace, 0xff, bytes);
  expect_ok(mtlf_dense_d_input_f32(d, kernel, d_output, d_input, workspace, bytes, context), "dense d_input");
  reference_dense_d_input(d, wide_kernel, wide_d_output, expected_d_input);
  expect_equal(in, d_input, expected_d_input, "dense d_input");
  memset(workspace, 0xff, bytes);
  expect_ok(mtlf_dense_d_kernel_f32(d, input, d_output, d_kernel, d_bias, workspace, bytes, context), "dense d_kernel");
  reference_dense_d_kernel(d, wide_input, wide_d_output, expected_d_kernel, expected_d_bias);
  expect_equal(weights, d_kernel, expected_d_kernel, "dense d_kernel");
  expect_equal(d->units, d_bias, expected_d_bias, "dense d_bias");
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

static void check_softmax(int32_t batch, int32_t classes, const mtlf_context *context) {
  const int64_t n = (int64_t)batch * classes;
  float *logits = reals(n, 1), *probabilities = floats(n), *d_logits = floats(n);
  double *expected = doubles(n), *expected_d_logits = doubles(n);
  int32_t *labels = allocate((size_t)batch * sizeof *labels);
  mtlf_cross_entropy result, expected_result;
  for (int64_t i = 0; i < n; i++) {
    logits[i] *= 8;
    d_logits[i] = 1;
    expected_d_logits[i] = 1;
  }
  for (int32_t i = 0; i < batch; i++) labels[i] = i % 5 == 4 ? -1 : i % classes;
  const double *wide_logits = wide(n, logits);
  expect_ok(mtlf_softmax_cross_entropy_f32(batch, classes, logits, labels, NULL, 0.5f, probabilities, d_logits, &result,
                                           context),
            "softmax");
  reference_softmax_cross_entropy(batch, classes, wide_logits, labels, NULL, 0.5, expected, expected_d_logits,
                                  &expected_result);
  expect_near(n, probabilities, expected, 8 * 0x1p-23, "probabilities");
  expect_near(n, d_logits, expected_d_logits, 4 * 0x1p-23, "d_logits");
  expect(fabs(result.loss_sum - expected_result.loss_sum) <= 8 * 0x1p-23 * (1 + expected_result.loss_sum), "loss_sum");
  expect(result.present == expected_result.present && result.correct == expected_result.correct, "present and correct");
}

/* Labels of a mask: 0...classes-1, every seventh missing. */
static uint8_t *labels_of(int64_t n, int32_t classes) {
  uint8_t *mask = allocate((size_t)n);
  for (int64_t i = 0; i < n; i++) mask[i] = i % 7 == 5 ? MTLF_IGNORED : (uint8_t)(i * 5 / 3 % classes);
  return mask;
}

static void expect_loss(const mtlf_loss_sum *actual, const mtlf_loss_sum *expected, const char *what) {
  const double bound = 4 * 0x1p-23 * (expected->present + expected->loss_sum);
  expect(fabs(actual->loss_sum - expected->loss_sum) <= bound && actual->present == expected->present, what);
}

static void check_pixel_losses(int32_t pixels, int32_t channels, const mtlf_context *context) {
  const int32_t batch = 3;
  const int64_t n = (int64_t)batch * pixels * channels;
  float *logits = reals(n, 1), *probabilities = floats(n);
  double *expected = doubles(n), *expected_d = doubles(n);
  mtlf_loss_sum result, expected_result;
  for (int64_t i = 0; i < n; i++) logits[i] *= 6;
  const double *wide_logits = wide(n, logits);
  for (int which = 0; which < 4; which++) {
    const mtlf_loss losses[] = {MTLF_LOSS_SOFTMAX_CROSS_ENTROPY, MTLF_LOSS_BINARY_CROSS_ENTROPY, MTLF_LOSS_DICE,
                                MTLF_LOSS_BINARY_CROSS_ENTROPY_DICE};
    float *d_logits = reals(n, 2);
    const int64_t cells = which == 0 ? (int64_t)channels * channels : 4 * (int64_t)channels;
    int64_t *counts = allocate((size_t)cells * sizeof *counts);
    int64_t *expected_counts = allocate((size_t)cells * sizeof *counts);
    for (int64_t i = 0; i < cells; i++) counts[i] = expected_counts[i] = 0;
    reference_widen(n, d_logits, expected_d);
    if (which == 0) {
      const uint8_t *mask = labels_of((int64_t)batch * pixels, channels);
      expect_ok(mtlf_pixel_cross_entropy_f32(batch, pixels, channels, logits, mask, NULL, 0.125f, 0.5f, probabilities,
                                             d_logits, counts, &result, context),
                "pixel cross-entropy");
      reference_pixel_cross_entropy(batch, pixels, channels, wide_logits, mask, NULL, 0.125, 0.5, expected, expected_d,
                                    expected_counts, &expected_result);
    } else {
      const uint8_t *mask = labels_of(n, 2);
      expect_ok(mtlf_mask_loss_f32(losses[which], batch, pixels, channels, logits, mask, NULL, 0.125f, 0.5f,
                                   probabilities, d_logits, counts, &result, context),
                "mask loss");
      reference_mask_loss(losses[which], batch, pixels, channels, wide_logits, mask, NULL, 0.125, 0.5, expected,
                          expected_d, expected_counts, &expected_result);
    }
    expect_near(n, probabilities, expected, 6 * 0x1p-23, "probabilities");
    expect_near(n, d_logits, expected_d, 4 * 0x1p-23, "d_logits");
    expect_loss(&result, &expected_result, "loss_sum and present");
    expect(memcmp(counts, expected_counts, (size_t)cells * sizeof *counts) == 0, "counts");
  }
}

static void check_regression(int32_t k, const mtlf_context *context) {
  const int32_t batch = 5;
  const int64_t n = (int64_t)batch * k;
  const float *outputs = reals(n, 1), *targets = reals(n, 2);
  const double *wide_outputs = wide(n, outputs), *wide_targets = wide(n, targets);
  const mtlf_loss losses[] = {MTLF_LOSS_MEAN_SQUARED_ERROR, MTLF_LOSS_MEAN_ABSOLUTE_ERROR, MTLF_LOSS_HUBER};
  for (int which = 0; which < 3; which++) {
    float *d_outputs = reals(n, 3);
    double *expected = wide(n, d_outputs);
    mtlf_loss_sum result, expected_result;
    expect_ok(
        mtlf_regression_loss_f32(losses[which], 0.5f, batch, k, outputs, targets, 0.5f, d_outputs, &result, context),
        "regression");
    reference_regression_loss(losses[which], 0.5, batch, k, wide_outputs, wide_targets, 0.5, expected,
                              &expected_result);
    expect_near(n, d_outputs, expected, 4 * 0x1p-23, "d_outputs");
    expect_loss(&result, &expected_result, "loss_sum and present");
  }
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

static void check_batch_norm(int32_t channels, const mtlf_context *context) {
  const mtlf_normalization norm = {.pixels = 40, .channels = channels, .momentum = 0.75f, .epsilon = 1e-3f};
  const int64_t n = norm.pixels * channels;
  const float *input = reals(n, 1), *gamma = reals(channels, 2), *beta = reals(channels, 3), *d_output = reals(n, 4);
  float *running_mean = reals(channels, 5), *running_variance = reals(channels, 6);
  double *expected_mean = wide(channels, running_mean), *expected_variance = wide(channels, running_variance);
  float *output = floats(n), *mean = floats(channels), *inverse = floats(channels), *d_input = floats(n);
  float *d_gamma = floats(channels), *d_beta = floats(channels);
  double *expected = doubles(n), *expected_d_gamma = doubles(channels), *expected_d_beta = doubles(channels);
  const double *wide_input = wide(n, input), *wide_gamma = wide(channels, gamma);
  const size_t bytes = mtlf_batch_norm_workspace_bytes(channels);
  void *workspace = allocate(bytes);
  expect_ok(mtlf_batch_norm_training_forward_f32(&norm, input, gamma, beta, running_mean, running_variance, output,
                                                 mean, inverse, workspace, bytes, context),
            "batch_norm forward");
  reference_batch_norm_training_forward(&norm, wide_input, wide_gamma, wide(channels, beta), expected_mean,
                                        expected_variance, expected);
  expect_near(n, output, expected, 16 * 0x1p-23, "batch_norm output");
  expect_near(channels, running_mean, expected_mean, 2 * 0x1p-23, "running mean");
  expect_near(channels, running_variance, expected_variance, 2 * 0x1p-23, "running variance");
  expect_ok(mtlf_batch_norm_backward_f32(&norm, input, gamma, mean, inverse, d_output, d_input, d_gamma, d_beta,
                                         workspace, bytes, context),
            "batch_norm backward");
  reference_batch_norm_backward(&norm, wide_input, wide_gamma, wide(n, d_output), expected, expected_d_gamma,
                                expected_d_beta);
  expect_near(n, d_input, expected, 32 * 0x1p-23, "batch_norm d_input");
  expect_near(channels, d_gamma, expected_d_gamma, 64 * 0x1p-23, "d_gamma");
  expect_near(channels, d_beta, expected_d_beta, 16 * 0x1p-23, "d_beta");
}

/* Normalised rows as the first layer gets them: a product and a sum, both rounded, on every instruction set. */
static void check_input(int32_t width, const mtlf_context *context) {
  float *data = integers(width, 1), *output = floats(width);
  uint8_t *bytes = allocate((size_t)width);
  const float *factors = reals(width, 2), *offsets = reals(width, 3);
  for (int32_t i = 0; i < width; i++) bytes[i] = (uint8_t)(i * 7);
  for (int is_bytes = 0; is_bytes < 2; is_bytes++) {
    const mtlf_input_rows input = {
        .data = is_bytes ? (const void *)bytes : data, .is_bytes = is_bytes, .factors = factors, .offsets = offsets};
    const mtlf_view view = {.data = output, .height = 1, .width = width, .channels = 1, .row_stride = width};
    internal_load_sample(context, &input, 0, 0, &view);
    int is_right = 1;
    for (int32_t i = 0; i < width; i++) {
      const float product = factors[i] * (is_bytes ? (float)bytes[i] : data[i]);
      is_right &= output[i] == product + offsets[i];
    }
    expect(is_right, "normalised input");
  }
}

static void check_elementwise(int64_t n, const mtlf_context *context) {
  float *x = reals(n, 1), *d = reals(n, 2), *y = floats(n);
  double *expected = doubles(n), error;
  expect_ok(mtlf_relu_forward_f32(n, x, y, context), "relu");
  const double *wide_x = wide(n, x), *wide_d = wide(n, d);
  reference_relu_forward(n, wide_x, expected);
  expect_near(n, y, expected, 0, "relu");
  expect_ok(mtlf_relu_backward_f32(n, x, d, y, context), "relu backward");
  reference_relu_backward(n, wide_x, wide_d, expected);
  expect_equal(n, y, expected, "relu d_input");
  for (int64_t i = 0; i < n; i++) x[i] *= 80;
  wide_x = wide(n, x);
  expect_ok(mtlf_exp_f32(n, x, y, context), "exp");
  reference_exp(n, wide_x, expected);
  reference_worst_ulp(n, y, expected, &error);
  expect(error < 2, "exp within 2 ULP");
  expect_ok(mtlf_sigmoid_forward_f32(n, x, y, context), "sigmoid");
  reference_sigmoid_forward(n, wide_x, expected);
  reference_worst_ulp(n, y, expected, &error);
  expect(error < 4, "sigmoid within 4 ULP");
}

static void check_optimizers(int64_t n, const mtlf_context *context) {
  const mtlf_adam adam = {
      .learning_rate = 1e-2f, .beta1 = 0.5f, .beta2 = 0.999f, .epsilon = 1e-7f, .weight_decay = n % 2 ? 0.05f : 0.0f};
  const mtlf_sgd sgd = {.learning_rate = 1e-2f, .momentum = 0.9f, .weight_decay = n % 2 ? 0.05f : 0.0f};
  float *w = reals(n, 1), *m = floats(n), *v = floats(n);
  double *expected = wide(n, w), *expected_m = doubles(n), *expected_v = doubles(n);
  for (int64_t i = 0; i < n; i++) {
    m[i] = v[i] = 0;
    expected_m[i] = expected_v[i] = 0;
  }
  for (int64_t step = 1; step <= 3; step++) {
    const float *g = reals(n, (uint64_t)step + 10);
    expect_ok(mtlf_adam_f32(&adam, step, n, w, m, v, g, context), "adam");
    reference_adam(&adam, step, n, expected, expected_m, expected_v, wide(n, g));
  }
  expect_near(n, w, expected, 4 * 0x1p-23, "adam w");
  expect_near(n, m, expected_m, 2 * 0x1p-23, "adam m");
  expect_near(n, v, expected_v, 2 * 0x1p-23, "adam v");
  for (int64_t i = 0; i < n; i++) m[i] = 0, expected_m[i] = 0;
  for (int64_t step = 1; step <= 3; step++) {
    const float *g = reals(n, (uint64_t)step + 20);
    expect_ok(mtlf_sgd_f32(&sgd, n, w, m, g, context), "sgd");
    reference_sgd(&sgd, n, expected, expected_m, wide(n, g));
  }
  expect_near(n, w, expected, 4 * 0x1p-23, "sgd w");
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
static const mtlf_dense denses[] = {{1, 1, 1},      {1, 7, 3},    {3, 8, 8},     {4, 9, 9},    {5, 16, 10},
                                    {7, 17, 20},    {8, 31, 31},  {9, 33, 33},   {12, 95, 16}, {13, 97, 50},
                                    {33, 100, 100}, {97, 65, 17}, {200, 40, 10}, {257, 13, 5}, {300, 20, 64}};
/* batch, height, width, channels; window; stride; pads */
static const mtlf_pool2d pools[] = {{1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0},
                                    {2, 4, 6, 3, 2, 2, 2, 2, 0, 0, 0, 0},
                                    {3, 7, 5, 5, 3, 3, 2, 2, 1, 1, 1, 1},
                                    {1, 5, 7, 17, 2, 3, 1, 2, 0, 1, 1, 1},
                                    {17, 3, 3, 4, 2, 2, 3, 3, 0, 0, 0, 0}};

static const mtlf_upsample2d upsamples[] = {
    {1, 1, 1, 1, 1, 1}, {2, 3, 4, 5, 2, 2}, {17, 2, 3, 4, 1, 3}, {1, 5, 2, 17, 3, 2}};

static void check_all(mtlf_isa isa) {
  mtlf_context context;
  expect_ok(mtlf_context_init(&context, isa, 1), "context");
  const char *name = mtlf_context_isa_name(&context);
  const int passed_before = passed, failed_before = failed;
  for (int threads = 1; threads <= (mtlf_has_openmp() ? 3 : 1); threads++) {
    context.threads = threads;
    side = threads % 2 ? REFERENCE_FLUSH_RIGHT : REFERENCE_FLUSH_LEFT;
    for (int path = 0; path < 2; path++) {
      context.conv_path = path ? MTLF_CONV_IM2COL : MTLF_CONV_DIRECT;
      for (size_t i = 0; i < sizeof convs / sizeof *convs; i++) {
        snprintf(where, sizeof where, "%s, %d threads, conv %zu, %s:", name, threads, i, path ? "im2col" : "direct");
        check_conv2d(convs + i, &context);
        free_all();
      }
    }
    for (size_t i = 0; i < sizeof denses / sizeof *denses; i++) {
      snprintf(where, sizeof where, "%s, %d threads, dense %zu:", name, threads, i);
      check_dense(denses + i, &context);
      free_all();
    }
    for (size_t i = 0; i < sizeof pools / sizeof *pools; i++) {
      snprintf(where, sizeof where, "%s, %d threads, pool %zu:", name, threads, i);
      check_pool2d(pools + i, &context);
      free_all();
    }
    for (size_t i = 0; i < sizeof upsamples / sizeof *upsamples; i++) {
      snprintf(where, sizeof where, "%s, %d threads, upsample %zu:", name, threads, i);
      check_upsample2d(upsamples + i, &context);
      free_all();
    }
    for (int n = 1; n <= 40; n += 3) {
      snprintf(where, sizeof where, "%s, %d threads, %d values:", name, threads, n);
      check_softmax(n, n, &context);
      check_elementwise(n, &context);
      check_optimizers(n, &context);
      free_all();
      check_pixel_losses(n, 1 + n % 13, &context);
      free_all();
      check_pixel_losses(13, n, &context);
      free_all();
      check_regression(n, &context);
      check_batch_norm(n, &context);
      check_input(n, &context);
      free_all();
    }
  }
  printf("%-7s %d passed, %d failed\n", name, passed - passed_before, failed - failed_before);
}

int main(void) {
  for (mtlf_isa isa = MTLF_ISA_SCALAR; isa <= MTLF_ISA_AVX512; isa++) {
    if (mtlf_isa_is_supported(isa)) check_all(isa);
  }
  printf("%d passed, %d failed\n", passed, failed);
  return failed > 0;
}
